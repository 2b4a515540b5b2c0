"""uvicorn, started from within so that the end of the process is ours."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

from messaging.limits import TokenBucket
from messaging.serving import (
    MAX_FRAGMENTS,
    MAX_FRAME,
    PING_SECONDS,
    PING_TIMEOUT_SECONDS,
    TOO_MANY_FRAMES,
    CannotListen,
    Listening,
    Unread,
)

BACKLOG = 4096
TOO_LARGE = 1009
PONG = b"\x8a"  # the first byte of a whole pong (RFC 6455, section 5.2)


def serve(application: Any, listening: Listening) -> None:
    """Serve until SIGTERM or SIGINT; a second one ends at once. Raises `CannotListen`."""
    with _bound(listening) as bound:
        _Server(application, listening, bound.getsockname()[1]).run(sockets=[bound])


class _Server(uvicorn.Server):
    def __init__(self, application: Any, listening: Listening, port: int) -> None:
        config = uvicorn.Config(
            application,
            ws=_BoundedSocket,
            ws_max_size=MAX_FRAME,
            ws_per_message_deflate=False,
            ws_ping_interval=PING_SECONDS,
            ws_ping_timeout=PING_TIMEOUT_SECONDS,
            lifespan="off",
            proxy_headers=False,
            server_header=False,
            access_log=False,
            log_config=None,
            timeout_graceful_shutdown=1,
            ssl_certfile=listening.certificate or None,
            ssl_keyfile=listening.key or None,
        )
        super().__init__(config)
        self._listening = listening
        self._port = port
        self._ending: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await self._listening.opened()
        await super().startup(sockets)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.end)
        self._listening.began(self._port)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The signals are ours, see `startup`."""
        yield

    def end(self) -> None:
        """Drain and stop; called twice, stop."""
        if self._ending is not None:
            self.should_exit = self.force_exit = True
            return
        self._ending = asyncio.create_task(self._drain_and_stop())

    async def _drain_and_stop(self) -> None:
        try:
            await self._listening.drain()
        finally:
            self.should_exit = True


class _BoundedSocket(WebSocketsSansIOProtocol):
    """Bounds what a client gets kept here by frames that never reach the application."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._pongs = TokenBucket()
        self._unread = Unread()

    def send_receive_event_to_app(self) -> None:
        """Queue it for the application: one chunk of the network holds thousands of small ones."""
        size = sum(map(len, self.frames))
        if self.close_sent or self._unread.takes(size, is_empty=self.queue.empty()):
            super().send_receive_event_to_app()
        else:
            self._refuse(TOO_MANY_FRAMES)

    def _refuse(self, code: int) -> None:
        self.frames = []
        self.conn.send_close(code)
        self.handle_parser_exception()

    def handle_ping(self) -> None:
        """Answer, unless it is a flood: pongs that nobody reads would pile up."""
        frames = self.conn.data_to_send()
        answers = [one for one in frames if one[:1] != PONG or self._pongs.take()]
        self.transport.write(b"".join(answers))

    def handle_cont(self, event: Frame) -> None:
        """A fragment has come; each is kept until its message is whole."""
        if len(self.frames) < MAX_FRAGMENTS:
            super().handle_cont(event)
        elif not self.close_sent:
            self._refuse(TOO_LARGE)


def _bound(listening: Listening) -> socket.socket:
    host = listening.host.strip("[]")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, listening.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(BACKLOG)
    except OSError as error:
        raise CannotListen(str(error)) from error
    return bound
