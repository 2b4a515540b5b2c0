"""Vectors of docs/protocol.md §3.5–3.7: who may say what of an account."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from crypto_client.account_statements import (
    DeviceWord,
    make_dispute,
    make_erase,
    make_suspend,
    make_veto,
)
from crypto_client.device_list import SignedDeviceList, next_device_list
from crypto_client.encoding import SUITE_BYTE, dump_json, lp, lp_split, u64
from crypto_client.encoding import encode_base64url as b64
from crypto_client.identity import DeviceKeys, new_device
from crypto_client.primitives import h, sign
from crypto_client.profiles import SignedProfile, make_profile
from crypto_client.succession import (
    RESET_WAIT_MS,
    SUCCEED_MS,
    SignedReset,
    Succession,
    make_reset,
    make_succession,
)
from crypto_client.vectors.case import Case, signed_in
from crypto_client.vectors.cast import NOW, person, seeded

_DAY = 24 * 3600 * 1000
_ROOM, _MESSAGE = b"\x05" * 16, b"\x06" * 16


def cases() -> Iterator[tuple[str, Case]]:
    """Give every case with its topic."""
    account = _Account()
    groups = {
        "suspend": _suspensions(account),
        "dispute": [*_disputes(account), *_refreshes()],
        "erase": _erasures(account),
        "reset": _resets(account),
        "succession": _successions(account),
        "profile": _profiles(account),
    }
    for topic, group in groups.items():
        yield from ((topic, case) for case in group)


class _Account:
    """Alice's phone, then her laptop, then a list by a thief who drops the phone."""

    def __init__(self) -> None:
        self.alice, self.mallory = person("alice"), person("mallory")
        alice = self.alice
        self.phone = alice.keys
        self.laptop = self._device("laptop")
        self.thief = self._device("thief")
        self.tablet = self._device("tablet")
        first = alice.devices
        tablet_first = self._after(first, self.phone, self.tablet)
        second = self._after(tablet_first, self.phone, self.laptop)
        third = self._after(second, self.laptop, self.thief)
        self.lists = [first, tablet_first, second, third]

    def _device(self, name: str) -> DeviceKeys:
        return new_device(self.alice.user, self.alice.account.public, NOW, seeded(name))

    def _after(self, before: SignedDeviceList, *devices: DeviceKeys) -> SignedDeviceList:
        rows = [keys.entry() for keys in devices]
        return next_device_list(self.alice.account, before, rows, time=NOW)

    def seen(self, *days: int) -> list[Any]:
        """Say how many days ago a reader first saw the first, second, … list."""
        pairs = zip(self.lists, days, strict=False)
        return [[signed_in(signed), NOW - ago * _DAY] for signed, ago in pairs]


def _moved(word: DeviceWord, **changes: Any) -> bytes:
    return replace(word, **changes).encode()


def _odd_shapes(name: str, data: bytes) -> Iterator[tuple[str, str, bytes, str]]:
    fields = lp_split(data)
    yield f"{name}-label", "another label", lp(b"other", *fields[1:]), "parse"
    yield f"{name}-suite-2", "an unknown suite", lp(fields[0], b"\x02", *fields[2:]), "suite"
    yield f"{name}-trailing-byte", "a byte more", data + b"\0", "parse"
    yield f"{name}-field-missing", "a field less", lp(*fields[:-1]), "parse"


def _suspensions(a: _Account) -> Iterator[Case]:
    word = make_suspend(a.phone, a.laptop.device, time=NOW)
    good = word.encode()
    own = make_suspend(a.phone, a.phone.device, time=NOW).encode()
    stranger = make_suspend(a.mallory.keys, a.laptop.device, time=NOW).encode()
    dropped = make_suspend(a.tablet, a.laptop.device, time=NOW).encode()
    absent = make_suspend(a.phone, a.tablet.device, time=NOW).encode()
    other = _moved(word, subject=(a.phone.device, u64(NOW)))
    later = _moved(word, subject=(a.laptop.device, u64(NOW + 1)))
    borrowed = _moved(word, signer=a.laptop.device)
    rows = [
        ("suspend", "a lost laptop", good, "ok"),
        ("suspend-oneself", "who has no key to revoke with", own, "ok"),
        ("suspend-by-foreign-device", "of another account", stranger, "dispute"),
        ("suspend-by-dropped-device", "no longer listed", dropped, "dispute"),
        ("suspend-absent-device", "nothing to suspend", absent, "reference"),
        ("suspend-other-device", "signed for another device", other, "signature"),
        ("suspend-other-time", "signed at another time", later, "signature"),
        ("suspend-borrowed-name", "signed by another than it names", borrowed, "signature"),
        *_odd_shapes("suspend", good),
    ]
    for name, comment, data, expect in rows:
        given = {"data": b64(data), "device_list": b64(a.lists[2].data)}
        yield Case(name, comment, "3.5", "suspend", given, expect)


def _disputes(a: _Account) -> Iterator[Case]:
    bad = a.lists[3].list_hash
    word = make_dispute(a.phone, bad)
    lately = a.seen(90, 80, 10, 1)
    rows: list[tuple[str, str, bytes, list[Any], str]] = [
        ("dispute", "the phone that was dropped", word.encode(), lately, "ok"),
        ("dispute-by-listed", "a device of the list", _by(a.laptop, bad), lately, "ok"),
        ("dispute-by-dropped-lately", "the tablet, dropped 10 days ago", _by(a.tablet, bad),
         lately, "ok"),
        ("dispute-by-dropped-long-ago", "more than 30 days", _by(a.tablet, bad),
         a.seen(90, 80, 31, 1), "dispute"),
        ("dispute-on-day-30", "not yet too late", _by(a.tablet, bad), a.seen(90, 80, 30, 1), "ok"),
        ("dispute-by-never-listed", "a stranger", _by(a.mallory.keys, bad), lately, "dispute"),
        ("dispute-by-later-device", "not listed yet", _by(a.thief, a.lists[2].list_hash), lately,
         "dispute"),
        ("dispute-other-list-hash", "signed for another list",
         _moved(word, subject=(a.lists[2].list_hash,)), lately, "signature"),
        ("dispute-unknown-list", "of a list not at hand", word.encode(), a.seen(90, 80, 10),
         "reference"),
        *((n, c, d, lately, e) for n, c, d, e in _odd_shapes("dispute", word.encode())),
    ]  # fmt: skip
    for name, comment, data, lists, expect in rows:
        given = {"data": b64(data), "lists": lists, "now": NOW}
        yield Case(name, comment, "3.5", "dispute", given, expect)


def _by(keys: DeviceKeys, list_hash: bytes) -> bytes:
    return make_dispute(keys, list_hash).encode()


def _refreshes() -> Iterator[Case]:
    rows = [
        ("refresh-undisputed", "nobody objects", 4, [], "ok"),
        ("refresh-before-dispute", "to an older list than the disputed one", 3, [4], "ok"),
        ("refresh-to-disputed", "to the disputed list", 4, [4], "dispute"),
        ("refresh-past-dispute", "to one that follows it", 5, [4, 9], "dispute"),
    ]
    for name, comment, version, disputed, expect in rows:
        given = {"version": version, "disputed": disputed}
        yield Case(name, comment, "3.5", "automatic_refresh", given, expect)


def _erasures(a: _Account) -> Iterator[Case]:
    word = make_erase(a.phone, _ROOM, a.phone.device, _MESSAGE)
    good = word.encode()
    by_laptop = make_erase(a.laptop, _ROOM, a.phone.device, _MESSAGE).encode()
    other_device = make_erase(a.phone, _ROOM, a.laptop.device, _MESSAGE).encode()
    other_room = make_erase(a.phone, b"\x09" * 16, a.phone.device, _MESSAGE).encode()
    other_id = make_erase(a.phone, _ROOM, a.phone.device, b"\x09" * 16).encode()
    stranger = make_erase(a.mallory.keys, _ROOM, a.phone.device, _MESSAGE).encode()
    rows = [
        ("erase", "by the device that wrote it", good, "ok"),
        ("erase-by-other-device-same-account", "by the owner's laptop", by_laptop, "ok"),
        ("erase-for-other-device", "a message of another device", other_device, "reference"),
        ("erase-other-room", "a message of another room", other_room, "reference"),
        ("erase-other-message", "another message", other_id, "reference"),
        ("erase-by-other-account", "not the author", stranger, "dispute"),
        ("erase-borrowed-name", "signed by another than it names",
         _moved(word, signer=a.laptop.device), "signature"),
        *_odd_shapes("erase", good),
    ]  # fmt: skip
    for name, comment, data, expect in rows:
        given = {
            "data": b64(data),
            "room": b64(_ROOM),
            "device": b64(a.phone.device),
            "msg_id": b64(_MESSAGE),
            "device_list": b64(a.lists[2].data),
        }
        yield Case(name, comment, "3.5", "erase", given, expect)


class _Resets:
    """Somebody with alice's mailbox asks for a new account key."""

    def __init__(self, a: _Account) -> None:
        self.a, self.old = a, a.alice.account.public
        self.account = replace(a.mallory.account, user=a.alice.user)
        self.good = make_reset(self.account, self.old, time=NOW, random=seeded("reset"))

    def case(
        self, name: str, comment: str, signed: SignedReset, expect: str = "ok", **more: Any
    ) -> Case:
        given = {
            **signed_in(SignedDeviceList(signed.data, signed.sig)),
            "user": b64(self.a.alice.user),
            "amk_pub": b64(self.old),
            "device_list": b64(self.a.lists[2].data),
            "veto": None,
            "announced": NOW,
            "now": NOW + 1,
            "has_live_device": True,
            **more,
        }
        return Case(name, comment, "3.6", "reset", given, expect)

    def states(self) -> Iterator[Case]:
        good, case = self.good, self.case
        last = NOW + RESET_WAIT_MS
        yield case("reset-waiting", "the devices may still object", good, now=last - 1)
        yield case("reset-due", "72 hours without an objection", good, now=last)
        yield case("reset-without-device", "nobody could object", good, has_live_device=False)

    def vetoes(self) -> Iterator[Case]:
        a, good, case = self.a, self.good, self.case
        veto = make_veto(a.phone, good.reset_id)
        yield case("reset-vetoed", "one device objects", good, veto=b64(veto.encode()))
        foreign = b64(make_veto(a.mallory.keys, good.reset_id).encode())
        why = "a device of another account"
        yield case("reset-veto-by-foreign-device", why, good, "dispute", veto=foreign)
        dropped = b64(make_veto(a.tablet, good.reset_id).encode())
        why = "a device that is no longer listed"
        yield case("reset-veto-by-dropped-device", why, good, "dispute", veto=dropped)
        after = make_reset(self.account, self.old, time=NOW, random=seeded("next reset"))
        old = b64(veto.encode())
        yield case("veto-replayed-for-next-reset", "of the reset before", after, "reference",
                   veto=old)  # fmt: skip
        renamed = b64(_moved(veto, subject=(after.reset_id,)))
        yield case("veto-renamed", "signed for another reset", after, "signature", veto=renamed)
        for name, comment, data, expect in _odd_shapes("veto", veto.encode()):
            yield case(name, comment, good, expect, veto=b64(data))

    def owners(self) -> Iterator[Case]:
        good, case, alice = self.good, self.case, self.a.alice
        mallory = b64(self.a.mallory.user)
        yield case("reset-other-user", "another account", good, "pin_mismatch", user=mallory)
        key = b64(self.a.mallory.account.public)
        yield case("reset-other-key", "not the pinned key", good, "pin_mismatch", amk_pub=key)
        by_old = SignedReset(good.data, sign(alice.account.seed, "reset", good.reset_id))
        yield case("reset-signed-by-old-key", "the new key's owner", by_old, "signature")
        same = make_reset(alice.account, self.old, time=NOW, random=seeded("same"))
        yield case("reset-to-same-key", "nothing changes", same, "parse")
        for name, comment, data, expect in _odd_shapes("reset", good.data):
            signed = SignedReset(data, sign(self.account.seed, "reset", h("reset", data)))
            yield case(name, comment, signed, expect)


def _resets(a: _Account) -> Iterator[Case]:
    resets = _Resets(a)
    yield from resets.states()
    yield from resets.vetoes()
    yield from resets.owners()


class _Successions:
    """Alice renews her account key from her newest list, number 3."""

    def __init__(self, a: _Account) -> None:
        self.a, self.account = a, a.alice.account
        self.new = replace(a.mallory.account, user=a.alice.user).public
        self.good = make_succession(self.account, a.phone, self.new, version=3)

    def case(self, name: str, comment: str, data: bytes, expect: str = "ok", **more: Any) -> Case:
        given = {
            "data": b64(data),
            "lists": self.a.seen(90, 80, 10),
            "user": b64(self.account.user),
            "amk_pub": b64(self.account.public),
            "now": NOW,
            **more,
        }
        return Case(name, comment, "3.6", "succession", given, expect)

    def changes(self) -> Iterator[Case]:
        a, case, good = self.a, self.case, self.good.encode()
        yield case("succeed", "renewed by the owner", good)
        nobody = make_succession(self.account, None, self.new, version=3).encode()
        yield case("succeed-without-device", "counts as a reset", nobody)
        recent = make_succession(self.account, a.laptop, self.new, version=3).encode()
        new = a.seen(90, 80, 6)
        yield case("succeed-device-too-new", "listed for six days: a reset", recent, lists=new)
        week = [*a.seen(90, 80), [signed_in(a.lists[2]), NOW - SUCCEED_MS]]
        yield case("succeed-device-a-week-old", "just long enough", recent, lists=week)
        dropped = make_succession(self.account, a.tablet, self.new, version=3).encode()
        yield case("succeed-dropped-device", "counts as a reset", dropped)
        first = [[signed_in(a.lists[2]), NOW]]
        yield case("succeed-first-contact", "who sees all for the first time", good, lists=first)

    def refusals(self) -> Iterator[Case]:
        a, case, good = self.a, self.case, self.good
        mallory = a.mallory.account
        by_mallory = sign(mallory.seed, "succeed", good.signed_content())
        yield case("succeed-wrong-signer", "not the old key", self._with(sig=by_mallory),
                   "signature")  # fmt: skip
        as_device = sign(self.account.seed, "succeed-device", good.signed_content())
        yield case("succeed-device-by-account-key", "the device has to agree",
                   self._with(device_sig=as_device), "signature")  # fmt: skip
        yield case("succeed-other-key", "signed for another key",
                   self._with(amk_new=person("bob").account.public), "signature")  # fmt: skip
        same = make_succession(self.account, a.phone, self.account.public, version=3)
        yield case("succeed-to-same-key", "nothing changes", same.encode(), "parse")
        old = make_succession(self.account, a.phone, self.new, version=2).encode()
        yield case("succeed-from-older-list", "a list came since", old, "list_rollback")
        ahead = make_succession(self.account, a.phone, self.new, version=4).encode()
        yield case("succeed-from-newer-list", "a list is missing", ahead, "reference")
        other = b64(a.mallory.user)
        yield case("succeed-other-user", "another account", good.encode(), "pin_mismatch",
                   user=other)  # fmt: skip
        yield case("succeed-half-a-device", "a name without a signature",
                   self._with(device_sig=b""), "parse")  # fmt: skip
        for name, comment, data, expect in _odd_shapes("succeed", good.encode()):
            yield case(name, comment, data, expect)

    def _with(self, **changes: Any) -> bytes:
        changed: Succession = replace(self.good, **changes)
        return changed.encode()


def _successions(a: _Account) -> Iterator[Case]:
    successions = _Successions(a)
    yield from successions.changes()
    yield from successions.refusals()


def _profiles(a: _Account) -> Iterator[Case]:
    good = make_profile(a.phone, version=2, time=NOW, name="앨리스", status="hi")
    older = make_profile(a.phone, version=1, time=NOW, name="Alice")
    twin = make_profile(a.laptop, version=2, time=NOW, name="Alice")
    less, more = sorted((good, twin), key=lambda signed: signed.profile_hash)
    foreign = SignedProfile(good.data, a.mallory.keys.device,
                            a.mallory.keys.sign("profile", good.profile_hash))  # fmt: skip
    rows: list[tuple[str, str, SignedProfile, SignedProfile | None, str]] = [
        ("profile", "the first one seen", good, None, "ok"),
        ("profile-again", "nothing new", good, good, "ok"),
        ("profile-changed", "shown as a change", good, older, "ok"),
        ("profile-older", "a name of before", older, good, "list_rollback"),
        ("profile-two-of-one-version", "the greater hash counts", more, less, "ok"),
        ("profile-two-of-one-version-less", "and the other does not", less, more, "list_rollback"),
        ("profile-signed-by-foreign-device", "a stranger's device", foreign, None, "signature"),
        ("profile-signed-by-dropped-device", "no longer listed",
         make_profile(a.tablet, version=2, time=NOW, name="Alice"), None, "signature"),
        ("profile-signed-by-other-listed", "another than it names",
         replace(good, device=a.laptop.device), None, "signature"),
        ("profile-of-other-account", "mallory's",
         make_profile(a.mallory.keys, version=2, time=NOW, name="Alice"), None, "pin_mismatch"),
    ]  # fmt: skip
    for name, comment, signed, known, expect in [*rows, *_odd_profiles(a, good)]:
        yield Case(name, comment, "3.7", "profile", _profile_in(a, signed, known), expect)


def _profile_in(a: _Account, signed: SignedProfile, known: SignedProfile | None) -> dict[str, Any]:
    version = known and int.from_bytes(lp_split(known.data)[4], "big")
    return {
        "data": b64(signed.data),
        "device": b64(signed.device),
        "sig": b64(signed.sig),
        "device_list": b64(a.lists[2].data),
        "known": known and {"version": version, "profile_hash": b64(known.profile_hash)},
    }


def _odd_profiles(
    a: _Account, good: SignedProfile
) -> Iterator[tuple[str, str, SignedProfile, None, str]]:
    def signed(data: bytes) -> SignedProfile:
        return SignedProfile(data, a.phone.device, a.phone.sign("profile", h("profile", data)))

    fields = lp_split(good.data)
    bodies: list[tuple[str, str, Any]] = [
        ("profile-without-name", "a name is needed", {"status": "x"}),
        ("profile-empty-name", "a name is needed", {"name": ""}),
        ("profile-name-257", "too long", {"name": "n" * 257}),
        ("profile-name-two-lines", "one line", {"name": "a\nb"}),
        ("profile-name-number", "not a string", {"name": 1}),
        ("profile-status-null", "not a string", {"name": "a", "status": None}),
        ("profile-not-object", "a list", ["a"]),
    ]
    for name, comment, body in bodies:
        data = lp(*fields[:-1], dump_json(body))
        yield name, comment, signed(data), None, "body"
    version_0 = lp(*fields[:4], u64(0), *fields[5:])
    yield "profile-version-0", "counting starts at 1", signed(version_0), None, "parse"
    suite_2 = lp(fields[0], b"\x02", *fields[2:])
    yield "profile-suite-2", "an unknown suite", signed(suite_2), None, "suite"
    label = lp(b"profiles", SUITE_BYTE, *fields[2:])
    yield "profile-label", "another label", signed(label), None, "parse"
