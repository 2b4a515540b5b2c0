"""Reading a room's log by the asker's epochs."""

import uuid
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass

from messaging import runtime
from messaging.access import Reader, reader_of, readers_of
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
        heads = await _last_seqs([reader])
        return await _page(reader, heads[room_id], after, upto, limit)


async def read_news(
    *, actor_id: uuid.UUID, cursors: Mapping[uuid.UUID, int]
) -> AsyncIterator[Page]:
    """The first page after each room's cursor. Rooms without news cost no query of their own.

    Refuses with ``unavailable``, and last, when all other rooms were answered, with what
    `read_items` says of a room that is not the asker's.
    """
    readers = await db(readers_of)(actor_id, cursors.keys())
    with log_must_answer():
        heads = await _last_seqs(readers.values())
    for room_id, reader in readers.items():
        with log_must_answer():
            page = await _page(reader, heads[room_id], cursors[room_id])
        yield page
    for room_id in cursors.keys() - readers.keys():
        await db(reader_of)(actor_id, room_id)


async def _page(
    reader: Reader, head: int, after: int, upto: int | None = None, limit: int = PAGE
) -> Page:
    wanted = head if upto is None else min(head, upto)
    last = max(after, min(after + min(limit, PAGE), wanted))
    rows = await runtime.log().page(reader.room_id, after, last) if last > after else []
    items = [record for record in rows if reader.may_read(record)]
    return Page(reader.room_id, after, last, head, items, more=last < wanted)


async def _last_seqs(readers: Collection[Reader]) -> dict[uuid.UUID, int]:
    """room → the newest place in its log that exists for its reader."""
    log = runtime.log()
    ends = {reader.end.key for reader in readers if reader.end is not None}
    heads = await log.heads({reader.room_id for reader in readers}) if readers else {}
    found = await log.find(ends) if ends else {}
    for reader in readers:
        if reader.end is not None and reader.end.key in found:
            before = 0 if reader.reads_end else 1
            heads[reader.room_id] = found[reader.end.key].seq - before
    return heads


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
