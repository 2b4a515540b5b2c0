"""Deleting a room: for oneself it is hidden, for everybody it is gone from every store."""

import logging
import uuid

from accounts.models import User
from accounts.refusals import Refused
from messaging import announce, runtime
from messaging.models import Cursor
from messaging.outage import log_must_answer
from messaging.services.reading import read_items
from messaging.threads import db
from rooms import services as rooms
from rooms.access import half_deleted_rooms

log = logging.getLogger("gamrae.erasing")


async def hide_room(*, actor: User, room_id: uuid.UUID) -> None:
    """Take a room off the actor's list until something newer is stored.

    Refuses with ``not_found``, ``room_deleted`` or ``unavailable``.
    """
    page = await read_items(actor_id=actor.id, room_id=room_id, after=0, limit=0)
    await db(rooms.hide_room)(actor=actor, room_id=room_id, head_seq=page.head)


async def delete_room(*, actor: User, room_id: uuid.UUID) -> None:
    """Delete a group for everybody. The tombstone stands first: nothing late brings it back.

    Refuses with ``not_found``, ``forbidden``, ``room_deleted`` or ``unavailable``; in the last
    case it is deleted for everybody, and whoever comes next finishes clearing up.
    """
    try:
        await db(rooms.mark_deleted)(actor=actor, room_id=room_id)
    except Refused as refused:
        if refused.code == "room_deleted":
            await finish_erasures()
        raise
    await announce.room_event(room_id, "room.deleted")
    with log_must_answer():
        await _erase(room_id)


async def finish_erasures() -> int:
    """Clear up what a crash left of deleted rooms; for the start of a server. Gives how many."""
    left = await db(half_deleted_rooms)()
    with log_must_answer():
        for room_id in left:
            await _erase(room_id)
            log.warning("code=erasure_finished room=%s", room_id)
    return len(left)


async def _erase(room_id: uuid.UUID) -> None:
    # The relational rows go last: while they are there, an unfinished erasure can be found.
    await runtime.log().delete_room(room_id)
    await db(_erase_rows)(room_id)


def _erase_rows(room_id: uuid.UUID) -> None:
    Cursor.objects.filter(room_id=room_id).delete()
    rooms.erase_room(room_id=room_id)
