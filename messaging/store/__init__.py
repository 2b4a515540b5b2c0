"""The log of every room: one interface, one module a store."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from messaging.record import Record

Key = tuple[uuid.UUID, uuid.UUID, uuid.UUID]
Conflict = Literal["message", "seq", "counter"]


class StoreUnavailable(Exception):
    """The store did not answer, or its answer was lost: whether it wrote is unknown."""


class Unstorable(Exception):
    """One of these records has a number or a size that the store cannot hold, now or ever."""


@dataclass(frozen=True, slots=True)
class InsertOutcome:
    """The first ``inserted`` records are on disk; the next one met ``conflict``, if any."""

    inserted: int
    conflict: Conflict | None = None


@dataclass(frozen=True, slots=True)
class LogCheck:
    """What an inspection of one room's log found; ``missing`` are the holes in 1..head."""

    head: int
    rows: int
    missing: tuple[int, ...]

    @property
    def is_whole(self) -> bool:
        """No hole and no double."""
        return not self.missing and self.rows == self.head


class MessageLog(Protocol):
    """Rows are unique by (room, seq), (room, device, message id) and (room, epoch, device, n).

    Every method raises `StoreUnavailable` when the store does not answer.
    """

    async def heads(self, room_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, int]:
        """The highest seq of each of these rooms, 0 for a room without rows."""

    async def find(self, keys: Collection[Key]) -> dict[Key, Record]:
        """The stored records among these idempotency keys."""

    async def insert(self, records: Sequence[Record]) -> InsertOutcome:
        """Write in this order and stop at the first conflict; what was written is on disk.

        A record whose key is stored is a conflict of ``message``, whatever else of it collides.
        Raises `Unstorable`, and has then written nothing of the record that is to blame.
        """

    async def page(self, room_id: uuid.UUID, after: int, upto: int) -> list[Record]:
        """The records with after < seq <= upto, ascending."""

    async def delete_room(self, room_id: uuid.UUID) -> None:
        """Remove every row of the room."""

    async def verify(self, room_id: uuid.UUID) -> LogCheck:
        """Look for holes and doubles."""
