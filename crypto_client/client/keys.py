"""The keys of this device and what it knows of others': proofs, pins, lists, prekeys."""

import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from crypto_client.client.failures import Unverified
from crypto_client.client.former_keys import (
    former_keys,
    insert_list,
    keep_former,
    read_former,
    resets_between,
)
from crypto_client.client.key_log import KeyLog
from crypto_client.client.server import JSON, Server, b64, unb64
from crypto_client.client.store import Store
from crypto_client.client.stored_lists import StoredLists
from crypto_client.device_list import (
    DeviceList,
    KnownList,
    SignedDeviceList,
    accept_device_list,
    parse_device_list,
    verify_device_list,
)
from crypto_client.epoch import ReadLists, Trust
from crypto_client.errors import (
    KeyLogError,
    ListForkError,
    ListRollbackError,
    PinMismatchError,
    ProtocolError,
    ReferenceMissingError,
)
from crypto_client.history import HistoryWriter, history_writer
from crypto_client.identity import DeviceKeys, device_proof
from crypto_client.linking import Pin
from crypto_client.prekeys import SignedPrekey, new_prekey, parse_prekey, verify_prekey
from crypto_client.primitives import h

LINKED_PINS = "linked_pins"
PREKEY_RENEWAL_MS = 7 * 24 * 3600 * 1000


def now_ms() -> int:
    """Milliseconds since 1970 by this machine's clock."""
    return time.time_ns() // 1_000_000


_DEVICE_PARTS = ("user", "amk_pub", "device", "dsk_pub", "dsk_seed", "accept")


def device_to_json(device: DeviceKeys) -> JSON:
    """The keys of a device as a home keeps them."""
    parts: JSON = {name: b64(getattr(device, name)) for name in _DEVICE_PARTS}
    return {**parts, "created": device.created}


def device_from_json(kept: JSON) -> DeviceKeys:
    """The keys of a device that a home has kept."""
    parts = {name: unb64(kept[name]) for name in _DEVICE_PARTS}
    return DeviceKeys(**parts, created=kept["created"])


@dataclass(frozen=True)
class Said:
    """What the server says of a person's keys beyond a version of their list."""

    after_version: int
    keys: JSON


@dataclass(frozen=True)
class Offer:
    """Keys of a person that verified by themselves; ``known`` is their newest list."""

    user: bytes
    amk_pub: bytes
    lists: tuple[SignedDeviceList, ...]
    known: KnownList
    prekeys: dict[bytes, SignedPrekey]


@dataclass(frozen=True)
class Keyring:
    """This device's own keys, and what it has verified of others: account keys, device lists."""

    store: Store
    server: Server
    device: DeviceKeys
    read: ReadLists = field(default_factory=ReadLists, repr=False, compare=False)

    @staticmethod
    def load(store: Store, server: Server) -> "Keyring":
        """Take the keys from the home; `Unverified` with ``no_keys_here`` when there are none."""
        kept = store.fact("device")
        if kept is None:
            raise Unverified("no_keys_here")
        return Keyring(store, server, device_from_json(kept))

    @property
    def user_id(self) -> uuid.UUID:
        """Whose device this is."""
        return uuid.UUID(bytes=self.device.user)

    @property
    def device_id(self) -> uuid.UUID:
        """This device, as the wire writes it."""
        return uuid.UUID(bytes=self.device.device)

    def proof(self, nonce: bytes) -> str:
        """Sign the server's nonce for the origin this program itself talks to."""
        return b64(device_proof(self.device, self.server.origin, nonce))

    def prove_session(self) -> None:
        """Bind the REST session to this device."""
        nonce = unb64(self.server.post("/api/devices/challenge")["nonce"])
        body = {"device_id": str(self.device_id), "signature": self.proof(nonce)}
        self.server.post("/api/devices/proof", body)

    # Account keys, pinned at first contact, and device lists, never older than the newest seen

    def pins(self) -> dict[bytes, bytes]:
        """The account key known for each person, met here or by the device that linked this."""
        met = {row["user"]: row["amk_pub"] for row in self.store.rows("SELECT * FROM accounts")}
        return {user: pin.amk_pub for user, pin in self._linked().items()} | met

    def _linked(self) -> dict[bytes, Pin]:
        """What the linking device knew of people (docs/protocol.md §3.8)."""
        rows: list[list[Any]] = self.store.fact(LINKED_PINS) or []
        pins = (Pin(unb64(u), unb64(key), version, unb64(h)) for u, key, version, h in rows)
        return {pin.user: pin for pin in pins}

    def lists(self) -> Mapping[bytes, SignedDeviceList]:
        """Every device list that ever verified, by its hash."""
        return StoredLists(self.store)

    def trust(self) -> Trust:
        """What commits are judged with: verified lists, pinned account keys, the server's keys."""
        return Trust(self.lists(), self.pins(), self.key_log.server_keys(), self.read)

    def newest(self, user: bytes) -> KnownList | None:
        """The newest list this device has verified for a person."""
        row = self.store.row("SELECT * FROM accounts WHERE user = ?", user)
        return KnownList(row["version"], row["list_hash"]) if row else None

    def list_of(self, user: bytes) -> DeviceList:
        """A person's newest verified list, opened."""
        row = self.store.row(
            "SELECT a.amk_pub, d.data, d.sig FROM accounts a"
            " JOIN device_lists d USING (list_hash) WHERE a.user = ?",
            user,
        )
        if row is None:
            raise Unverified("reference")
        signed = SignedDeviceList(row["data"], row["sig"])
        return verify_device_list(signed, user, row["amk_pub"])

    @property
    def key_log(self) -> KeyLog:
        """The log in which every list that is used must be its account's newest."""
        own = self.device.user
        return KeyLog(
            self.store,
            self.server,
            user=own,
            knows_own=self._is_own_list,
            knows_own_reset=self._is_own_reset,
            learn_own=self._learn_own_lists,
        )

    def _is_own_list(self, list_hash: bytes) -> bool:
        signed = self.lists().get(list_hash)
        if signed is None:
            return False
        own = self.device.user, self.device.amk_pub
        keys = [self.device.amk_pub, *(amk for amk, _ in former_keys(self.store, *own))]
        return any(_is_list_of(signed, self.device.user, key) for key in keys)

    def _is_own_reset(self, reset_id: bytes) -> bool:
        own = self.device.user, self.device.amk_pub
        return any(known == reset_id for _, known in former_keys(self.store, *own))

    def _learn_own_lists(self) -> None:
        """Fetch what another own device has signed; what does not verify is nothing of one's own.

        The resets that led to the own account key, and the lists of before, are fetched with it.
        """
        with suppress(ProtocolError):
            self._keep_offer(self._offer_of(self.device.user))

    def refresh(self, user: bytes, said: Said | None = None) -> dict[bytes, SignedPrekey]:
        """Fetch what is new of a person's lists, verify and keep it; returns their newest prekeys.

        ``said`` is what it has answered already. A changed account key is never taken over:
        `PinMismatchError`, and the pin stays. A list that is not the newest of the key log is not
        taken: ``kt``.
        """
        offer = self._offer_of(user, said)
        key_log = self.key_log
        if not key_log.is_newest(user, offer.known.list_hash, now_ms()):
            key_log.follow(now_ms())
            if not key_log.is_newest(user, offer.known.list_hash, now_ms()):
                offer = self._offer_of(user)  # a list may have been published in between
        key_log.demand_newest(user, offer.known.list_hash)
        self._keep_offer(offer)
        self._remember_numbers(user, offer.prekeys)
        return offer.prekeys

    def _offer_of(self, user: bytes, said: Said | None = None) -> "Offer":
        """What the server says of a person's keys, as far as it verifies by itself."""
        known = self.newest(user)
        after = known.version if known else 0
        if said is None or said.after_version != after:
            said = Said(after, self.server.user_keys(uuid.UUID(bytes=user), after_version=after))
        keys = said.keys
        offered = unb64(keys["account_key"])
        pinned = self.pins().get(user, offered)
        keep_former(self.store, user, read_former(keys, user, offered))
        if offered != pinned:
            every = self.server.user_keys(uuid.UUID(bytes=user), after_version=0)
            self._keep_beside(user, unb64(every["account_key"]), _lists_in(every))
            self.store.run("INSERT OR REPLACE INTO offered_keys VALUES (?, ?)", user, offered)
            raise PinMismatchError("another account key than the pinned one")
        lists = _lists_in(keys)
        for signed in lists:
            known = accept_device_list(known, [signed], user=user, amk_pub=pinned)
        if known is None:
            raise ReferenceMissingError("an account key without a device list")
        if self.newest(user) is None and (pin := self._linked().get(user)):
            _demand_known(lists, pin)
        prekeys = {
            uuid.UUID(item["device_id"]).bytes: SignedPrekey(
                unb64(item["prekey"]), unb64(item["prekey_sig"])
            )
            for item in keys["prekeys"]
        }
        return Offer(user, pinned, tuple(lists), known, prekeys)

    def _keep_offer(self, offer: "Offer") -> None:
        with self.store.transaction():
            self.store.run("DELETE FROM offered_keys WHERE user = ?", offer.user)
            for signed in offer.lists:
                version = parse_device_list(signed.data).version
                keep_list(self.store, offer.user, offer.amk_pub, signed, version)

    def accept_new_key(self, user: bytes, seen: bytes) -> None:
        """Pin the account key of somebody who started again, because a person has said so.

        ``seen`` is the key whose number the person was shown. Refuses ``pin_mismatch`` where the
        server shows another one by now or no reset leads there from the pinned key, ``kt`` where
        the key log does not tell of it or names another newest list, and ``reference`` where
        nothing has changed.
        """
        keys = self.server.user_keys(uuid.UUID(bytes=user), after_version=0)
        offered, pinned = unb64(keys["account_key"]), self.pins().get(user)
        if pinned is None or pinned == offered:
            raise ReferenceMissingError("the account key is the one that is known")
        if seen != offered:
            raise PinMismatchError("another account key than the one that was looked at")
        former = read_former(keys, user, offered)
        last = resets_between(former, pinned)[-1]
        lists = _lists_in(keys)
        known = accept_device_list(None, lists, user=user, amk_pub=offered)
        self.key_log.follow(now_ms())
        if not self.key_log.tells_of_reset(user, last.reset_id):
            raise KeyLogError("a reset that the key log does not tell of")
        self.key_log.demand_newest(user, known.list_hash)
        prekeys: dict[bytes, SignedPrekey] = {}
        self._keep_offer(Offer(user, offered, tuple(lists), known, prekeys))

    def _keep_beside(self, user: bytes, amk_pub: bytes, lists: list[SignedDeviceList]) -> None:
        """Keep lists under another key than the pin: a chain that names them can be judged."""
        for signed in lists:
            version = verify_device_list(signed, user, amk_pub).version
            insert_list(self.store, user, signed, version)

    def _remember_numbers(self, user: bytes, prekeys: dict[bytes, SignedPrekey]) -> None:
        """Keep the number of each prekey that verifies: no lower one is wrapped to again (§4)."""
        for entry in self.list_of(user).entries if self.newest(user) else ():
            try:
                signed = prekeys[entry.device]
                read = verify_prekey(signed, user=user, entry=entry, now=now_ms(), trial=False)
            except (KeyError, ProtocolError):
                continue  # whoever commits gives this device no wrap
            self.store.run(
                "INSERT INTO prekey_floors VALUES (?, ?)"
                " ON CONFLICT (device) DO UPDATE SET seq = max(seq, excluded.seq)",
                entry.device,
                read.seq,
            )

    def prekey_floors(self) -> dict[bytes, int]:
        """The highest number of a verified prekey of each device."""
        return {r["device"]: r["seq"] for r in self.store.rows("SELECT * FROM prekey_floors")}

    # Own prekeys and history

    def prekey_seeds(self) -> dict[bytes, bytes]:
        """The secrets this device can still unwrap with, by prekey hash."""
        rows = self.store.rows("SELECT seed, data, sig FROM prekeys")
        return {SignedPrekey(r["data"], r["sig"]).prekey_hash: r["seed"] for r in rows}

    def renew_prekey(self) -> None:
        """Publish a new prekey when the newest is a week old (docs/protocol.md §4)."""
        row = self.store.row("SELECT * FROM prekeys ORDER BY seq DESC LIMIT 1")
        if row is None or now_ms() - parse_prekey(row["data"]).created < PREKEY_RENEWAL_MS:
            return
        seq = row["seq"] + 1
        seed, prekey = new_prekey(self.device, seq=seq, created=now_ms())
        keep_prekey(self.store, seq, seed, prekey, now_ms())
        self.server.post(
            "/api/prekeys", {"prekey": b64(prekey.data), "prekey_sig": b64(prekey.sig)}
        )

    def history_writer(self) -> HistoryWriter:
        """What history records of this account are sealed with.

        When the own list names another backup key than this home has, the recovery key was renewed
        elsewhere: the server gives the key, the list judges it. ``recovery`` for any other.
        """
        kept = self.store.fact("device")
        backup, own = unb64(kept["bk_pub"]), self.list_of(self.device.user)
        known = kept.get("bk_version", 1)
        if h("bk", backup) != own.bk_hash:
            self.refresh(self.device.user)  # the server gives out the newest key only
            own = self.list_of(self.device.user)
            backup = unb64(self.server.get("/api/me/backup-key")["bk_pub"])
        writer = history_writer(self.device, own, backup, known)
        keep_backup_key(self.store, writer)
        return writer


def keep_backup_key(store: Store, writer: HistoryWriter) -> None:
    """Keep the key that history is written to; its version never falls."""
    kept = store.fact("device")
    backup = {"bk_pub": b64(writer.bk_pub), "bk_version": writer.bk_version}
    if any(kept.get(name) != value for name, value in backup.items()):
        store.remember("device", {**kept, **backup})


def keep_pins(store: Store, pins: Sequence[Pin]) -> None:
    """Keep what the linking device knew of people: it counts until they are met."""
    rows = [[b64(p.user), b64(p.amk_pub), p.version, b64(p.list_hash)] for p in pins]
    store.remember(LINKED_PINS, rows or None)


def _demand_known(lists: Sequence[SignedDeviceList], pin: Pin) -> None:
    """Refuse lists that do not lead over the one which the linking device had verified (§3.3)."""
    if any(signed.list_hash == pin.list_hash for signed in lists):
        return
    if all(parse_device_list(signed.data).version < pin.version for signed in lists):
        raise ListRollbackError("an older list than the linking device knew")
    raise ListForkError("another list than the linking device knew")


def _is_list_of(signed: SignedDeviceList, user: bytes, amk_pub: bytes) -> bool:
    try:
        verify_device_list(signed, user, amk_pub)
    except ProtocolError:
        return False
    return True


def _lists_in(answer: JSON) -> list[SignedDeviceList]:
    return [
        SignedDeviceList(unb64(item["device_list"]), unb64(item["list_sig"]))
        for item in sorted(answer["lists"], key=lambda item: int(item["version"]))
    ]


def keep_prekey(store: Store, seq: int, seed: bytes, prekey: SignedPrekey, now: int) -> None:
    """Keep the secret of an own prekey, before anybody can wrap to it."""
    store.run("INSERT INTO prekeys VALUES (?, ?, ?, ?)", seq, seed, prekey.data, prekey.sig)


def keep_list(
    store: Store, user: bytes, amk_pub: bytes, signed: SignedDeviceList, version: int
) -> None:
    """Keep a list that has verified as the newest of its account, and pin the account key."""
    insert_list(store, user, signed, version)
    store.run(
        "INSERT OR REPLACE INTO accounts VALUES (?, ?, ?, ?)",
        user,
        amk_pub,
        version,
        signed.list_hash,
    )
