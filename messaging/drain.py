"""Ending without loss: no new sockets, time to move, what is in flight is finished, then 1012."""

import asyncio
import time
from typing import Protocol

from django.conf import settings

RECONNECT_WITHIN_MS = 10_000  # where everybody is cut off at once
LATE_SECONDS = 2.0  # for those whose moment was the last
IN_FLIGHT_SECONDS = 5.0
CLOSING_SECONDS = 1.0
RESTARTS = 1012


class Socket(Protocol):
    """What the drain needs of an open socket."""

    def hint(self, within_ms: int) -> None:
        """Tell the client to reconnect at a random moment of this time."""

    def end(self, code: int) -> None:
        """Close it."""


class Queue(Protocol):
    """What is in flight: see `MessageQueue.stop`."""

    async def stop(self) -> None:
        """Finish it."""


class Drain:
    """The open sockets of this process, and whether it is on its way out."""

    def __init__(self) -> None:
        self.is_draining = False
        self._ends = 0.0
        self._sockets: set[Socket] = set()
        self._empty = asyncio.Event()

    def add(self, socket: Socket) -> None:
        """A socket is open. One that passed the gate before the end began moves with the others."""
        self._sockets.add(socket)
        if self.is_draining:
            self._empty.clear()
            left_ms = (self._ends - LATE_SECONDS - time.monotonic()) * 1000
            socket.hint(max(0, int(left_ms)) if settings.DRAIN_SECONDS else RECONNECT_WITHIN_MS)

    def remove(self, socket: Socket) -> None:
        """A socket is closed."""
        self._sockets.discard(socket)
        if self.is_draining and not self._sockets:
            self._empty.set()

    def begin(self) -> None:
        """Refuse new sockets, and ask the open ones to move within ``DRAIN_SECONDS``.

        They work until they do. Safe to call twice.
        """
        if self.is_draining:
            return
        self.is_draining = True
        seconds = settings.DRAIN_SECONDS
        self._ends = time.monotonic() + (seconds + LATE_SECONDS if seconds else 0)
        for socket in tuple(self._sockets):
            socket.hint(seconds * 1000 or RECONNECT_WITHIN_MS)

    async def run(self, queue: Queue) -> None:
        """Drain to the end: wait for those who move, finish what is in flight, close the rest."""
        self.begin()
        await self._emptied(self._ends - time.monotonic())
        try:
            async with asyncio.timeout(IN_FLIGHT_SECONDS):
                await queue.stop()
        except TimeoutError:
            pass  # not confirmed, so its sender keeps it
        for socket in tuple(self._sockets):
            socket.end(RESTARTS)
        await self._emptied(CLOSING_SECONDS)

    async def _emptied(self, seconds: float) -> None:
        if self._sockets and seconds > 0:
            await asyncio.wait({asyncio.ensure_future(self._empty.wait())}, timeout=seconds)


_drain = Drain()


def this_process() -> Drain:
    """The one of this process."""
    return _drain


def is_draining() -> bool:
    """Whether this process is on its way out; readiness answers 503 then."""
    return _drain.is_draining
