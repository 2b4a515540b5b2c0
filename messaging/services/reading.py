"""Reading a room's log by the asker's epochs."""

import uuid
from dataclasses import dataclass

from messaging import runtime
from messaging.access import Reader, reader_of
from messaging.outage import log_must_answer
from messaging.record import Record
from messaging.threads import db
from rooms.access import visible_stays

PAGE = 100


@dataclass(frozen=True, slots=True)
class Page:
    """Rows with after < seq <= upto that the asker may read; the answer speaks up to ``upto``."""

    room_id: uuid.UUID
    after: int
    upto: int
    head: int
    items: list[Record]
    more: bool


async def read_items(
    *,
    actor_id: uuid.UUID,
    room_id: uuid.UUID,
    after: int,
    upto: int | None = None,
    limit: int = PAGE,
) -> Page:
    """A page of a room's log. To a former member it ends where their membership ended.

    Refuses with ``not_found``, ``room_deleted`` or ``unavailable``.
    """
    reader = await db(reader_of)(actor_id, room_id)
    with log_must_answer():
        head = await _last_seq(reader)
        wanted = head if upto is None else min(head, upto)
        last = max(after, min(after + min(limit, PAGE), wanted))
        rows = await runtime.log().page(room_id, after, last) if last > after else []
    items = [record for record in rows if reader.may_read(record)]
    return Page(room_id, after, last, head, items, more=last < wanted)


async def _last_seq(reader: Reader) -> int:
    log = runtime.log()
    if reader.end is not None:
        found = await log.find({reader.end.key})
        if reader.end.key in found:
            return found[reader.end.key].seq - (0 if reader.reads_end else 1)
    return (await log.heads({reader.room_id}))[reader.room_id]


async def member_rooms(*, actor_id: uuid.UUID) -> set[uuid.UUID]:
    """The rooms that a person is in now; the log is not asked."""
    return set(await db(_head_epochs)(actor_id))


async def heads(*, actor_id: uuid.UUID) -> dict[uuid.UUID, tuple[int, int]]:
    """room → (newest seq, head epoch), for all rooms that a person is in now."""
    epochs = await db(_head_epochs)(actor_id)
    with log_must_answer():
        seqs = await runtime.log().heads(epochs.keys())
    return {room_id: (seqs[room_id], epoch) for room_id, epoch in epochs.items()}


def _head_epochs(actor_id: uuid.UUID) -> dict[uuid.UUID, int]:
    current = visible_stays(actor_id).filter(last_epoch__isnull=True).order_by()
    return {
        room_id: epoch or 0 for room_id, epoch in current.values_list("room_id", "room__head_epoch")
    }
