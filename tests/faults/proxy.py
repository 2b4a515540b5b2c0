"""A TCP way to a service that can be made as bad as networks are, while connections are open."""

import asyncio
import contextlib
import math
import random
import socket
import struct
import threading
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

R = TypeVar("R")
Way = Literal["up", "down"]  # to the service, and from it

PIECE = 65536
PIECES_ON_THE_WAY = 8
SMALLEST = 1024  # pieces of a slow line
RETRANSMISSION_SECONDS = (0.2, 1.0)
AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: closing is a reset


@dataclass(frozen=True)
class Fault:
    """What is wrong now. Seconds and bytes; each holds for both ways unless it names one.

    ``loss``: the share of pieces that come a retransmission later, which is what a lost packet does
    to a TCP connection. ``blocked``: nothing passes; what was sent waits, as in a partition.
    ``cut_after``: a connection is reset once so many bytes have passed. ``idle``: so is one on
    which nothing passes for so long, as by a load balancer.
    """

    delay: float = 0.0
    jitter: float = 0.0
    loss: float = 0.0
    rate: float = math.inf
    blocked: frozenset[Way] = frozenset()
    cut_after: dict[Way, int] = field(default_factory=dict)
    idle: float = math.inf


HEALTHY = Fault()
BLACKHOLE = Fault(blocked=frozenset({"up", "down"}))


class Cut(Exception):
    """So many bytes have passed; the rest does not."""


class FaultProxy:
    """Forwards to a service from a port of its own. Its loop lives in a thread; call from any."""

    def __init__(self, url: str, seed: int = 0) -> None:
        self._url = urlsplit(url)
        self.random = random.Random(seed)
        self.fault = HEALTHY
        self.changed = asyncio.Event()
        self.passed = {"up": 0, "down": 0}
        self.connections = 0
        self._serving: dict[asyncio.Task[Any], Connection | None] = {}
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.port = self._run(self._listen(0))

    @property
    def url(self) -> str:
        """The service's address by way of this proxy."""
        user = self._url.netloc.rpartition("@")[0]
        here = f"127.0.0.1:{self.port}"
        return self._url._replace(netloc=f"{user}@{here}" if user else here).geturl()

    def set(self, fault: Fault) -> None:
        """From now on this is wrong, also with what is under way; ``HEALTHY``: nothing is."""
        self._run(self._set(fault))

    def heal(self) -> None:
        """Nothing is wrong any more, and everybody may connect."""
        self.set(HEALTHY)
        self._run(self._listen(self.port))

    def reset(self) -> None:
        """Break every connection; new ones are welcome."""
        self._run(self._reset())

    def refuse(self) -> None:
        """Break every connection and take no new one."""
        self._run(self._shut())
        self.reset()

    def close(self) -> None:
        """Leave nothing behind."""
        self.refuse()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, R]) -> R:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _listen(self, port: int) -> int:
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, limit=PIECE)
            self.port = self._server.sockets[0].getsockname()[1]
        return self.port

    async def _shut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _set(self, fault: Fault) -> None:
        self.fault = fault
        for connection in self._serving.values():
            if connection is not None:
                connection.begin_counting()
        self.changed.set()
        self.changed = asyncio.Event()

    async def _reset(self) -> None:
        tasks = list(self._serving)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        assert self._url.hostname is not None
        self._serving[task] = None
        self.connections += 1
        try:
            where = self._url.hostname, self._url.port
            service = await asyncio.open_connection(*where, limit=PIECE)
            connection = self._serving[task] = Connection(self, (reader, writer), service)
            await connection.run()
        except (OSError, asyncio.CancelledError):
            _abort(writer)
        finally:
            del self._serving[task]


Wire = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Connection:
    """One client's connection and the one to the service that belongs to it."""

    def __init__(self, proxy: FaultProxy, client: Wire, service: Wire) -> None:
        self._writers = (client[1], service[1])
        self._lanes = (
            Lane(proxy, "up", client[0], service[1]),
            Lane(proxy, "down", service[0], client[1]),
        )
        self._proxy = proxy

    def begin_counting(self) -> None:
        """``cut_after`` counts from here."""
        for lane in self._lanes:
            lane.counted = 0

    async def run(self) -> None:
        """Forward until either side ends or a fault does."""
        steps = [step for lane in self._lanes for step in (lane.take(), lane.give())]
        tasks = [asyncio.create_task(step) for step in (*steps, self._idle())]
        is_clean = False
        try:
            done, _ = await asyncio.wait(tasks[1::2] + tasks[4:], return_when="FIRST_COMPLETED")
            is_clean = all(task.exception() is None for task in done)
        finally:
            for task in tasks:
                task.cancel()
            for writer in self._writers:
                if is_clean:
                    writer.close()
                else:
                    _abort(writer)
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _idle(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        while True:
            await asyncio.sleep(0.1)
            last = max(began, *(lane.moved for lane in self._lanes))
            if loop.time() - last > self._proxy.fault.idle:
                raise Cut


class Lane:
    """One way of one connection. Pieces keep their order whatever delays them."""

    def __init__(
        self,
        proxy: FaultProxy,
        way: Way,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
    ) -> None:
        self._proxy = proxy
        self._way: Way = way
        self._source = source
        self._sink = sink
        self._pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(PIECES_ON_THE_WAY)
        self._loop = asyncio.get_running_loop()
        self.counted = 0
        self.moved = 0.0

    async def take(self) -> None:
        """Read what is sent, and note of each piece when it is due."""
        with contextlib.suppress(OSError):
            while data := await self._source.read(PIECE):
                await self._pieces.put((self._loop.time() + self._detour(), data))
        await self._pieces.put((0.0, b""))

    def _detour(self) -> float:
        fault, draw = self._proxy.fault, self._proxy.random
        seconds = fault.delay + draw.uniform(0, fault.jitter)
        if draw.random() < fault.loss:
            seconds += draw.uniform(*RETRANSMISSION_SECONDS)
        return seconds

    async def give(self) -> None:
        """Pass the pieces on; returns at the end of what was sent, raises `Cut` in the middle."""
        while True:
            due, data = await self._pieces.get()
            if not data:
                return
            await self._until(due)
            for piece in self._slices(data):
                await self._opened()
                await self._pass(piece)

    def _slices(self, data: bytes) -> list[bytes]:
        if math.isinf(self._proxy.fault.rate):
            return [data]
        return [data[at : at + SMALLEST] for at in range(0, len(data), SMALLEST)]

    async def _opened(self) -> None:
        while self._way in self._proxy.fault.blocked:
            await self._proxy.changed.wait()

    async def _until(self, due: float) -> None:
        if due > self._loop.time():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(due):
                    await self._loop.create_future()

    async def _pass(self, piece: bytes) -> None:
        left = self._proxy.fault.cut_after.get(self._way, math.inf) - self.counted
        is_cut = len(piece) >= left
        piece = piece[: int(left)] if is_cut else piece
        await self._until(self._loop.time() + len(piece) / self._proxy.fault.rate)
        self._sink.write(piece)
        await self._sink.drain()
        self.counted += len(piece)
        self._proxy.passed[self._way] += len(piece)
        self.moved = self._loop.time()
        if is_cut:
            raise Cut


def _abort(writer: asyncio.StreamWriter) -> None:
    """End with a reset, as a host that is gone does."""
    with contextlib.suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
    writer.transport.abort()
