"""The account's next device list from this home: this device enters, or another one is revoked.

Both need the account key, and so the recovery secret; neither leaves anything of it behind.
"""

import uuid
from collections.abc import Callable

from crypto_client.client.failures import Refused, TimedOut, Unverified, Usage
from crypto_client.client.keys import (
    device_from_json,
    device_to_json,
    keep_list,
    keep_prekey,
    now_ms,
)
from crypto_client.client.server import JSON, Server, b64, unb64
from crypto_client.client.store import Store
from crypto_client.device_list import SignedDeviceList, list_with, list_without
from crypto_client.identity import DeviceKeys, new_device
from crypto_client.linking import Answered
from crypto_client.prekeys import SignedPrekey, new_prekey
from crypto_client.recovery import SignedBlob
from crypto_client.restoring import OwnAccount, Restored, restore_account
from crypto_client.slips import Typed

ATTEMPTS = 4
ENTERING = "entering"
MakeList = Callable[[Restored], SignedDeviceList]


def open_account(server: Server, store: Store, typed: Typed) -> Restored:
    """Open the signed-in person's account, and remember how new its blob was.

    A server that hands out an older blob than it names itself, or than this home has seen, gets
    ``recovery``; other lists than those verified before, ``list_rollback`` or ``list_fork``.
    """
    me = server.get("/api/me")
    if me["account_key"] is None:
        raise Refused("keys_missing")
    known = max(store.fact("recovery_version") or 0, me["recovery_version"] or 0)
    restored = restore_account(
        _fetch(server, me), secret=typed.secret, code=typed.code, known_version=known
    )
    _keep_own_lists(store, restored)
    store.remember("recovery_version", restored.recovered.version)
    return restored


def _fetch(server: Server, me: JSON) -> OwnAccount:
    user = uuid.UUID(me["user_id"])
    blob = server.get("/api/me/recovery")
    keys = server.user_keys(user, after_version=0)
    lists = sorted(keys["lists"], key=lambda item: int(item["version"]))
    return OwnAccount(
        user.bytes,
        unb64(me["account_key"]),
        SignedBlob(unb64(blob["recovery_blob"]), unb64(blob["recovery_sig"])),
        tuple(
            SignedDeviceList(unb64(item["device_list"]), unb64(item["list_sig"])) for item in lists
        ),
        carries_in(blob),
    )


def carries_in(recovery: JSON) -> dict[int, bytes]:
    """The carried seeds of an answer of ``GET /api/me/recovery``, by ``bk_version``."""
    return {item["bk_version"]: unb64(item["carry"]) for item in recovery["carries"]}


def _keep_own_lists(store: Store, restored: Restored) -> None:
    """Keep every own list and pin the own key; what was known before must be among them."""
    account = restored.recovered.account
    hashes = []
    with store.transaction():
        row = store.row("SELECT version, list_hash FROM accounts WHERE user = ?", account.user)
        for signed, opened in zip(restored.signed, restored.lists, strict=True):
            keep_list(store, account.user, account.public, signed, opened.version)
            hashes.append(signed.list_hash)
        if row is not None and row["version"] > len(hashes):
            raise Unverified("list_rollback")
        if row is not None and hashes[row["version"] - 1] != row["list_hash"]:
            raise Unverified("list_fork")


def make_device_here(store: Store, restored: Restored) -> DeviceKeys:
    """The keys with which this home will enter; on disk before anybody hears of them.

    A run that was interrupted finds those of the first time: it must not enter twice.
    """
    kept = store.fact(ENTERING) or store.fact("device")
    account = restored.recovered.account
    if kept is not None:
        if unb64(kept["user"]) != account.user:
            raise Usage("home_of_another_account")
        return device_from_json(kept)
    device = new_device(account.user, account.public, now_ms())
    seed, prekey = new_prekey(device, seq=1, created=now_ms())
    with store.transaction():
        backup = {"bk_pub": b64(restored.bk_pub), "bk_version": restored.recovered.bk_version}
        store.remember(ENTERING, {**device_to_json(device), **backup})
        keep_prekey(store, 1, seed, prekey, now_ms())
    return device


def enter(server: Server, store: Store, typed: Typed, restored: Restored) -> None:
    """Publish the list that names this home's device, and make it the home's own.

    `Refused` with ``device_limit`` when 32 devices are listed already.
    """
    device = make_device_here(store, restored)
    row = store.row("SELECT data, sig FROM prekeys WHERE seq = 1")
    first = [SignedPrekey(row["data"], row["sig"])] if row else []

    def make(now: Restored) -> SignedDeviceList:
        try:
            account = now.recovered.account
            return list_with(account, now.newest, device.entry(), time=now_ms())
        except ValueError:
            raise Refused("device_limit") from None

    if restored.lists[-1].entry(device.device) is None:
        _publish(server, store, typed, restored, make, first)
    with store.transaction():
        store.remember("device", store.fact(ENTERING) or store.fact("device"))
        store.remember(ENTERING, None)


def admit(
    server: Server,
    store: Store,
    typed: Typed,
    answer: Callable[[Restored], Answered],
    prekey: SignedPrekey,
) -> bytes:
    """Publish the list with a device that this one links; gives what to answer it."""
    made: list[Answered] = []

    def make(now: Restored) -> SignedDeviceList:
        made.append(answer(now))
        return made[-1].devices

    _publish(server, store, typed, open_account(server, store, typed), make, [prekey])
    return made[-1].answer


def revoke(server: Server, store: Store, typed: Typed, device: bytes) -> None:
    """Publish the list without a device; ``not_found`` when the newest list does not name it."""

    def make(now: Restored) -> SignedDeviceList:
        try:
            return list_without(now.recovered.account, now.newest, device, time=now_ms())
        except ValueError:
            raise Refused("not_found") from None

    _publish(server, store, typed, open_account(server, store, typed), make, [])


def _publish(
    server: Server,
    store: Store,
    typed: Typed,
    restored: Restored,
    make: MakeList,
    prekeys: list[SignedPrekey],
) -> None:
    """Hand in the next list; when another device was quicker, once more on top of its list."""
    for _ in range(ATTEMPTS):
        signed = make(restored)
        try:
            server.post("/api/me/device-lists", _body(signed, prekeys))
        except Refused as refusal:
            if refusal.code != "list_version":
                raise
            restored = open_account(server, store, typed)
            continue
        account = restored.recovered.account
        keep_list(store, account.user, account.public, signed, restored.lists[-1].version + 1)
        return
    raise TimedOut("list_race")


def _body(signed: SignedDeviceList, prekeys: list[SignedPrekey]) -> JSON:
    return {
        "device_list": b64(signed.data),
        "list_sig": b64(signed.sig),
        "prekeys": [{"prekey": b64(each.data), "prekey_sig": b64(each.sig)} for each in prekeys],
    }
