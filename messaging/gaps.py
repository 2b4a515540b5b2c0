"""Notices what the fan-out kept from this process: a log that is further than the news of it.

A frame that is lost leaves no trace, but clients ask each minute where the logs are. What a log
had for some seconds and no frame told of was lost, and for every socket of the room here.
"""

import asyncio
import re
import uuid
from collections.abc import Callable

from messaging import metrics

IN_FLIGHT_SECONDS = 5.0  # stored, and its frame may still be on its way
# As `announce.message_stored` writes it.
STORED = re.compile(rb'\{"event":"message\.stored","room_id":"[^"]{36}","from":\d+,"to":(\d+),')


class Gaps:
    """Lives in the server's event loop; ``lost`` is called with a room that needs to be told."""

    def __init__(self, lost: Callable[[uuid.UUID], None]) -> None:
        self._lost = lost
        self._told: dict[uuid.UUID, int] = {}
        self._doubted: set[uuid.UUID] = set()

    def hear(self, room_id: uuid.UUID, frame: bytes) -> None:
        """A frame came in; one that tells of stored records tells how far the log is."""
        if stored := STORED.match(frame):
            self.told(room_id, int(stored[1]))

    def told(self, room_id: uuid.UUID, seq: int) -> None:
        """The sockets of the room are being told that its log is there."""
        self._told[room_id] = max(seq, self._told.get(room_id, 0))

    def compare(self, room_id: uuid.UUID, seq: int) -> None:
        """The log of the room is there: wait for its frame, and say so when none comes."""
        # What was stored before the first look was never to be heard here.
        if seq > self._told.setdefault(room_id, seq) and room_id not in self._doubted:
            self._doubted.add(room_id)
            loop = asyncio.get_running_loop()
            loop.call_later(IN_FLIGHT_SECONDS, self._decide, room_id, seq)

    def forget(self, room_id: uuid.UUID) -> None:
        """The last socket of the room is gone."""
        self._told.pop(room_id, None)

    def _decide(self, room_id: uuid.UUID, seq: int) -> None:
        self._doubted.discard(room_id)
        if self._told.get(room_id, seq) < seq:
            metrics.HEADS_MISMATCHES.inc()
            self._lost(room_id)
