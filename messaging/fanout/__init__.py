"""Carries what happens in a room to every process that has a socket of the room: one interface."""

import uuid
from collections.abc import Callable
from typing import Protocol

Receive = Callable[[uuid.UUID, bytes], None]


class FanOut(Protocol):
    """At most once, in the order of publishing for each room; sync repairs what is lost."""

    async def join(self, room_id: uuid.UUID, receive: Receive) -> None:
        """From now on ``receive(room_id, payload)`` is called in the caller's event loop."""

    async def leave(self, room_id: uuid.UUID, receive: Receive) -> None:
        """Stop calling ``receive`` for this room; harmless when it did not join."""

    async def publish(self, room_id: uuid.UUID, payload: bytes) -> None:
        """Hand the same bytes to every process that joined. Never raises for a lost connection."""

    async def start(self) -> None:
        """Connect; safe to call twice."""

    async def stop(self) -> None:
        """Let go of the connections; who has joined stays joined."""
