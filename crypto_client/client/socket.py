"""The socket of docs/wire.md §4 for a program: asks, waits for the answer, keeps what is pushed."""

import asyncio
import json
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidStatus,
    WebSocketException,
)

from crypto_client.client.failures import Ended, Refused, TimedOut, Unreachable

Frame = dict[str, Any]
Answer = TypeVar("Answer")


class Socket:
    """One open socket. Answers are matched by ``ref``; everything else waits in ``pushes``.

    An event loop in a thread of its own holds the connection: it answers the server's pings while
    the command computes, and only one thread ever touches the TLS session. Two may lock each
    other out of it when the server's session tickets come in between.
    """

    def __init__(self, url: str, *, token: str, timeout: float) -> None:
        self._timeout = timeout
        self._ref = 0
        self.pushes: deque[Frame] = deque()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        try:
            self._connection = self._run(_connect(url, token, timeout))
        except BaseException:
            self._end_loop()
            raise

    def _run(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def close(self) -> None:
        """Say goodbye."""
        if self._loop.is_closed():
            return
        try:
            self._run(self._connection.close())
        finally:
            self._end_loop()

    def hello(self) -> Frame:
        """The first frame, with the nonce that the device proof signs."""
        frame = self._receive(self._timeout)
        if frame.get("event") != "hello":
            raise Unreachable("no_hello")
        return frame

    def ask(self, event: str, **members: object) -> Frame:
        """Send a frame and return its reply; `Refused` with the error's code, else `TimedOut`.

        `Ended` or `Unreachable` when the socket goes: what became of the frame is not known.
        """
        self._ref += 1
        ref = str(self._ref)
        self.send({"event": event, "ref": ref, **members})
        deadline = time.monotonic() + self._timeout
        while True:
            frame = self._receive(deadline - time.monotonic())
            if frame.get("ref") != ref:
                self.pushes.append(frame)
            elif frame["event"] == "error":
                details = (
                    {"retry_after_ms": frame["retry_after_ms"]} if "retry_after_ms" in frame else {}
                )
                raise Refused(
                    str(frame["code"]), retryable=frame.get("retryable", False), **details
                )
            else:
                return frame

    def send(self, frame: Frame) -> None:
        """Put one frame on the wire."""
        try:
            self._run(self._connection.send(json.dumps(frame)))
        except ConnectionClosed as error:
            raise _closed(error) from error

    def take(self, timeout: float) -> Frame | None:
        """The next pushed frame, or None when none comes within ``timeout`` seconds."""
        if self.pushes:
            return self.pushes.popleft()
        try:
            return self._receive(timeout)
        except TimedOut:
            return None

    def waiting(self, wanted: Callable[[Frame], bool]) -> Iterator[Frame]:
        """Take the wanted frames out of what was pushed so far; the rest stays in order."""
        kept: deque[Frame] = deque()
        taken: list[Frame] = []
        for frame in self.pushes:
            (taken if wanted(frame) else kept).append(frame)
        self.pushes = kept
        return iter(taken)

    def _receive(self, timeout: float) -> Frame:
        try:
            message = self._run(_receive(self._connection, max(timeout, 0.0)))
        except TimeoutError as error:
            raise TimedOut("server_timeout") from error
        except ConnectionClosed as error:
            raise _closed(error) from error
        frame = json.loads(message)
        if not isinstance(frame, dict):
            raise Unreachable("not_a_frame")
        return frame


async def _connect(url: str, token: str, seconds: float) -> ClientConnection:
    try:
        return await connect(
            url,
            additional_headers={"X-Session-Token": token},
            open_timeout=seconds,
            max_size=None,  # sync pages may be larger than what a client may send
            compression=None,
        )
    except InvalidHandshake as error:
        if isinstance(error, InvalidStatus) and error.response.status_code >= 500:
            raise Unreachable from error
        raise Refused("not_signed_in") from error
    except TimeoutError as error:
        raise TimedOut("server_timeout") from error
    except (OSError, WebSocketException) as error:
        raise Unreachable from error


async def _receive(connection: ClientConnection, seconds: float) -> str | bytes:
    """The next message; one that is already here is given after no ``seconds``."""
    async with asyncio.timeout(seconds):
        return await connection.recv()


def _closed(error: ConnectionClosed) -> Ended | Unreachable:
    code = error.rcvd.code if error.rcvd else 1006
    if code == 4001:
        return Ended("not_signed_in")
    if code == 4003:
        return Ended("forbidden")
    return Unreachable("closed", close_code=code)
