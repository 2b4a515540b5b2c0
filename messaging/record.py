"""One row of a room's log: what waits in the queue, what the log keeps, what a page gives."""

import enum
import uuid
from dataclasses import dataclass, replace

NO_DEVICE = uuid.UUID(int=0)


class Kind(enum.IntEnum):
    """What a row is. Only messages have a device and a counter."""

    MESSAGE = 1
    COMMIT = 2
    LEAVE = 3


@dataclass(frozen=True, slots=True)
class Record:
    """A sealed message, or an event of the room, on its way to its place in the log.

    ``body``: the envelope, the 32-byte commit hash, or the event's bytes. ``eid``: the 32 bytes
    that enter the rolling log hash (fingerprint, commit hash, hash of the event). ``seq``: 0 until
    the archiver has given it its place, then 1, 2, 3 … without holes in each room.
    """

    room_id: uuid.UUID
    kind: Kind
    epoch: int
    message_id: uuid.UUID
    eid: bytes
    body: bytes
    accepted_ms: int
    device_id: uuid.UUID = NO_DEVICE
    n: int | None = None
    counts: bool = False
    key_id: int = 0
    stamp: bytes = b""
    seq: int = 0

    @property
    def key(self) -> tuple[uuid.UUID, uuid.UUID, uuid.UUID]:
        """The idempotency key: a second record with the same key is the same message."""
        return (self.room_id, self.device_id, self.message_id)

    def at(self, seq: int) -> "Record":
        """The same record in its place."""
        return replace(self, seq=seq)
