"""Vectors of docs/protocol.md §8.9 and §10: the own room, its notes, and comparing codes."""

from collections.abc import Iterator, Mapping
from typing import Any

from crypto_client.encoding import dump_json, lp, lp_split
from crypto_client.encoding import encode_base64url as b64
from crypto_client.own_room import DeviceName, VerifiedMark, own_origin
from crypto_client.roster import direct_origin, group_origin
from crypto_client.safety import safety_code
from crypto_client.vectors.case import Case
from crypto_client.vectors.cast import Person, World, seeded

LOW, HIGH, GONE = b"\x01" * 16, b"\x02" * 16, b"\x00" * 16


def cases(cast: World) -> Iterator[tuple[str, Case]]:
    """Give every case with its topic."""
    yield from (("own-room", case) for case in _origins(cast))
    notes = _Notes(cast)
    for group in (notes.places(), notes.ignored(), notes.shapes()):
        yield from (("own-room", case) for case in group)
    yield from (("safety", case) for case in _codes(cast))


def _with(data: bytes, at: int, value: bytes) -> bytes:
    fields = lp_split(data)
    fields[at] = value
    return lp(*fields)


def _origins(cast: World) -> Iterator[Case]:
    alice, mallory = cast.alice, cast.mallory
    keys = (alice.user, alice.account.public, alice.keys.device)
    good = own_origin(*keys, random=seeded("own room")).data

    def case(name: str, comment: str, data: bytes, expect: str = "ok", **other: Any) -> Case:
        whose = {"user": b64(alice.user), "amk_pub": b64(alice.account.public), **other}
        return Case(name, comment, "8.9", "own_origin", {"data": b64(data), **whose}, expect)

    yield case("origin", "an own room", good)
    theirs = _with(_with(good, 3, mallory.user), 4, mallory.account.public)
    yield case("origin-of-other-account", "mallory's, with alice's nonce", theirs)
    yield case("origin-read-by-other-key", "the account has another key now", good,
               amk_pub=b64(mallory.account.public))  # fmt: skip
    yield case("origin-group", "any group", group_origin(*keys, random=seeded("group")).data)
    nonce = lp_split(good)[-1]
    other_salt = _with(good, 6, bytes(16) + nonce[16:])
    yield case("origin-other-salt", "the nonce is one piece", other_salt)
    pairs = ((p.user, p.account.public) for p in (alice, mallory))
    yield case("origin-direct", "a room of two", direct_origin(*pairs).data)
    yield case("origin-nonce-31", "a short nonce", _with(good, 6, nonce[:31]), "parse")
    yield case("origin-suite-2", "another suite", _with(good, 1, b"\x02"), "suite")
    yield case("origin-trailing-byte", "bytes after it", good + b"\x00", "parse")


class _Notes:
    """Alice notes what she compared with bob, and what her devices are called."""

    def __init__(self, cast: World) -> None:
        self.alice, self.mallory = cast.alice, cast.mallory
        bob = cast.bob
        self.mark = VerifiedMark(bob.user, bob.account.public, True).members()
        self.cleared = {**self.mark, "set": False}
        self.name = DeviceName(self.alice.keys.device, "부엌 노트북").members()

    def case(
        self,
        name: str,
        comment: str,
        *notes: tuple[bytes, int, Mapping[str, Any]],
        expect: str = "ok",
        author: Person | None = None,
    ) -> Case:
        """Let notes arrive in this order."""
        by = b64((author or self.alice).user)
        given = {
            "user": b64(self.alice.user),
            "rooms": [b64(LOW), b64(HIGH)],
            "notes": [[b64(room), seq, by, b64(dump_json(body))] for room, seq, body in notes],
        }
        return Case(name, comment, "8.9", "own_notes", given, expect)

    def places(self) -> Iterator[Case]:
        """Which of several notes counts."""
        case, mark, cleared, name = self.case, self.mark, self.cleared, self.name
        yield case("notes", "one of each", (LOW, 2, mark), (LOW, 3, name))
        yield case("note-later", "the later place", (LOW, 2, mark), (LOW, 3, cleared))
        yield case("note-later-first", "in whatever order", (LOW, 3, cleared), (LOW, 2, mark))
        why = "the lowest room, however late the other"
        yield case("note-lowest-room", why, (LOW, 2, mark), (HIGH, 9, cleared))
        yield case("note-lowest-room-last", why, (HIGH, 9, cleared), (LOW, 2, mark))
        why = "a room that is gone counts after all others"
        yield case("note-room-gone", why, (GONE, 9, cleared), (HIGH, 2, mark))
        yield case("note-name-taken-away", "an empty name", (LOW, 2, name),
                   (LOW, 3, {**name, "name": ""}))  # fmt: skip

    def ignored(self) -> Iterator[Case]:
        """What is no note for this reader."""
        later = {"type": "own", "about": "wallpaper", "colour": 3}
        yield self.case("note-about-something-newer", "left alone", (LOW, 2, later))
        text = {"type": "text", "text": "hello"}
        yield self.case("note-text", "no note at all", (LOW, 2, text))

    def shapes(self) -> Iterator[Case]:
        """Notes that are not what they say."""
        mark, name = self.mark, self.name
        rows: list[tuple[str, str, Mapping[str, Any]]] = [
            ("note-without-about", "about what?", {"type": "own"}),
            ("note-about-1", "not a word", {**mark, "about": 1}),
            ("note-user-15", "a short id", {**mark, "user": b64(bytes(15))}),
            ("note-account-31", "a short key", {**mark, "account": b64(bytes(31))}),
            ("note-account-null", "no key", {**mark, "account": None}),
            ("note-set-1", "neither true nor false", {**mark, "set": 1}),
            ("note-device-17", "a long id", {**name, "device": b64(bytes(17))}),
            ("note-name-129", "a long name", {**name, "name": "n" * 129}),
            ("note-name-two-lines", "one line", {**name, "name": "a\nb"}),
            ("note-name-null", "no name", {**name, "name": None}),
        ]
        for case, why, body in rows:
            yield self.case(case, why, (LOW, 2, body), expect="body")
        yield self.case("note-by-other-account", "mallory notes nothing here", (LOW, 2, mark),
                        expect="reference", author=self.mallory)  # fmt: skip


def _codes(cast: World) -> Iterator[Case]:
    alice, bob, mallory = ((p.user, p.account.public) for p in (cast.alice, cast.bob, cast.mallory))
    good = safety_code(alice, bob)

    def case(name: str, comment: str, code: bytes | None, expect: str = "ok") -> Case:
        one, other = ([b64(part) for part in account] for account in (alice, bob))
        given = {"one": one, "other": other, "code": code and b64(code)}
        return Case(name, comment, "10", "safety_code", given, expect)

    yield case("code", "what alice's screen shows", None)
    yield case("code-same", "and bob's", safety_code(bob, alice))
    other_key = safety_code(alice, (bob[0], mallory[1]))
    yield case("code-other-key", "somebody is in between", other_key, "pin_mismatch")
    own_key = safety_code((alice[0], mallory[1]), bob)
    yield case("code-other-own-key", "bob was shown another alice", own_key, "pin_mismatch")
    yield case("code-other-person", "not bob", safety_code(alice, mallory), "reference")
    first, second = lp_split(good)[2:]
    swapped = lp(b"safety", b"\x01", second, first)
    yield case("code-swapped", "one set, one encoding", swapped, "parse")
    yield case("code-suite-2", "another suite", _with(good, 1, b"\x02"), "suite")
    yield case("code-label", "another object", _with(good, 0, b"direct"), "parse")
    yield case("code-cut", "a part of it", good[:-1], "parse")
