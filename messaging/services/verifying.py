"""Looking through a room's log for holes, doubles, damage and lost commits."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from accounts.refusals import Refused
from messaging import runtime
from messaging.envelope import read_header
from messaging.events import commit_record
from messaging.outage import log_must_answer
from messaging.record import Kind, Record
from messaging.services.reading import PAGE
from messaging.threads import db
from rooms.access import accepted_commits
from rooms.models import Room
from rooms.statements import event_hash


@dataclass(frozen=True, slots=True)
class RoomVerdict:
    """What an inspection of one room found; only the first numbers belong to a whole log.

    ``missing``: places in 1..head without a row. ``doubled``: rows too many. ``damaged``: places
    whose bytes do not fit their fingerprint or their keys. ``lost_commits``: epochs of the chain
    that the log does not name; right after a commit it may still wait in the queue.
    """

    room_id: uuid.UUID
    head: int
    rows: int
    missing: tuple[int, ...]
    doubled: int
    damaged: tuple[int, ...]
    lost_commits: tuple[int, ...]

    @property
    def is_whole(self) -> bool:
        """Nothing is wrong."""
        return not (self.missing or self.doubled or self.damaged or self.lost_commits)


async def verify_room(*, room_id: uuid.UUID) -> RoomVerdict:
    """Read a room's whole log and compare it with its chain; ``unavailable`` without the log."""
    commits = await db(_chain)(room_id)
    with log_must_answer():
        check = await runtime.log().verify(room_id)
        damaged = await _damaged(room_id, check.head)
        found = await runtime.log().find({commit.key for commit in commits}) if commits else {}
    return RoomVerdict(
        room_id=room_id,
        head=check.head,
        rows=check.rows,
        missing=check.missing,
        doubled=check.rows + len(check.missing) - check.head,
        damaged=damaged,
        lost_commits=tuple(commit.epoch for commit in commits if commit.key not in found),
    )


def rooms_to_verify() -> Iterator[uuid.UUID]:
    """Every room that exists, in the order of their beginning."""
    return Room.objects.order_by("created_at").values_list("id", flat=True).iterator()


def _chain(room_id: uuid.UUID) -> list[Record]:
    commits = accepted_commits(room_id, after=-1).only("room_id", "epoch", "hash", "created_at")
    return [commit_record(commit) for commit in commits]


async def _damaged(room_id: uuid.UUID, head: int) -> tuple[int, ...]:
    damaged: list[int] = []
    for after in range(0, head, PAGE):
        rows = await runtime.log().page(room_id, after, min(after + PAGE, head))
        damaged += [row.seq for row in rows if not _fits(row)]
    return tuple(damaged)


def _fits(row: Record) -> bool:
    if row.kind == Kind.COMMIT:
        return row.body == row.eid
    if row.kind == Kind.LEAVE:
        return event_hash(row.body) == row.eid
    try:
        header = read_header(row.body)
    except Refused:
        return False
    named = (header.eid, header.room_id, header.device_id, header.message_id, header.epoch)
    kept = (row.eid, row.room_id, row.device_id, row.message_id, row.epoch)
    return named == kept and header.n == row.n
