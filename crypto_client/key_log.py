"""The key log: one append-only list of every device list, followed whole (docs/protocol.md §11)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from crypto_client.encoding import (
    HASH_SIZE,
    KEY_SIZE,
    SUITE_BYTE,
    lp,
    lp_fields,
    typed_fields,
    u8,
    u64,
    uint,
)
from crypto_client.errors import KeyLogError, ParseError, SignatureError
from crypto_client.primitives import check_public_key, h, verify

DEVICE_LIST, ACCOUNT_RESET, DISPUTE = 1, 2, 3
NO_LEAF = bytes(HASH_SIZE)
FRESH_MS = 24 * 3600 * 1000


@dataclass(frozen=True)
class Leaf:
    """One entry of the log: the ``seq``-th thing that happened to a label's keys."""

    label: bytes
    seq: int
    kind: int
    record_hash: bytes
    previous: bytes

    def encode(self) -> bytes:
        """Write the bytes that are hashed."""
        fields = (self.label, u64(self.seq), u8(self.kind), self.record_hash, self.previous)
        return lp(b"leaf", SUITE_BYTE, *fields)


@dataclass(frozen=True)
class Head:
    """What the log was at a size, with the time when the server said so."""

    log_id: bytes
    size: int
    root: bytes
    time: int

    def encode(self) -> bytes:
        """Write the bytes that are hashed and signed."""
        return lp(b"head", SUITE_BYTE, self.log_id, u64(self.size), self.root, u64(self.time))


@dataclass(frozen=True)
class SignedHead:
    """A head as it travels: the bytes as received, and the log key's signature."""

    data: bytes
    sig: bytes


@dataclass(frozen=True)
class LogStart:
    """How a log begins; ``before`` is LP(head, sig) of the one before it."""

    number: int
    log_pub: bytes
    time: int
    before: bytes

    @property
    def last_head(self) -> SignedHead:
        """The last head of the log before; ``parse`` where there is none."""
        return SignedHead(*lp_fields(self.before, [None, None]))

    def encode(self) -> bytes:
        """Write the bytes that are hashed and signed."""
        fields = (u64(self.number), self.log_pub, u64(self.time), self.before)
        return lp(b"log", SUITE_BYTE, *fields)


@dataclass(frozen=True)
class SignedLogStart:
    """A log's beginning as it travels; signed by the key of the log before, else its own."""

    data: bytes
    sig: bytes

    @property
    def log_id(self) -> bytes:
        """The name of the log, in each of its heads."""
        return h("log", self.data)


@dataclass(frozen=True)
class Frontier:
    """All that is needed to append and to give the root: O(log n) hashes."""

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def append(self, leaf_hash: bytes) -> "Frontier":
        """Put a leaf at the end."""
        hashes, rest = [*self.hashes, leaf_hash], self.size
        while rest % 2:
            right, left = hashes.pop(), hashes.pop()
            hashes.append(_node(left, right))
            rest //= 2
        return Frontier(self.size + 1, tuple(hashes))

    @property
    def root(self) -> bytes:
        """The hash of the whole tree."""
        if not self.hashes:
            return h("kt-empty", b"")
        *others, root = self.hashes
        for left in reversed(others):
            root = _node(left, root)
        return root


@dataclass(frozen=True)
class NewestLeaf:
    """The newest leaf of a label."""

    seq: int
    leaf_hash: bytes
    kind: int
    record_hash: bytes


@dataclass(frozen=True)
class FollowedLog:
    """A pinned log, and how far this client has verified it."""

    number: int
    log_id: bytes
    log_pub: bytes
    frontier: Frontier


@dataclass(frozen=True)
class Own:
    """The own label, and whether a hash is that of an own list that verified here.

    ``knows_reset`` says the same of the id of a reset that led to the own account key.
    """

    label: bytes
    knows: Callable[[bytes], bool]
    knows_reset: Callable[[bytes], bool] = lambda _: False

    def is_behind(self, leaf: Leaf) -> bool:
        """Say whether a leaf of the own label tells of something that the owner did."""
        if leaf.kind == DEVICE_LIST:
            return self.knows(leaf.record_hash)
        return leaf.kind == ACCOUNT_RESET and self.knows_reset(leaf.record_hash)


@dataclass(frozen=True)
class Followed:
    """What a page came to: the log further on, labels that have a newer leaf, roots passed.

    ``resets`` are pairs of a label and the id of a reset that it has a leaf of.
    """

    log: FollowedLog
    labels: Mapping[bytes, NewestLeaf]
    roots: Mapping[int, bytes]
    resets: frozenset[tuple[bytes, bytes]] = frozenset()


def label_of(user: bytes) -> bytes:
    """The name of an account in the log; everybody who knows the user id computes the same."""
    return h("kt-label", user)


def leaf_hash(data: bytes) -> bytes:
    """Hash a leaf, from its bytes as received."""
    return h("kt-leaf", data)


def _node(left: bytes, right: bytes) -> bytes:
    return h("kt-node", lp(left, right))


def parse_leaf(data: bytes) -> Leaf:
    """Read a leaf; ``parse`` or ``suite`` for another shape or an unknown kind."""
    sizes = [HASH_SIZE, 8, 1, HASH_SIZE, HASH_SIZE]
    label, seq, kind, record_hash, previous = typed_fields(data, "leaf", sizes)
    if kind[0] not in {DEVICE_LIST, ACCOUNT_RESET, DISPUTE}:
        raise ParseError(f"a leaf of kind {kind[0]}")
    return Leaf(label, uint(seq), kind[0], record_hash, previous)


def parse_head(data: bytes) -> Head:
    """Read a head without believing it."""
    log_id, size, root, time = typed_fields(data, "head", [HASH_SIZE, 8, HASH_SIZE, 8])
    return Head(log_id, uint(size), root, uint(time))


def parse_log_start(data: bytes) -> LogStart:
    """Read a log's beginning without believing it."""
    number, log_pub, time, before = typed_fields(data, "log", [8, KEY_SIZE, 8, None])
    if uint(number) == 0 or (uint(number) == 1) != (before == b""):
        raise ParseError("the first log, and only the first, has no log before it")
    return LogStart(uint(number), log_pub, uint(time), before)


def verify_head(signed: SignedHead, log: FollowedLog) -> Head:
    """Read a head that must be of this log and by its key; else ``kt``."""
    head = parse_head(signed.data)
    if head.log_id != log.log_id:
        raise KeyLogError("a head of another log")
    _verify(log.log_pub, "head", h("head", signed.data), signed.sig)
    return head


def check_fresh(head: Head, now: int) -> None:
    """Refuse the newest head, with ``kt``, when it was signed long ago: a log that stands still."""
    if abs(now - head.time) > FRESH_MS:
        raise KeyLogError("the newest head is more than a day old")


def follow(
    log: FollowedLog,
    leaves: Sequence[bytes],
    signed: SignedHead,
    *,
    newest: Callable[[bytes], NewestLeaf | None],
    own: Own,
) -> Followed:
    """Take the leaves from the own size up to a head, or nothing; every refusal is ``kt``.

    ``newest`` gives the newest leaf known of a label.
    """
    head = verify_head(signed, log)
    if head.size < log.frontier.size:
        raise KeyLogError("the log has become shorter")
    if len(leaves) != head.size - log.frontier.size:
        raise KeyLogError("a page with another number of leaves than its head says")
    frontier, labels, roots = log.frontier, dict[bytes, NewestLeaf](), dict[int, bytes]()
    resets = set[tuple[bytes, bytes]]()
    for data in leaves:
        leaf = parse_leaf(data)
        before = labels.get(leaf.label) or newest(leaf.label)
        labels[leaf.label] = _step(before, leaf, leaf_hash(data), own)
        frontier = frontier.append(labels[leaf.label].leaf_hash)
        roots[frontier.size] = frontier.root
        if leaf.kind == ACCOUNT_RESET:
            resets.add((leaf.label, leaf.record_hash))
    if frontier.root != head.root:
        raise KeyLogError("another root than that of the leaves")
    further = FollowedLog(log.number, log.log_id, log.log_pub, frontier)
    return Followed(further, labels, roots, frozenset(resets))


def _step(before: NewestLeaf | None, leaf: Leaf, hashed: bytes, own: Own) -> NewestLeaf:
    seq, previous = (before.seq, before.leaf_hash) if before else (0, NO_LEAF)
    if leaf.seq != seq + 1:
        raise KeyLogError("a label's leaves are not numbered one after the other")
    if leaf.previous != previous:
        raise KeyLogError("a leaf that does not follow its label's newest")
    if leaf.label == own.label and not own.is_behind(leaf):
        raise KeyLogError("a leaf in the own name that the owner is not behind")
    return NewestLeaf(leaf.seq, hashed, leaf.kind, leaf.record_hash)


def check_newest_list(newest: NewestLeaf | None, list_hash: bytes) -> None:
    """Refuse, with ``kt``, a device list that is not the newest leaf of its account's label."""
    if newest is None or newest.kind != DEVICE_LIST or newest.record_hash != list_hash:
        raise KeyLogError("a device list that is not the newest of the key log")


def check_claim(own_root: bytes, claimed: bytes) -> None:
    """Compare the root that another client verified at a size; ``kt`` shows a split view."""
    if own_root != claimed:
        raise KeyLogError(f"own root {own_root.hex()}, claimed {claimed.hex()}")


def pin_log(starts: Sequence[SignedLogStart]) -> FollowedLog:
    """Pin the newest of a server's logs at first contact; they must lead to it from the first."""
    if not starts or parse_log_start(starts[0].data).number != 1:
        raise KeyLogError("the server does not name its first log")
    log = _begin(starts[0], parse_log_start(starts[0].data).log_pub, number=1)
    return newest_log(log, starts)


def newest_log(log: FollowedLog, starts: Sequence[SignedLogStart]) -> FollowedLog:
    """Give the newest of a server's logs, the pinned one itself while it is.

    ``starts`` are all beginnings, ascending. Each must be signed by the key of the log before and
    name a head that this key signed, else ``kt``.
    """
    at = next((n for n, start in enumerate(starts) if start.log_id == log.log_id), None)
    if at is None:
        raise KeyLogError("the server does not name the log that was followed")
    for start in starts[at + 1 :]:
        following = _begin(start, log.log_pub, number=log.number + 1)
        verify_head(parse_log_start(start.data).last_head, log)
        log = following
    return log


def _begin(signed: SignedLogStart, by: bytes, *, number: int) -> FollowedLog:
    start = parse_log_start(signed.data)
    if start.number != number:
        raise KeyLogError("logs are not numbered one after the other")
    _verify(by, "log", signed.log_id, signed.sig)
    _refused(lambda: check_public_key(start.log_pub))
    return FollowedLog(number, signed.log_id, start.log_pub, Frontier())


def _verify(public: bytes, label: str, data: bytes, signature: bytes) -> None:
    _refused(lambda: verify(public, label, data, signature))


def _refused(check: Callable[[], None]) -> None:
    """Whatever is wrong with a key or signature of the log is the log's fault."""
    try:
        check()
    except SignatureError as error:
        raise KeyLogError(str(error)) from None
