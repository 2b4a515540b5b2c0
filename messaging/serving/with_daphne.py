"""daphne, started from within so that the end of the process is ours."""

import asyncio
import signal
from typing import Any

from daphne.http_protocol import WebRequest
from daphne.server import Server
from daphne.server import reactor as twisted_reactor
from daphne.ws_protocol import WebSocketProtocol
from twisted.internet.error import CannotListenError

from messaging.drain import is_draining
from messaging.limits import TokenBucket
from messaging.serving import (
    MAX_BODY,
    MAX_FRAGMENTS,
    MAX_FRAME,
    PING_SECONDS,
    PING_TIMEOUT_SECONDS,
    TOO_MANY_FRAMES,
    CannotListen,
    Listening,
    Unread,
)

APPLICATION_CLOSE_SECONDS = 5
HTTP_TIMEOUT_SECONDS = 120
# To a new socket while draining, so that a proxy asks another process; daphne offers no other way.
ELSEWHERE = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
TOO_LARGE = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def serve(application: Any, listening: Listening) -> None:
    """Serve until SIGTERM or SIGINT; a second one ends at once. Raises `CannotListen`."""
    server = _Server(application, listening)
    loop = twisted_reactor._asyncioEventloop
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.end)
    loop.run_until_complete(listening.opened())
    server.run()
    if server.refusal is not None:
        raise CannotListen(server.refusal)


class _Server(Server):  # type: ignore[misc] # daphne ships no types
    def __init__(self, application: Any, listening: Listening) -> None:
        super().__init__(
            application,
            endpoints=[_endpoint(listening)],
            signal_handlers=False,
            http_timeout=HTTP_TIMEOUT_SECONDS,
            websocket_timeout=-1,
            ping_interval=PING_SECONDS,
            ping_timeout=PING_TIMEOUT_SECONDS,
            websocket_max_message_size=MAX_FRAME,
            websocket_max_frame_size=MAX_FRAME,
            application_close_timeout=APPLICATION_CLOSE_SECONDS,
            verbosity=0,
            server_name="gamrae",
            ready_callable=self._prepare_factories,
        )
        self._listening = listening
        self._ending: asyncio.Task[None] | None = None
        self.refusal: str | None = None
        self.connections: dict[Any, dict[str, Any]] = {}

    def _prepare_factories(self) -> None:
        # By default a frame that is too large ends in a dropped connection, without its code.
        self.ws_factory.setProtocolOptions(failByDrop=False)
        self.ws_factory.protocol = _BoundedSocket
        build = self.http_factory.buildProtocol

        def build_bounded(address: Any) -> Any:
            protocol = build(address)
            protocol.requestFactory = _BoundedRequest
            return protocol

        self.http_factory.buildProtocol = build_bounded

    def listen_success(self, port: Any) -> None:
        super().listen_success(port)
        self._listening.began(port.getHost().port)

    def listen_error(self, failure: Any) -> None:
        reason = failure.value
        if isinstance(reason, CannotListenError):
            reason = reason.socketError
        self.refusal = str(reason)
        self.stop()

    def end(self) -> None:
        """Drain and stop; called twice, stop."""
        if self._ending is not None:
            self.stop()
            return
        self._ending = asyncio.ensure_future(self._drain_and_stop())

    async def _drain_and_stop(self) -> None:
        try:
            await self._listening.drain()
        finally:
            self.stop()

    def kill_all_applications(self) -> Any:
        # Connections whose application has ended already have none to kill.
        for protocol, details in list(self.connections.items()):
            if "application_instance" not in details:
                del self.connections[protocol]
        return super().kill_all_applications()


class _BoundedRequest(WebRequest):  # type: ignore[misc] # daphne ships no types
    """Cuts off a body that is too large: daphne has all of it on disk before anybody is asked."""

    is_cut = False

    def gotLength(self, length: int | None) -> None:  # noqa: N802 (Twisted's name)
        """The headers are read; None: the client does not say how much comes."""
        too_large = length is not None and length > MAX_BODY
        super().gotLength(0 if too_large else length)
        if too_large:
            self._cut()

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802 (Twisted's name)
        """A part of the body has come."""
        if not self.is_cut and self.content.tell() + len(data) > MAX_BODY:
            self._cut()
        if not self.is_cut:
            super().handleContentChunk(data)

    def process(self) -> Any:
        """All of it has come, maybe in the same moment in which we gave up."""
        if is_draining() and self.requestHeaders.hasHeader(b"upgrade"):
            self._cut(ELSEWHERE)
        return None if self.is_cut else super().process()

    def _cut(self, answer: bytes = TOO_LARGE) -> None:
        self.is_cut = True
        self.channel.transport.write(answer)
        self.channel.loseConnection()


class _BoundedSocket(WebSocketProtocol):  # type: ignore[misc] # daphne ships no types
    """Bounds what a client gets kept here by frames that never reach the application."""

    def __init__(self) -> None:
        super().__init__()
        self._pongs = TokenBucket()
        self._fragments = 0
        self._unread = Unread()
        self._is_full = False

    def onMessage(self, payload: bytes, isBinary: bool) -> None:  # noqa: N802, N803 (as above)
        """Queue it for the application: daphne would take all that comes while that is busy."""
        if self._is_full:
            return
        if self._unread.takes(len(payload), is_empty=self.application_queue.empty()):
            super().onMessage(payload, isBinary)
        else:
            self._is_full = True
            self.sendClose(code=TOO_MANY_FRAMES)

    def onPing(self, payload: bytes) -> None:  # noqa: N802 (the library's name)
        """Answer, unless it is a flood: pongs that nobody reads would pile up."""
        if self._pongs.take():
            super().onPing(payload)

    def onMessageBegin(self, isBinary: bool) -> None:  # noqa: N802, N803 (the library's names)
        """The first fragment of a message comes."""
        self._fragments = 0
        super().onMessageBegin(isBinary)

    def onMessageFrameBegin(self, length: int) -> None:  # noqa: N802 (the library's name)
        """A fragment comes; each is kept until its message is whole."""
        super().onMessageFrameBegin(length)
        self._fragments += 1
        if self._fragments > MAX_FRAGMENTS and not self.failedByMe:
            self._max_message_size_exceeded(self._fragments, MAX_FRAGMENTS, "too many fragments")


def _endpoint(listening: Listening) -> str:
    host = listening.host.strip("[]").replace(":", r"\:")
    where = f"port={listening.port}:interface={host}"
    if not listening.certificate:
        return f"tcp:{where}"
    key, certificate = (path.replace(":", r"\:") for path in (listening.key, listening.certificate))
    return f"ssl:{where}:privateKey={key}:certKey={certificate}"
