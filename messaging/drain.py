"""Ending without loss: no new sockets, a hint to move, what is in flight is finished, then 1012."""

import asyncio
from typing import Protocol

from messaging.broker import MessageQueue

RECONNECT_WITHIN_MS = 10_000
IN_FLIGHT_SECONDS = 5.0
CLOSING_SECONDS = 1.0
RESTARTS = 1012


class Socket(Protocol):
    """What the drain needs of an open socket."""

    def hint(self, within_ms: int) -> None:
        """Tell the client to reconnect at a random moment of this time."""

    def end(self, code: int) -> None:
        """Close it."""


class Drain:
    """The open sockets of this process, and whether it is on its way out."""

    def __init__(self) -> None:
        self.is_draining = False
        self._sockets: set[Socket] = set()
        self._empty = asyncio.Event()

    def add(self, socket: Socket) -> None:
        """A socket is open."""
        self._sockets.add(socket)

    def remove(self, socket: Socket) -> None:
        """A socket is closed."""
        self._sockets.discard(socket)
        if self.is_draining and not self._sockets:
            self._empty.set()

    async def run(self, queue: MessageQueue) -> None:
        """Refuse new sockets, tell the open ones, finish what is in flight, close them."""
        self.is_draining = True
        for socket in tuple(self._sockets):
            socket.hint(RECONNECT_WITHIN_MS)
        try:
            async with asyncio.timeout(IN_FLIGHT_SECONDS):
                await queue.stop()
        except TimeoutError:
            pass  # not confirmed, so its sender keeps it
        for socket in tuple(self._sockets):
            socket.end(RESTARTS)
        if self._sockets:
            await asyncio.wait({asyncio.ensure_future(self._empty.wait())}, timeout=CLOSING_SECONDS)


_drain = Drain()


def this_process() -> Drain:
    """The one of this process."""
    return _drain


def is_draining() -> bool:
    """Whether this process is on its way out; readiness answers 503 then."""
    return _drain.is_draining
