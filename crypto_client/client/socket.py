"""The socket of docs/wire.md §4 for a program: asks, waits for the answer, keeps what is pushed."""

import json
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidStatus,
    WebSocketException,
)
from websockets.sync.client import ClientConnection, connect

from crypto_client.client.failures import Refused, TimedOut, Unreachable

Frame = dict[str, Any]


class Socket:
    """One open socket. Answers are matched by ``ref``; everything else waits in ``pushes``."""

    def __init__(self, url: str, *, token: str, timeout: float) -> None:
        self._timeout = timeout
        self._ref = 0
        self.pushes: deque[Frame] = deque()
        self._held = ExitStack()
        try:
            self._connection: ClientConnection = self._held.enter_context(
                connect(
                    url,
                    additional_headers={"X-Session-Token": token},
                    open_timeout=timeout,
                    max_size=None,  # sync pages may be larger than what a client may send
                    compression=None,
                )
            )
        except InvalidHandshake as error:
            if isinstance(error, InvalidStatus) and error.response.status_code >= 500:
                raise Unreachable from error
            raise Refused("not_signed_in") from error
        except TimeoutError as error:
            raise TimedOut("server_timeout") from error
        except (OSError, WebSocketException) as error:
            raise Unreachable from error

    def close(self) -> None:
        """Say goodbye."""
        self._held.close()

    def hello(self) -> Frame:
        """The first frame, with the nonce that the device proof signs."""
        frame = self._receive(self._timeout)
        if frame.get("event") != "hello":
            raise Unreachable("no_hello")
        return frame

    def ask(self, event: str, **members: object) -> Frame:
        """Send a frame and return its reply; `Refused` with the error's code, else `TimedOut`."""
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
            self._connection.send(json.dumps(frame))
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
            message = self._connection.recv(timeout=max(timeout, 0.0))
        except TimeoutError as error:
            raise TimedOut("server_timeout") from error
        except ConnectionClosed as error:
            raise _closed(error) from error
        frame = json.loads(message)
        if not isinstance(frame, dict):
            raise Unreachable("not_a_frame")
        return frame


def _closed(error: ConnectionClosed) -> Refused | Unreachable:
    code = error.rcvd.code if error.rcvd else 1006
    if code == 4001:
        return Refused("not_signed_in")
    if code == 4003:
        return Refused("forbidden")
    return Unreachable("closed", close_code=code)
