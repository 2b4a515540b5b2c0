"""How far rooms are, whoever asks: for telling sockets after something may have been missed."""

import logging
import uuid
from collections.abc import Collection

from django.db import Error

from messaging.store import MessageLog, StoreUnavailable
from messaging.threads import db
from rooms.models import Room

log = logging.getLogger("gamrae.fanout")


async def positions_of(
    messages: MessageLog, room_ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, tuple[int, int]]:
    """room → (newest seq, head epoch); nothing when a store does not answer."""
    try:
        epochs = await db(_head_epochs)(room_ids)
        seqs = await messages.heads(epochs.keys())
    except (Error, StoreUnavailable) as error:
        # Clients ask by themselves every minute, so that this is only sooner.
        log.error("code=heads_untold error=%s", type(error).__name__)
        return {}
    return {room_id: (seqs[room_id], epoch) for room_id, epoch in epochs.items()}


def _head_epochs(room_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, int]:
    begun = Room.objects.filter(pk__in=room_ids, head_epoch__isnull=False)
    return {room_id: epoch or 0 for room_id, epoch in begun.values_list("pk", "head_epoch")}
