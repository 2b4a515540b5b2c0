"""Which rooms are deleted for everybody, so that nothing late brings one back."""

import uuid
from collections.abc import Collection

from django.db import Error

from messaging.store import StoreUnavailable
from messaging.threads import db
from rooms.models import DeletedRoom


async def deleted_rooms(room_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Those of these rooms that have a tombstone."""
    try:
        return await db(_deleted_rooms)(room_ids)
    except Error as error:
        raise StoreUnavailable from error


def _deleted_rooms(room_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    found = DeletedRoom.objects.filter(pk__in=room_ids)
    return set(found.values_list("pk", flat=True))
