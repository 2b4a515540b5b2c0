"""Vectors of docs/protocol.md §11: the tree, following a page, the newest list, a new log."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from crypto_client.encoding import encode_base64url as b64
from crypto_client.encoding import lp
from crypto_client.key_log import (
    DEVICE_LIST,
    DISPUTE,
    NO_LEAF,
    Frontier,
    Head,
    Leaf,
    LogStart,
    SignedHead,
    SignedLogStart,
    label_of,
    leaf_hash,
    parse_leaf,
)
from crypto_client.primitives import h, kdf, public_key, sign
from crypto_client.vectors.case import Case
from crypto_client.vectors.cast import NOW, Person, World, seeded

DAY_MS = 24 * 3600 * 1000
Given = dict[str, Any]


@dataclass
class ServerLog:
    """A server's side of a key log: what it has written, and its key."""

    seed: bytes
    number: int = 1
    before: bytes = b""
    signed_by: bytes = b""
    leaves: list[bytes] = field(default_factory=list)

    @property
    def start(self) -> SignedLogStart:
        """The log's beginning."""
        data = LogStart(self.number, public_key(self.seed), NOW, self.before).encode()
        return SignedLogStart(data, sign(self.signed_by or self.seed, "log", h("log", data)))

    def add(self, label: bytes, record_hash: bytes, **changed: Any) -> bytes:
        """Write the next leaf of a label; what is ``changed`` makes it wrong."""
        own = [leaf for leaf in map(parse_leaf, self.leaves) if leaf.label == label]
        previous = leaf_hash(own[-1].encode()) if own else NO_LEAF
        leaf = Leaf(label, len(own) + 1, DEVICE_LIST, record_hash, previous)
        self.leaves.append(replace(leaf, **changed).encode())
        return self.leaves[-1]

    def frontier(self, size: int | None = None) -> Frontier:
        """The frontier at a size, at all leaves when not given."""
        frontier = Frontier()
        for data in self.leaves[:size]:
            frontier = frontier.append(leaf_hash(data))
        return frontier

    def head(self, upto: int | None = None, **changed: Any) -> SignedHead:
        """Sign the head of a size; what is ``changed`` makes it wrong."""
        frontier = self.frontier(upto)
        head = Head(self.start.log_id, frontier.size, frontier.root, NOW)
        data = replace(head, **changed).encode()
        return SignedHead(data, sign(self.seed, "head", h("head", data)))


def restarted(log: ServerLog, *, seed: bytes, signed_by: bytes | None = None) -> ServerLog:
    """Begin the log after another, as an operator does after a restore."""
    head = log.head()
    return ServerLog(seed, log.number + 1, lp(head.data, head.sig), signed_by or log.seed)


def followed(log: ServerLog, size: int) -> Given:
    """What a client keeps of a log at a size."""
    frontier = log.frontier(size)
    return {
        "number": log.number,
        "log_id": b64(log.start.log_id),
        "log_pub": b64(public_key(log.seed)),
        "size": size,
        "frontier": [b64(item) for item in frontier.hashes],
    }


def labels_at(log: ServerLog, size: int) -> list[Any]:
    """The newest leaf of each label at a size."""
    newest = {
        leaf.label: (leaf, leaf_hash(leaf.encode())) for leaf in map(parse_leaf, log.leaves[:size])
    }
    return [
        [
            b64(label),
            {
                "seq": leaf.seq,
                "leaf_hash": b64(hashed),
                "kind": leaf.kind,
                "record_hash": b64(leaf.record_hash),
            },
        ]
        for label, (leaf, hashed) in newest.items()
    ]


def page(log: ServerLog, own: Person, after: int = 0, **more: Any) -> Given:
    """The inputs of ``key_log`` for somebody who has followed a fair server up to ``after``."""
    head = log.head()
    given: Given = {
        "log": followed(log, after),
        "labels": labels_at(log, after),
        "own": {"user": b64(own.user), "lists": [b64(own.devices.list_hash)]},
        "leaves": [b64(data) for data in log.leaves[after:]],
        "head": {"data": b64(head.data), "sig": b64(head.sig)},
        "now": NOW,
        "list": None,
        "claim": None,
    }
    return {**given, **more}


class Cases:
    """A log of alice, bob and carol, with a second list of bob."""

    def __init__(self, cast: World) -> None:
        self.cast = cast
        self.seed = seeded("key log")(32)
        self.second = h("devices", b"a second list of bob")

    def log(self, *, seed: bytes | None = None) -> ServerLog:
        """A fresh fair log."""
        log = ServerLog(seed or self.seed)
        for person in (self.cast.alice, self.cast.bob, self.cast.carol):
            log.add(label_of(person.user), person.devices.list_hash)
        log.add(label_of(self.cast.bob.user), self.second)
        return log

    def case(
        self, name: str, comment: str, log: ServerLog, expect: str = "ok", **more: Any
    ) -> Case:
        """alice's client is given a page of a log."""
        after = more.pop("after", 0)
        given = page(log, self.cast.alice, after, **more)
        return Case(name, comment, "11.4", "key_log", given, expect)

    def tree(self) -> Iterator[Case]:
        """The root at each small size, and shapes that are not leaves."""
        leaves = [
            Leaf(h("kt-label", bytes([n])), 1, 1, bytes(32), NO_LEAF).encode() for n in range(9)
        ]
        for size in range(10):
            given = {"leaves": [b64(data) for data in leaves[:size]]}
            yield Case(f"tree-of-{size}", "the shape of RFC 9162", "11.2", "key_log_tree", given)

    def followed(self) -> Iterator[Case]:
        """Pages of fair servers."""
        log = self.log()
        for after in range(5):
            yield self.case(f"page-after-{after}", "the rest of the log", log, after=after)
        bob, alice = self.cast.bob, self.cast.alice
        newest = [b64(bob.user), b64(self.second)]
        yield self.case("list-newest", "bob's second list", log, list=newest)
        own = [b64(alice.user), b64(alice.devices.list_hash)]
        yield self.case("own-list", "one's own leaf is known", log, list=own)
        root = log.frontier(3).root
        yield self.case("claim-same-root", "what another client saw", log, claim=[3, b64(root)])
        yield self.case("head-offline", "an old head, nobody asked", log, now=None)
        log.add(label_of(bob.user), bytes(32), kind=DISPUTE)
        yield self.case("leaf-of-a-reserved-kind", "counts in the tree", log)
        yield self.case(
            "list-after-a-dispute", "no list is the newest leaf", log, "kt", list=newest
        )

    def heads(self) -> Iterator[Case]:
        """Heads that must not be believed."""
        log, alice = self.log(), self.cast.alice
        signed = log.head(root=h("kt-empty", b""))
        wrong = {"data": b64(signed.data), "sig": b64(signed.sig)}
        yield self.case(
            "kt-root-mismatch-same-size",
            "nothing new, another root",
            log,
            "kt",
            after=4,
            head=wrong,
        )
        yield self.case(
            "root-not-of-the-leaves", "another root at the page's end", log, "kt", head=wrong
        )
        shorter = log.head(3)
        wrong = {"data": b64(shorter.data), "sig": b64(shorter.sig)}
        yield self.case("kt-size-shrinks", "a log rolled back", log, "kt", after=4, head=wrong)
        other = self.log(seed=seeded("another key log")(32)).head()
        wrong = {"data": b64(other.data), "sig": b64(other.sig)}
        yield self.case("kt-head-other-log", "another log's head", log, "kt", head=wrong)
        data = log.head().data
        forged = sign(alice.keys.dsk_seed, "head", h("head", data))
        wrong = {"data": b64(data), "sig": b64(forged)}
        yield self.case("kt-head-bad-signature", "another key signed", log, "kt", head=wrong)
        wrong = {"data": b64(data), "sig": b64(sign(self.seed, "log", h("head", data)))}
        yield self.case(
            "head-signed-under-other-label", "a signature of something else", log, "kt", head=wrong
        )
        yield self.case("head-stale", "a log that stands still", log, "kt", now=NOW + DAY_MS + 1)
        yield self.case(
            "head-from-tomorrow", "would stay fresh for ever", log, "kt", now=NOW - DAY_MS - 1
        )
        yield self.case("head-a-day-old", "just in time", log, now=NOW + DAY_MS)

    def leaves(self) -> Iterator[Case]:
        """Leaves that must not be believed, under heads that a server really signed."""
        bob, alice, third = label_of(self.cast.bob.user), label_of(self.cast.alice.user), bytes(32)
        log = self.log()
        log.add(bob, third, seq=4)
        yield self.case("kt-seq-gap", "bob's third leaf is missing", log, "kt")
        log = self.log()
        log.add(bob, third, seq=2)
        yield self.case("kt-two-leaves-same-seq", "two second lists", log, "kt")
        log = self.log()
        log.add(bob, third, previous=NO_LEAF)
        yield self.case("leaf-previous-unknown", "another chain under the label", log, "kt")
        log = self.log()
        log.add(h("kt-label", bytes(16)), third, seq=2)
        yield self.case("first-leaf-not-1", "the first is missing", log, "kt")
        log = self.log()
        log.add(alice, h("devices", b"made by the server"))
        yield self.case("kt-own-label-unknown-leaf", "a list alice never made", log, "kt")
        log = self.log()
        log.add(alice, self.cast.alice.devices.list_hash, kind=DISPUTE)
        yield self.case("own-label-other-kind", "a dispute alice never made", log, "kt")
        log = self.log()
        swapped = [b64(log.leaves[n]) for n in (0, 2, 1, 3)]
        yield self.case(
            "leaves-in-another-order", "bob and carol change places", log, "kt", leaves=swapped
        )
        short = [b64(data) for data in log.leaves[:3]]
        yield self.case("leaf-left-out", "fewer than the head says", log, "kt", leaves=short)
        again = [b64(data) for data in (*log.leaves, log.leaves[0])]
        yield self.case("leaf-added", "more than the head says", log, "kt", leaves=again)
        yield from self.shapes(log)

    def shapes(self, log: ServerLog) -> Iterator[Case]:
        """Bytes that are no leaf of this version."""
        two = ServerLog(self.seed, leaves=log.leaves[:2])
        node = lp(*(leaf_hash(data) for data in two.leaves))
        one = two.head(size=1)
        wrong = {"data": b64(one.data), "sig": b64(one.sig)}
        yield self.case(
            "kt-leaf-as-node",
            "a node's content as a leaf",
            two,
            "parse",
            leaves=[b64(node)],
            head=wrong,
        )
        first = log.leaves[0]
        for name, data, outcome in (
            ("leaf-trailing-byte", first + b"\0", "parse"),
            ("leaf-kind-4", replace(parse_leaf(first), kind=4).encode(), "parse"),
            ("leaf-label-of-another-object", first.replace(b"leaf", b"lead"), "parse"),
            ("leaf-suite-2", first.replace(b"\0\0\0\x01\x01", b"\0\0\0\x01\x02", 1), "suite"),
        ):
            leaves = [b64(item) for item in (data, *log.leaves[1:])]
            yield self.case(name, "not a leaf", log, outcome, leaves=leaves)

    def lists(self) -> Iterator[Case]:
        """A device list that the log does not name as the newest."""
        log, bob = self.log(), self.cast.bob
        old = [b64(bob.user), b64(bob.devices.list_hash)]
        yield self.case("kt-list-not-newest", "bob's first list", log, "kt", list=old)
        none = [b64(self.cast.mallory.user), b64(self.cast.mallory.devices.list_hash)]
        yield self.case("list-without-a-leaf", "a list only for alice", log, "kt", list=none)
        split = ServerLog(self.seed)
        split.add(label_of(self.cast.mallory.user), bob.devices.list_hash)
        yield self.case("kt-label-of-other-user", "bob's list under mallory", split, "kt", list=old)
        keyed = ServerLog(self.seed)
        keyed.add(kdf(seeded("per log")(32), "kt-label", bob.user), bob.devices.list_hash)
        yield self.case("kt-label-keyed", "a label alice cannot compute", keyed, "kt", list=old)
        other = [3, b64(h("kt-empty", b""))]
        yield self.case("claim-other-root", "two views of one log", log, "kt", claim=other)

    def _case_of_starts(
        self,
        name: str,
        comment: str,
        log: Given | None,
        logs: Sequence[ServerLog],
        expect: str = "ok",
    ) -> Case:
        rows = [{"data": b64(item.start.data), "sig": b64(item.start.sig)} for item in logs]
        given = {"log": log, "starts": rows}
        return Case(name, comment, "11.4", "key_log_starts", given, expect)

    def successors(self) -> Iterator[Case]:
        """Logs that follow one another."""
        case, first = self._case_of_starts, self.log()
        second = restarted(first, seed=seeded("a second key log")(32))
        third, pinned = restarted(second, seed=second.seed), followed(first, 4)
        three = [first, second, third]
        yield case("starts-first-contact", "the only log is pinned", None, [first])
        yield case("starts-first-contact-third", "the newest is pinned", None, three)
        yield case("starts-same-log", "nothing began", pinned, [first])
        yield case("starts-restarted", "a backup was restored", pinned, three[:2])
        yield case("starts-restarted-twice", "away for long", pinned, three)

    def usurpers(self) -> Iterator[Case]:
        """Logs that only say that they follow."""
        case, first, stranger = self._case_of_starts, self.log(), ServerLog(seeded("stranger")(32))
        second, pinned = restarted(first, seed=first.seed), followed(first, 4)
        foreign = restarted(stranger, seed=first.seed, signed_by=first.seed)
        unsigned = restarted(first, seed=stranger.seed, signed_by=stranger.seed)
        skipped = replace(second, number=3)
        headless = ServerLog(first.seed, 2, lp(b"", b""), first.seed)
        yield case("starts-none", "no log at all", None, [], "kt")
        yield case("starts-without-the-first", "its origin is hidden", None, [second], "kt")
        yield case("starts-pinned-log-missing", "another server", pinned, [stranger], "kt")
        by_other = "starts-not-signed-by-the-key-before"
        yield case(by_other, "anybody's word", pinned, [first, unsigned], "kt")
        after_other = "starts-after-another-log"
        yield case(after_other, "another log's head", pinned, [first, foreign], "kt")
        yield case("starts-number-skipped", "one is hidden", pinned, [first, skipped], "kt")
        yield case("starts-without-a-head", "no head at all", pinned, [first, headless], "parse")

    def bodies(self) -> Iterator[Case]:
        """What a body says of the key log."""
        for name, log, outcome in (
            ("body-second-log", ',"log":2', "ok"),
            ("body-log-0", ',"log":0', "body"),
            ("body-log-not-a-number", ',"log":"2"', "body"),
        ):
            text = '{"type":"text","text":"hi","kt":{"size":4,"root":"%s"%s}}'
            data = text % (b64(self.log().frontier().root), log)
            given = {"data": b64(data.encode())}
            yield Case(name, "which log is meant", "8.3", "json_body", given, outcome)


def cases(cast: World) -> Iterator[tuple[str, Case]]:
    """Give every case with its topic."""
    made = Cases(cast)
    groups: Sequence[Iterator[Case]] = (
        made.tree(),
        made.followed(),
        made.heads(),
        made.leaves(),
        made.lists(),
        made.successors(),
        made.usurpers(),
        made.bodies(),
    )
    for group in groups:
        yield from (("key-log", case) for case in group)
