"""How frames leave through one socket, chosen once for each connection by what the server offers.

Nobody ever waits for a slow socket: what it cannot take is kept up to a cap, then it is cut off.
Only the transport's interface is used (write, back-pressure, and whether anything waits); closing
and pinging stay with the server. `AsgiOutlet` works everywhere and is the way out of every doubt.
"""

import asyncio
import logging
import uuid
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import cache, partial
from typing import Any

from django.conf import settings
from websockets.frames import Frame, Opcode

log = logging.getLogger("gamrae.transport")

MAX_WAITING_FRAMES = 256
MAX_WAITING_BYTES = 1024 * 1024
CALM_BYTES = 128 * 1024
FINISH_SECONDS = 1

Send = Callable[[dict[str, Any]], Awaitable[None]]


def encode_text(payload: bytes) -> bytes:
    """A whole unmasked text frame (RFC 6455, section 5.2), the same for every reader."""
    size = len(payload)
    if size < 126:
        return bytes((0x81, size)) + payload
    if size < 1 << 16:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload


class Outlet(ABC):
    """One socket's way out. ``too_slow`` is called once, when more waits than the caps allow."""

    def __init__(self, too_slow: Callable[[], None]) -> None:
        self.user_id: uuid.UUID | None = None
        self._too_slow = too_slow
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._is_shut = False
        self._calm = asyncio.Event()
        self._calm.set()

    def write(self, texts: Sequence[bytes], wire: bytes | None = None) -> None:
        """Send JSON texts in order; ``wire`` is `encode_text` of all of them, if already made."""
        if self._is_shut:
            return
        if not self._waiting and self._is_ready():
            self._put(wire or b"".join(map(encode_text, texts)))
            return
        self._waiting.extend(texts)
        self._waiting_bytes += sum(map(len, texts))
        if len(self._waiting) > MAX_WAITING_FRAMES or self._waiting_bytes > MAX_WAITING_BYTES:
            self.shut()
            self._too_slow()
            return
        if self._waiting_bytes > CALM_BYTES:
            self._calm.clear()
        self._wake()

    async def calm(self) -> None:
        """Return when little waits, or nothing ever will: for who sends more than a few frames."""
        await self._calm.wait()

    async def finish(self) -> None:
        """Send what waits, if that takes no time, and nothing more."""
        self.shut()

    def shut(self) -> None:
        """Send nothing more."""
        self._is_shut = True
        self._waiting.clear()
        self._calm.set()

    def abort(self) -> None:  # noqa: B027 (plain ASGI has no such thing)
        """Drop the connection without waiting for the reader, where the server lets us."""

    def _next(self) -> bytes:
        text = self._waiting.popleft()
        self._waiting_bytes -= len(text)
        if self._waiting_bytes <= CALM_BYTES:
            self._calm.set()
        return text

    def _drain(self) -> None:
        while self._waiting and self._is_ready():
            self._put(encode_text(self._next()))

    @abstractmethod
    def _is_ready(self) -> bool:
        """Whether the transport takes more without piling up."""

    @abstractmethod
    def _put(self, wire: bytes) -> None:
        """Hand finished frames to the transport."""

    @abstractmethod
    def _wake(self) -> None:
        """See to it that what waits is sent once the transport is ready."""


class AsgiOutlet(Outlet):
    """Plain ASGI: one task that awaits ``send`` while something waits."""

    def __init__(self, too_slow: Callable[[], None], send: Send) -> None:
        super().__init__(too_slow)
        self._send = send
        self._task: asyncio.Task[None] | None = None

    def shut(self) -> None:
        super().shut()
        if self._task is not None:
            self._task.cancel()

    async def finish(self) -> None:
        if self._task is not None and not self._task.done():
            await asyncio.wait({self._task}, timeout=FINISH_SECONDS)
        self.shut()

    def _is_ready(self) -> bool:
        return False

    def _put(self, wire: bytes) -> None:
        raise AssertionError("plain ASGI takes texts, not finished frames")

    def _wake(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._send_all())

    async def _send_all(self) -> None:
        while self._waiting:
            try:
                await self._send({"type": "websocket.send", "text": self._next().decode()})
            except Exception:  # each server has its own word for "the peer is gone"
                self.shut()


class DaphneOutlet(Outlet):
    """daphne: Twisted pauses and resumes us as a push producer of the socket's transport."""

    def __init__(self, too_slow: Callable[[], None], protocol: Any) -> None:
        super().__init__(too_slow)
        from twisted.internet.tcp import Server  # uvicorn's processes do without Twisted

        self._protocol = protocol
        self._is_plain = type(protocol.transport) is Server  # with TLS, what is written is not sent
        self._is_paused = False
        # The HTTP channel that the socket grew out of still holds the place, and stops reading.
        protocol.transport.unregisterProducer()
        protocol.transport.registerProducer(self, True)
        # The one second of the library is short for a slow reader to learn why it is cut off.
        protocol.closeHandshakeTimeout = 5

    def shut(self) -> None:
        super().shut()
        if self._protocol.transport is not None:
            self._protocol.transport.unregisterProducer()

    def abort(self) -> None:
        self._protocol.transport.abortConnection()

    def _is_ready(self) -> bool:
        return not self._is_paused

    def _put(self, wire: bytes) -> None:
        if self._protocol.state != self._protocol.STATE_OPEN:
            return
        taken = self._taken_at_once(wire) if self._is_plain else 0
        if taken < len(wire):
            self._protocol.transport.write(wire[taken:])

    def _taken_at_once(self, wire: bytes) -> int:
        """How many bytes the kernel takes now, provided that nothing waits before them.

        Twisted would watch the socket until it is writable, write, and stop watching, which costs
        more than the rest of a delivery. A lost connection is left for the reactor to find.
        """
        transport = self._protocol.transport
        if transport.dataBuffer or transport._tempDataLen:
            return 0
        taken = transport.writeSomeData(wire)
        return taken if isinstance(taken, int) else 0

    def _wake(self) -> None:
        """`resumeProducing` comes by itself."""

    def pauseProducing(self) -> None:  # noqa: N802 (Twisted's name)
        """More than 64 KiB wait in the transport."""
        self._is_paused = True

    def resumeProducing(self) -> None:  # noqa: N802 (Twisted's name)
        """The transport is empty again."""
        self._is_paused = False
        self._drain()

    def stopProducing(self) -> None:  # noqa: N802 (Twisted's name)
        """The connection is gone."""
        super().shut()


class UvicornOutlet(Outlet):
    """uvicorn with ``--ws websockets-sansio``: an asyncio transport."""

    def __init__(self, too_slow: Callable[[], None], protocol: Any) -> None:
        super().__init__(too_slow)
        self._protocol = protocol
        self._task: asyncio.Task[None] | None = None

    def shut(self) -> None:
        super().shut()
        if self._task is not None:
            self._task.cancel()

    def abort(self) -> None:
        self._protocol.transport.abort()

    def _is_ready(self) -> bool:
        return bool(self._protocol.writable.is_set())

    def _put(self, wire: bytes) -> None:
        if not (self._protocol.close_sent or self._protocol.transport.is_closing()):
            self._protocol.transport.write(wire)

    def _wake(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain_when_writable())

    async def _drain_when_writable(self) -> None:
        while self._waiting:
            await self._protocol.writable.wait()
            self._drain()


def outlet_for(send: Send, too_slow: Callable[[], None]) -> Outlet:
    """The best way out that this server offers; plain ASGI when anything is unexpected."""
    outlet: Outlet = AsgiOutlet(too_slow, send)
    if settings.FAST_SEND == "auto" and fast_send():
        with suppress(AttributeError, IndexError, TypeError, LookupError):
            outlet = _fast_outlet(send, too_slow)
    log.debug("code=outlet kind=%s", type(outlet).__name__)
    return outlet


def _fast_outlet(send: Any, too_slow: Callable[[], None]) -> Outlet:
    if isinstance(send, partial):
        protocol = send.args[0]
        if protocol.STATE_OPEN and not protocol.websocket_extensions_in_use:
            return DaphneOutlet(too_slow, protocol)
    protocol = send.__self__
    if protocol.conn.extensions or not callable(protocol.transport.write):
        raise LookupError("frames are changed on their way: compression")
    protocol.writable.is_set()
    protocol.transport.is_closing()
    return UvicornOutlet(too_slow, protocol)


async def close(send: Send, code: int) -> None:
    """Close an open socket with any code of docs/wire.md."""
    protocol: Any = send.args[0] if isinstance(send, partial) and send.args else None
    if hasattr(protocol, "sendCloseFrame") and not 3000 <= code <= 4999:
        # daphne's library lets applications name only codes of their own.
        protocol.sendCloseFrame(code=code)
    else:
        await send({"type": "websocket.close", "code": code})


@cache
def fast_send() -> bool:
    """Whether the self-test passed in this process; it runs once, at the start."""
    works = fast_send_works()
    if not works:
        log.error("code=fast_send_off")
    return works


def fast_send_works() -> bool:
    """The self-test: another implementation reads our frames as we mean them."""
    sizes = (0, 125, 126, 65535, 65536)
    return all(
        encode_text(b"x" * size) == Frame(Opcode.TEXT, b"x" * size).serialize(mask=False)
        for size in sizes
    )
