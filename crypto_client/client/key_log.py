"""The key log as this device follows it: whole, kept in the home, compared with what others saw.

See docs/protocol.md §11. A refusal changes nothing that was followed; it is kept as ``trouble``,
and from then on no device list is taken from that server until the log verifies again.
"""

import uuid
from collections.abc import Callable
from contextlib import suppress

from crypto_client.body import KeyLogClaim
from crypto_client.client.failures import Refused
from crypto_client.client.server import JSON, Server, b64, unb64
from crypto_client.client.store import Store
from crypto_client.encoding import HASH_SIZE, ID_SIZE, SIGNATURE_SIZE, lp_fields
from crypto_client.errors import KeyLogError, ProtocolError
from crypto_client.key_log import (
    FRESH_MS,
    Followed,
    FollowedLog,
    Frontier,
    Head,
    NewestLeaf,
    Own,
    SignedHead,
    SignedLogStart,
    check_claim,
    check_fresh,
    check_newest_list,
    follow,
    label_of,
    newest_log,
    parse_head,
    parse_log_start,
    pin_log,
    verify_head,
)

MAX_CLAIMS_WAITING = 64
WAITING, SPLIT = "waiting", "split"
LINKED_HEAD = "linked_head"


class KeyLog:
    """One server's key log in this home."""

    def __init__(
        self,
        store: Store,
        server: Server,
        *,
        user: bytes,
        knows_own: Callable[[bytes], bool],
        knows_own_reset: Callable[[bytes], bool],
        learn_own: Callable[[], None],
    ) -> None:
        """``knows_own`` says whether a hash is an own list's, ``knows_own_reset`` a reset's.

        ``learn_own`` fetches both.
        """
        self.store = store
        self.server = server
        self.own = Own(label_of(user), knows_own, knows_own_reset)
        self._learn_own = learn_own

    # What is remembered

    def followed(self) -> FollowedLog | None:
        """The pinned log and how far it was followed, None before first contact."""
        row = self.store.row("SELECT * FROM key_logs ORDER BY number DESC LIMIT 1")
        if row is None:
            return None
        joined = row["frontier"]
        hashes = tuple(joined[at : at + HASH_SIZE] for at in range(0, len(joined), HASH_SIZE))
        frontier = Frontier(row["size"], hashes)
        return FollowedLog(row["number"], row["log_id"], row["log_pub"], frontier)

    def newest(self, label: bytes) -> NewestLeaf | None:
        """The newest leaf of a label."""
        row = self.store.row("SELECT * FROM key_log_labels WHERE label = ?", label)
        if row is None:
            return None
        return NewestLeaf(row["seq"], row["leaf_hash"], row["kind"], row["record_hash"])

    def root_at(self, number: int, size: int) -> bytes | None:
        """The root that this device computed for a size, None where it did not pass."""
        sql = "SELECT root FROM key_log_roots WHERE log = ? AND size = ?"
        row = self.store.row(sql, number, size)
        return row["root"] if row else None

    def tells_of_reset(self, user: bytes, reset_id: bytes) -> bool:
        """Whether the log, as far as it was followed, has a leaf of this reset of a person."""
        sql = "SELECT 1 FROM key_log_resets WHERE label = ? AND reset_id = ?"
        return self.store.row(sql, label_of(user), reset_id) is not None

    def server_keys(self) -> frozenset[bytes]:
        """The keys of the pinned log and of those before it, by which the server's word counts."""
        followed = self.store.rows("SELECT log_pub FROM key_logs")
        before = self.store.fact("server_keys") or []
        return frozenset([*(row["log_pub"] for row in followed), *map(unb64, before)])

    @property
    def trouble(self) -> str:
        """Why the log was not believed when it was last followed, else nothing."""
        return str(self.store.fact("key_log_trouble") or "")

    def head(self) -> Head | None:
        """The newest head that verified."""
        row = self.store.row("SELECT head FROM key_logs ORDER BY number DESC LIMIT 1")
        return parse_head(row["head"]) if row and row["head"] else None

    def claim(self) -> KeyLogClaim | None:
        """What the next own message says that this device has verified."""
        log = self.followed()
        if log is None or log.frontier.size == 0:
            return None
        return KeyLogClaim(log.frontier.size, log.frontier.root, log.number)

    # Following

    def try_follow(self, now: int) -> None:
        """Follow; what is wrong is remembered, and concerns only what needs a device list."""
        with suppress(ProtocolError, Refused):
            self.follow(now)

    def follow(self, now: int) -> None:
        """Verify everything up to the server's newest head; every refusal is a `ProtocolError`."""
        try:
            self._follow(now)
        except ProtocolError as refusal:
            self.store.remember("key_log_trouble", str(refusal) or refusal.outcome)
            raise
        self.store.remember("key_log_trouble", None)

    def _follow(self, now: int) -> None:
        answer = self.server.get("/api/key-log/head")
        starts = [SignedLogStart(unb64(r["log"]), unb64(r["log_sig"])) for r in answer["logs"]]
        log = self._take_newest(starts)
        signed = _signed_head(answer)
        newest = verify_head(signed, log)
        check_fresh(newest, now)
        if newest.size <= log.frontier.size:
            log = self._take_page(log, [], signed)
        while log.frontier.size < newest.size:
            page = self.server.get("/api/key-log", after=log.frontier.size)
            leaves = [unb64(leaf) for leaf in page["leaves"]]
            if not leaves:
                raise KeyLogError("the server holds back leaves that its head counts")
            log = self._take_page(log, leaves, _signed_head(page))

    def _take_newest(self, starts: list[SignedLogStart]) -> FollowedLog:
        """Pin at first contact; go over to a successor of the pinned log, and say so once."""
        pinned = self.followed()
        log = newest_log(pinned, starts) if pinned else pin_log(starts)
        if pinned and pinned.log_id == log.log_id:
            return pinned
        with self.store.transaction():
            sql = "INSERT INTO key_logs VALUES (?, ?, ?, ?, ?, ?, ?)"
            self.store.run(sql, log.number, log.log_id, log.log_pub, 0, b"", b"", b"")
            self.store.run("DELETE FROM key_log_labels")
            # Every declaration up to the newest has just been verified.
            keys = [b64(parse_log_start(start.data).log_pub) for start in starts]
            self.store.remember("server_keys", keys)
            if pinned:
                self._say_that_it_began_again(pinned, starts, log)
            else:
                self._expect_linked_head(starts)
        return log

    def _expect_linked_head(self, starts: list[SignedLogStart]) -> None:
        """Let the log of a home that was linked be the one its linking device follows (§3.8).

        Its head is kept as what the owner's other device claims, beside the claims in messages.
        """
        kept = self.store.fact(LINKED_HEAD)
        if kept is None:
            return
        head = parse_head(lp_fields(unb64(kept), [None, SIGNATURE_SIZE])[0])
        start = next((start for start in starts if start.log_id == head.log_id), None)
        if start is None:
            raise KeyLogError("another log than the linking device follows")
        if head.size:
            number, own = parse_log_start(start.data).number, self.own.label[:ID_SIZE]
            sql = "INSERT OR IGNORE INTO key_log_claims VALUES (?, ?, ?, ?, ?, ?)"
            self.store.run(sql, own, own, number, head.size, head.root, WAITING)

    def _say_that_it_began_again(
        self, pinned: FollowedLog, starts: list[SignedLogStart], log: FollowedLog
    ) -> None:
        at = next(n for n, start in enumerate(starts) if start.log_id == pinned.log_id)
        begun = parse_log_start(starts[at + 1].data)
        named = parse_head(begun.last_head.data)
        self.store.remember(
            "key_log_notice",
            {
                "number": log.number,
                "began_ms": begun.time,
                "size_seen": pinned.frontier.size,
                "size_named": named.size,
            },
        )

    def _take_page(self, log: FollowedLog, leaves: list[bytes], head: SignedHead) -> FollowedLog:
        """Judge a page; own lists of another own device are fetched before it is refused."""
        try:
            taken = self._judge(log, leaves, head)
        except KeyLogError:
            self._learn_own()
            taken = self._judge(log, leaves, head)
        self._keep(taken, head)
        return taken.log

    def _judge(self, log: FollowedLog, leaves: list[bytes], head: SignedHead) -> Followed:
        return follow(log, leaves, head, newest=self.newest, own=self.own)

    def _keep(self, taken: Followed, head: SignedHead) -> None:
        log = taken.log
        with self.store.transaction():
            self.store.run(
                "UPDATE key_logs SET size = ?, frontier = ?, head = ?, sig = ? WHERE number = ?",
                log.frontier.size,
                b"".join(log.frontier.hashes),
                head.data,
                head.sig,
                log.number,
            )
            for label, leaf in taken.labels.items():
                self.store.run(
                    "INSERT OR REPLACE INTO key_log_labels VALUES (?, ?, ?, ?, ?)",
                    label,
                    leaf.seq,
                    leaf.leaf_hash,
                    leaf.kind,
                    leaf.record_hash,
                )
            for label, reset_id in taken.resets:
                sql = "INSERT OR IGNORE INTO key_log_resets VALUES (?, ?)"
                self.store.run(sql, label, reset_id)
            for size, root in taken.roots.items():
                sql = "INSERT INTO key_log_roots VALUES (?, ?, ?)"
                self.store.run(sql, log.number, size, root)
            self._settle_claims()

    # Device lists

    def is_newest(self, user: bytes, list_hash: bytes, now: int) -> bool:
        """Whether a list is its label's newest leaf at a head that is less than a day old."""
        head = self.head()
        if self.trouble or head is None or abs(now - head.time) > FRESH_MS:
            return False
        newest = self.newest(label_of(user))
        return newest is not None and newest.record_hash == list_hash

    def demand_newest(self, user: bytes, list_hash: bytes) -> None:
        """Refuse, with ``kt``, a device list that the log does not name as the newest."""
        check_newest_list(self.newest(label_of(user)), list_hash)

    # What others saw

    def compare(self, claim: KeyLogClaim | None, *, room: bytes, message: bytes) -> None:
        """Compare what the writer of a message verified; a contradiction is kept as evidence."""
        log = self.followed()
        if claim is None or claim.size == 0 or log is None or claim.log > log.number:
            return
        state = self._state_of(claim)
        is_old = claim.log != log.number
        if state == WAITING and (is_old or self.waiting() >= MAX_CLAIMS_WAITING):
            return
        if state:
            sql = "INSERT OR IGNORE INTO key_log_claims VALUES (?, ?, ?, ?, ?, ?)"
            self.store.run(sql, room, message, claim.log, claim.size, claim.root, state)

    def _state_of(self, claim: KeyLogClaim) -> str:
        own = self.root_at(claim.log, claim.size)
        if own is None:
            return WAITING
        try:
            check_claim(own, claim.root)
        except KeyLogError:
            return SPLIT
        return ""

    def _settle_claims(self) -> None:
        for row in self.store.rows("SELECT * FROM key_log_claims WHERE state = 'waiting'"):
            state = self._state_of(KeyLogClaim(row["size"], row["root"], row["log"]))
            where = "WHERE room = ? AND message = ?"
            if state == SPLIT:
                sql = f"UPDATE key_log_claims SET state = 'split' {where}"  # noqa: S608 (our own words)
                self.store.run(sql, row["room"], row["message"])
            elif state == "":
                sql = f"DELETE FROM key_log_claims {where}"  # noqa: S608 (our own words)
                self.store.run(sql, row["room"], row["message"])

    def waiting(self) -> int:
        """How many messages speak of a longer log than this device has followed."""
        row = self.store.row("SELECT count(*) AS n FROM key_log_claims WHERE state = 'waiting'")
        return int(row["n"]) if row else 0

    def is_split(self, room: bytes, message: bytes) -> bool:
        """Whether the writer of a message has verified another log than this device."""
        sql = "SELECT 1 FROM key_log_claims WHERE state = 'split' AND room = ? AND message = ?"
        return self.store.row(sql, room, message) is not None

    def splits(self) -> list[JSON]:
        """Messages whose writers verified another log than this device, with both roots."""
        rows = self.store.rows("SELECT * FROM key_log_claims WHERE state = 'split'")
        return [
            {
                "room_id": str(uuid.UUID(bytes=row["room"])),
                "message_id": str(uuid.UUID(bytes=row["message"])),
                "size": row["size"],
                "root": b64(row["root"]),
                "own_root": b64(self.root_at(row["log"], row["size"]) or b""),
            }
            for row in rows
        ]


def _signed_head(answer: JSON) -> SignedHead:
    return SignedHead(unb64(answer["head"]), unb64(answer["head_sig"]))
