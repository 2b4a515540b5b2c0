"""Which sockets of this process belong to which room. A frame is made once and shared by all."""

import asyncio
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection

from messaging import frames, metrics
from messaging.fanout import FanOut
from messaging.fanout.control import INTERRUPTED, decode_removal
from messaging.transport import Outlet, encode_text

# room → (newest seq, head epoch); rooms without an answer are left out
Positions = Callable[[Collection[uuid.UUID]], Awaitable[dict[uuid.UUID, tuple[int, int]]]]


class Hub:
    """Lives in the server's event loop. Never waits for a socket."""

    def __init__(self, fan_out: FanOut, positions: Positions | None = None) -> None:
        self._fan_out = fan_out
        self._positions = positions
        self._interrupted: set[uuid.UUID] = set()
        self._catching_up: asyncio.Task[None] | None = None
        self._rooms: defaultdict[uuid.UUID, set[Outlet]] = defaultdict(set)
        self._turn: defaultdict[uuid.UUID, list[bytes]] = defaultdict(list)
        self._flush_loop: asyncio.AbstractEventLoop | None = None

    async def join(self, room_id: uuid.UUID, outlet: Outlet) -> None:
        """From now on the outlet gets the room's frames."""
        self._rooms[room_id].add(outlet)
        await self._fan_out.join(room_id, self.receive)

    async def leave(self, room_id: uuid.UUID, outlet: Outlet) -> None:
        """The outlet gets nothing more of this room; harmless when it did not join."""
        self._rooms[room_id].discard(outlet)
        await self._forget_if_empty(room_id)

    async def leave_all(self, outlet: Outlet) -> None:
        """The socket is closed."""
        for room_id in [room_id for room_id, all_ in self._rooms.items() if outlet in all_]:
            await self.leave(room_id, outlet)

    def receive(self, room_id: uuid.UUID, payload: bytes) -> None:
        """What the fan-out brings: a frame for the sockets, or a word for the hub."""
        if payload == INTERRUPTED:
            self._catch_up(room_id)
            return
        removed = decode_removal(payload)
        if removed is not None:
            self._flush()  # what came before their removal is still theirs
            self._rooms[room_id] -= {
                outlet for outlet in self._rooms[room_id] if outlet.user_id in removed
            }
            return
        self._turn[room_id].append(payload)
        loop = asyncio.get_running_loop()
        if self._flush_loop is not loop:
            self._flush_loop = loop
            loop.call_soon(self._flush)

    def _catch_up(self, room_id: uuid.UUID) -> None:
        self._interrupted.add(room_id)
        if self._catching_up is None or self._catching_up.done():
            self._catching_up = asyncio.create_task(self._tell_positions())

    async def _tell_positions(self) -> None:
        """Tell every socket of the interrupted rooms where the logs are; they sync what is new."""
        while self._positions is not None and self._interrupted:
            rooms, self._interrupted = self._interrupted, set()
            for room_id, (seq, epoch) in (await self._positions(rooms)).items():
                metrics.RESYNCS.labels("interruption").inc()
                position = {str(room_id): {"seq": seq, "epoch": epoch}}
                self.receive(room_id, frames.push("heads", rooms=position))

    def sockets_in(self, room_id: uuid.UUID) -> int:
        """How many sockets of this process are in the room."""
        return len(self._rooms.get(room_id, ()))

    def _flush(self) -> None:
        """All frames of one turn of the loop leave in one write for each socket."""
        self._flush_loop = None
        turn, self._turn = self._turn, defaultdict(list)
        for room_id, texts in turn.items():
            wire = b"".join(map(encode_text, texts))
            for outlet in tuple(self._rooms.get(room_id, ())):
                outlet.write(texts, wire)

    async def _forget_if_empty(self, room_id: uuid.UUID) -> None:
        if not self._rooms[room_id]:
            del self._rooms[room_id]
            await self._fan_out.leave(room_id, self.receive)
