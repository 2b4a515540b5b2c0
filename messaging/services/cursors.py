"""How far each device has received and each person has read: cursors only grow."""

import uuid

from django.db import transaction
from django.db.models import Max

from messaging import runtime
from messaging.coalescing import announce_cursor
from messaging.models import Cursor
from messaging.outage import log_must_answer
from messaging.threads import db
from rooms.access import room_for_member

Positions = tuple[int, int]


async def move_cursor(
    *,
    actor_id: uuid.UUID,
    device_id: uuid.UUID,
    room_id: uuid.UUID,
    delivered_to: int = 0,
    read_to: int = 0,
) -> Positions:
    """Move this device's cursors of a room forward; gives (delivered_to, read_to) as they are now.

    Never past the newest row of the log, never back; what is read has been delivered too. The
    room hears of a person's furthest positions. Refuses with ``not_found``, ``forbidden``,
    ``room_deleted`` or ``unavailable``.
    """
    await db(room_for_member)(actor_id, room_id)
    with log_must_answer():
        head = (await runtime.log().heads({room_id}))[room_id]
    read = min(read_to, head)
    delivered = max(min(delivered_to, head), read)
    own, furthest = await db(_move)(actor_id, device_id, room_id, (delivered, read))
    if furthest is not None:
        await announce_cursor(room_id, actor_id, furthest)
    return own


@transaction.atomic
def _move(
    user_id: uuid.UUID, device_id: uuid.UUID, room_id: uuid.UUID, to: Positions
) -> tuple[Positions, Positions | None]:
    """The device's cursors, and the person's furthest ones if these have moved."""
    before = furthest_of(user_id, room_id)
    cursor, _ = Cursor.objects.select_for_update().get_or_create(
        room_id=room_id, device_id=device_id, defaults={"user_id": user_id}
    )
    cursor.delivered_to = max(cursor.delivered_to, to[0])
    cursor.read_to = max(cursor.read_to, to[1])
    cursor.save(update_fields=["delivered_to", "read_to"])
    after = furthest_of(user_id, room_id)
    return (cursor.delivered_to, cursor.read_to), after if after != before else None


def furthest_of(user_id: uuid.UUID, room_id: uuid.UUID) -> Positions:
    """The furthest positions of all devices of a person in a room."""
    rows = Cursor.objects.filter(user=user_id, room_id=room_id)
    found = rows.aggregate(delivered=Max("delivered_to"), read=Max("read_to"))
    return found["delivered"] or 0, found["read"] or 0
