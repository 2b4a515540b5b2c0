"""Vectors of docs/protocol.md §3 and §4: device lists, device proofs, prekeys."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from crypto_client.device_list import SignedDeviceList, next_device_list, parse_device_list
from crypto_client.encoding import SUITE_BYTE, lp, lp_split
from crypto_client.encoding import encode_base64url as b64
from crypto_client.identity import DeviceEntry, device_id, device_proof, new_device
from crypto_client.prekeys import LIFETIME_MS, Prekey, SignedPrekey, parse_prekey, sign_prekey
from crypto_client.primitives import h, sign
from crypto_client.vectors.case import Case, signed_in
from crypto_client.vectors.cast import NOW, Person, person, seeded

_DAY = 24 * 3600 * 1000


def cases() -> Iterator[tuple[str, Case]]:
    """Give every case with its topic."""
    alice, mallory = person("alice"), person("mallory")
    groups = {
        "device-list": _lists(alice, mallory),
        "device-proof": _proofs(alice, mallory),
        "prekey": _prekeys(alice, mallory),
    }
    for topic, group in groups.items():
        yield from ((topic, case) for case in group)


def _signed_by(who: Person, data: bytes) -> SignedDeviceList:
    return SignedDeviceList(data, sign(who.account.seed, "devices", h("devices", data)))


class _Lists:
    """Alice's list and its successors, and what mallory and careless clients make of them."""

    def __init__(self, alice: Person, mallory: Person) -> None:
        self.alice, self.mallory = alice, mallory
        self.first = alice.devices
        self.content = parse_device_list(self.first.data)
        laptop = new_device(alice.user, alice.account.public, NOW, seeded("laptop"))
        both = [alice.keys.entry(), laptop.entry()]
        self.second = next_device_list(alice.account, self.first, both, time=NOW)
        self.third = next_device_list(alice.account, self.second, [laptop.entry()], time=NOW)

    def case(
        self,
        name: str,
        comment: str,
        signed: SignedDeviceList,
        expect: str = "ok",
        known: SignedDeviceList | None = None,
        between: tuple[SignedDeviceList, ...] = (),
    ) -> Case:
        """Let somebody who knows one list of alice's receive another."""
        version = known and {
            "version": parse_device_list(known.data).version,
            "list_hash": b64(known.list_hash),
        }
        given = {
            **signed_in(signed),
            "user": b64(self.alice.user),
            "amk_pub": b64(self.alice.account.public),
            "known": version,
            "between": [signed_in(item) for item in between],
        }
        return Case(name, comment, "3.3", "device_list", given, expect)

    def edited(self, **changes: Any) -> SignedDeviceList:
        """Change the first list and let alice sign it."""
        return _signed_by(self.alice, replace(self.content, **changes).encode())

    def successions(self) -> Iterator[Case]:
        """Which list may follow which."""
        case, first, second, third = self.case, self.first, self.second, self.third
        yield case("first", "one device", first)
        yield case("second", "a device joins the list", second, known=first)
        yield case("third", "a device is revoked", third, known=first, between=(second,))
        yield case("same-again", "nothing new", second, known=second)
        yield case("list-lower-version", "an old list", first, "list_rollback", second)
        later = replace(parse_device_list(second.data), time=NOW + 1)
        other = _signed_by(self.alice, later.encode())
        why = "two lists of one version"
        yield case("list-same-version-other-hash", why, other, "list_fork", second)
        broken = self.edited(version=2, prev_list_hash=bytes(31) + b"x")
        yield case("list-broken-prev", "another predecessor", broken, "list_fork", first)
        yield case("list-gap", "one in between is not at hand", third, "reference", first)

    def owners(self) -> Iterator[Case]:
        """Whose list it is."""
        mallory = self.mallory
        forged = _signed_by(mallory, self.first.data)
        yield self.case("list-signed-by-other-amk", "not the owner", forged, "signature")
        theirs = mallory.devices
        yield self.case("list-of-other-account", "another account", theirs, "pin_mismatch")
        new_key = replace(self.content, amk_pub=mallory.account.public)
        changed = _signed_by(mallory, new_key.encode())
        yield self.case("list-of-new-account-key", "the pin differs", changed, "pin_mismatch")

    def shapes(self) -> Iterator[Case]:
        """Rows in one order, versions from 1 on."""
        case, edited = self.case, self.edited
        entries = parse_device_list(self.second.data).entries
        yield case("list-unsorted", "descending", edited(entries=entries[::-1]), "parse")
        doubled = edited(entries=(entries[0], entries[0]))
        yield case("list-duplicate-device", "one device twice", doubled, "parse")
        yield case("list-empty", "no device", edited(entries=()), "parse")
        yield case("list-version-0", "counting starts at 1", edited(version=0), "parse")
        no_prev = edited(version=2)
        yield case("list-without-predecessor", "version 2 has one", no_prev, "parse")

    def consents(self) -> Iterator[Case]:
        """A device's id follows from its key, and it has agreed to be in the list."""
        case, edited, alice, mallory = self.case, self.edited, self.alice, self.mallory
        row = self.content.entries[0]
        agreed = lp(SUITE_BYTE, alice.user, alice.account.public, b"\x07" * 16)
        accept = alice.keys.sign("device-accept", agreed)
        chosen = replace(row, device=b"\x07" * 16, accept=accept)
        yield case("device-id-not-derived", "chosen", edited(entries=(chosen,)), "signature")
        missing = replace(row, accept=bytes(64))
        yield case("accept-missing", "no consent", edited(entries=(missing,)), "signature")
        device = device_id(alice.user, mallory.keys.dsk_pub)
        entry = DeviceEntry(device, mallory.keys.dsk_pub, mallory.keys.accept, NOW)
        stolen = edited(entries=(entry,))
        why = "somebody else's key under the own account"
        yield case("accept-for-other-user", why, stolen, "signature")
        identity = bytes([1]) + bytes(31)
        weak = DeviceEntry(device_id(alice.user, identity), identity, identity + bytes(32), NOW)
        why = "everything verifies under it with a lenient library"
        yield case("list-with-small-order-dsk", why, edited(entries=(weak,)), "signature")

    def encodings(self) -> Iterator[Case]:
        """Suite, label, length."""
        data = self.first.data
        suite = _signed_by(self.alice, lp(b"devices", b"\x02", *lp_split(data)[2:]))
        yield self.case("suite-2", "an unknown suite", suite, "suite")
        label = _signed_by(self.alice, lp(b"device", *lp_split(data)[1:]))
        yield self.case("label", "another label", label, "parse")
        more = _signed_by(self.alice, data + b"\0")
        yield self.case("trailing-byte", "one byte more", more, "parse")


def _lists(alice: Person, mallory: Person) -> Iterator[Case]:
    lists = _Lists(alice, mallory)
    yield from lists.successions()
    yield from lists.owners()
    yield from lists.shapes()
    yield from lists.consents()
    yield from lists.encodings()


def _proofs(alice: Person, mallory: Person) -> Iterator[Case]:
    origin, nonce = "https://chat.example:443", bytes(range(32))
    proof = device_proof(alice.keys, origin, nonce)

    def case(name: str, comment: str, expect: str = "signature", **changed: Any) -> Case:
        values: dict[str, Any] = {
            "proof": proof,
            "dsk_pub": alice.keys.dsk_pub,
            "origin": origin,
            "nonce": nonce,
            "user": alice.user,
            "device": alice.keys.device,
        }
        values.update(changed)
        given = {k: v if k == "origin" else b64(v) for k, v in values.items()}
        return Case(name, comment, "3.4", "device_proof", given, expect)

    local = "http://127.0.0.1:8000"
    yield case("auth", "a device proves itself", "ok")
    yield case(
        "auth-local",
        "a local server",
        "ok",
        origin=local,
        proof=device_proof(alice.keys, local, nonce),
    )
    yield case("auth-replayed-nonce", "the nonce of another connection", nonce=bytes(32))
    yield case("auth-other-origin", "another server", origin="https://evil.example:443")
    yield case("auth-other-port", "another port", origin="https://chat.example:8443")
    yield case("auth-without-port", "no port", "parse", origin="https://chat.example")
    yield case("auth-upper-case", "not lower case", "parse", origin="https://Chat.example:443")
    yield case("auth-other-device", "another's device", device=mallory.keys.device)
    yield case("auth-other-user", "another's account", user=mallory.user)
    yield case("auth-other-key", "another's key", dsk_pub=mallory.keys.dsk_pub)
    yield case("auth-nonce-31", "a short nonce", "parse", nonce=bytes(31))


def _prekeys(alice: Person, mallory: Person) -> Iterator[Case]:
    content = parse_prekey(alice.prekey.data)

    def case(
        name: str,
        comment: str,
        signed: SignedPrekey,
        expect: str = "prekey",
        now: int = NOW,
        floor: int = 0,
    ) -> Case:
        given = {
            "data": b64(signed.data),
            "sig": b64(signed.sig),
            "user": b64(alice.user),
            "entry": b64(alice.keys.entry().encode()),
            "now": now,
            "seq_floor": floor,
        }
        return Case(name, comment, "4", "prekey", given, expect)

    def edited(**changes: Any) -> SignedPrekey:
        return sign_prekey(alice.keys, replace(content, **changes))

    yield from _prekey_ages(case, edited, alice.prekey, content)
    yield case("prekey-kind-2", "a key for something else", edited(kind=2))
    yield from _prekey_signers(case, alice, mallory)
    yield from _prekey_publics(case, edited, content.public)
    yield from _prekey_suites(case, alice, content)


def _prekey_ages(
    case: Callable[..., Case],
    edited: Callable[..., SignedPrekey],
    prekey: SignedPrekey,
    content: Prekey,
) -> Iterator[Case]:
    yield case("prekey", "a usual prekey", prekey, "ok")
    yield case("prekey-same-seq", "not lower", prekey, "ok", floor=1)
    yield case("prekey-seq-rollback", "last month's prekey", prekey, floor=2)
    yield case("prekey-seq-0", "0 means none", edited(seq=0))
    last = content.expires + _DAY
    yield case("prekey-just-expired", "clocks differ by a day", prekey, "ok", now=last)
    yield case("prekey-expired", "too old", prekey, now=last + 1)
    long_lived = edited(expires=content.created + LIFETIME_MS + 1)
    yield case("prekey-lifetime", "more than 100 days", long_lived)
    yield case("prekey-expires-before-created", "no lifetime", edited(expires=NOW))


def _prekey_signers(case: Callable[..., Case], alice: Person, mallory: Person) -> Iterator[Case]:
    yield case("prekey-of-other-device", "another device's", mallory.prekey)
    by_account = replace(
        alice.prekey, sig=sign(alice.account.seed, "prekey", alice.prekey.prekey_hash)
    )
    why = "the account key does not sign prekeys"
    yield case("prekey-signed-by-amk", why, by_account, "signature")


def _prekey_publics(
    case: Callable[..., Case], edited: Callable[..., SignedPrekey], public: bytes
) -> Iterator[Case]:
    low = edited(public=public[:-32] + bytes(32))
    yield case("prekey-low-order-x25519", "no shared secret", low)
    out_of_range = edited(public=b"\xff" * 1184 + public[-32:])
    yield case("prekey-mlkem-out-of-range", "fails the modulus check", out_of_range)
    yield case("prekey-1215", "a short key", edited(public=public[:-1]), "parse")


def _prekey_suites(case: Callable[..., Case], alice: Person, content: Prekey) -> Iterator[Case]:
    fields = lp_split(content.encode())
    for suite in (b"\x00", b"\x02", b"\xff"):
        data = lp(fields[0], suite, *fields[2:])
        signed = SignedPrekey(data, alice.keys.sign("prekey", h("prekey", data)))
        yield case(f"suite-{suite[0]}", "an unknown suite", signed, "suite")
