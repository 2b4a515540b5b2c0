"""Words among the hubs themselves, on the same way as the frames so that their order holds.

A frame is a JSON object and starts with ``{``; a control message starts with another byte.
"""

import uuid
from collections.abc import Iterable

REMOVED = b"-"
# Said by a fan-out to its own process: something may have been missed in this room.
INTERRUPTED = b"?"


def encode_removal(user_ids: Iterable[uuid.UUID]) -> bytes:
    """These people are no longer in the room: drop their sockets from it."""
    return REMOVED + b"".join(user_id.bytes for user_id in user_ids)


def decode_removal(payload: bytes) -> set[uuid.UUID] | None:
    """The people of a removal, or None when the payload is a frame for the sockets."""
    if payload[:1] != REMOVED:
        return None
    return {uuid.UUID(bytes=payload[at : at + 16]) for at in range(1, len(payload), 16)}
