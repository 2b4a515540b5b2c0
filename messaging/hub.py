"""Which sockets of this process belong to which room. A frame is made once and shared by all."""

import asyncio
import time
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping

from messaging import frames, metrics
from messaging.fanout import FanOut
from messaging.fanout.control import INTERRUPTED, decode_removal
from messaging.gaps import Gaps
from messaging.transport import Outlet, encode_text

# room → (newest seq, head epoch); rooms without an answer are left out
Positions = Callable[[Collection[uuid.UUID]], Awaitable[dict[uuid.UUID, tuple[int, int]]]]

# As `announce.message_live` writes it.
LIVE, ACCEPTED = b'{"event":"message.live",', b'"accepted_ms":'


class Hub:
    """Lives in the server's event loop. Never waits for a socket."""

    def __init__(self, fan_out: FanOut, positions: Positions | None = None) -> None:
        self._fan_out = fan_out
        self._positions = positions
        self._gaps = Gaps(lambda room_id: self._catch_up(room_id, "mismatch"))
        self._behind: dict[uuid.UUID, str] = {}
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
            self._catch_up(room_id, "interruption")
            return
        removed = decode_removal(payload)
        if removed is not None:
            self._flush()  # what came before their removal is still theirs
            self._rooms[room_id] -= {
                outlet for outlet in self._rooms[room_id] if outlet.user_id in removed
            }
            return
        self._gaps.hear(room_id, payload)
        self._turn[room_id].append(payload)
        loop = asyncio.get_running_loop()
        if self._flush_loop is not loop:
            self._flush_loop = loop
            loop.call_soon(self._flush)

    def compare(self, seqs: Mapping[uuid.UUID, int]) -> None:
        """Somebody looked where the logs are; what no frame told of is told to all, in a while."""
        for room_id, seq in seqs.items():
            if room_id in self._rooms:
                self._gaps.compare(room_id, seq)

    def _catch_up(self, room_id: uuid.UUID, reason: str) -> None:
        self._behind[room_id] = reason
        if self._catching_up is None or self._catching_up.done():
            self._catching_up = asyncio.create_task(self._tell_positions())

    async def _tell_positions(self) -> None:
        """Tell every socket of rooms that missed something where the logs are; they sync it."""
        while self._positions is not None and self._behind:
            rooms, self._behind = self._behind, {}
            for room_id, (seq, epoch) in (await self._positions(rooms.keys())).items():
                metrics.RESYNCS.labels(rooms[room_id]).inc()
                self._gaps.told(room_id, seq)
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
            for text in texts:
                _measure(text)

    async def _forget_if_empty(self, room_id: uuid.UUID) -> None:
        if not self._rooms[room_id]:
            del self._rooms[room_id]
            self._gaps.forget(room_id)
            await self._fan_out.leave(room_id, self.receive)


def _measure(frame: bytes) -> None:
    """Observe how long ago the message of a live frame was accepted."""
    if frame.startswith(LIVE):
        begins = frame.rindex(ACCEPTED) + len(ACCEPTED)
        accepted_ms = int(frame[begins : frame.index(b",", begins)])
        # By another machine's clock, which may be ahead of ours.
        metrics.DELIVERY_SECONDS.observe(max(0.0, time.time() - accepted_ms / 1000))
