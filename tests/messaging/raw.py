"""A socket spoken to byte by byte, for what no library would send."""

import base64
import json
import os
import socket
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from accounts.protocol import from_base64url
from tests.cast import Person
from tests.messaging.sockets import program

PATIENCE = 20.0
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
LAST = "the last"


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0) -> bytes:
    """A masked frame as RFC 6455 says, section 5.2; ``rsv`` are its three reserved bits."""
    return head(opcode, len(payload), fin=fin, rsv=rsv) + masked(payload)


def head(
    opcode: int, size: int, *, fin: bool = True, rsv: int = 0, mask: bool = True, width: int = 0
) -> bytes:
    """The first bytes of a frame. ``width``: so many bytes for its size, where fewer would do."""
    width = width or (0 if size < 126 else 2 if size < 1 << 16 else 8)
    short = {0: size, 2: 126, 8: 127}[width]
    first = fin << 7 | rsv << 4 | opcode
    return bytes((first, mask << 7 | short)) + (size.to_bytes(width, "big") if width else b"")


def masked(payload: bytes) -> bytes:
    """A mask and a payload under it."""
    mask = os.urandom(4)
    return mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


def text(words: str | bytes) -> bytes:
    """A whole text frame."""
    return frame(TEXT, words if isinstance(words, bytes) else words.encode())


def asking(event: str, ref: str, **members: Any) -> bytes:
    """A text frame that asks for something."""
    return text(json.dumps({"event": event, "ref": ref, **members}))


class RawSocket:
    """An open connection whose device is proved."""

    def __init__(self, port: int, person: Person) -> None:
        self.wire = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.stream = self.wire.makefile("rb")
        self._upgrade(port, [(name.decode(), value.decode()) for name, value in program(person)])
        _, hello = self._frame() or (0, b"{}")
        greeting = json.loads(hello)
        proof = person.proof(from_base64url(greeting["nonce"]), greeting["origin"])
        self.wire.sendall(asking("device.prove", "proof", **proof))
        _, answer = self._frame() or (0, b"{}")
        assert json.loads(answer)["event"] == "reply", answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.stream.close()
        self.wire.close()

    def _upgrade(self, port: int, headers: Sequence[tuple[str, str]]) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        handshake = {
            "Host": f"127.0.0.1:{port}",
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": key,
            **dict(headers),
        }
        lines = ["GET /ws/ HTTP/1.1", *(f"{name}: {value}" for name, value in handshake.items())]
        self.wire.sendall("\r\n".join([*lines, "", ""]).encode())
        assert b" 101 " in self.stream.readline()
        while self.stream.readline().strip():
            pass

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.wire.sendall(data)

    def send_last(self) -> None:
        """Ask something good, by whose answer it is seen that the socket goes on."""
        self.send(asking("ping", LAST, t=1))

    def hears(self) -> list[str]:
        """What the server says until it answers the last question, or ends the connection."""
        said: list[str] = []
        while (found := self._frame()) is not None:
            opcode, payload = found
            if opcode == CLOSE:
                return [*said, f"close {int.from_bytes(payload[:2], 'big') or ''}".strip()]
            if opcode == PONG:
                said.append(f"pong {len(payload)}")
            elif opcode == TEXT:
                answer = json.loads(payload)
                if answer.get("ref") == LAST:
                    return [*said, "goes on"]
                said.append(answer.get("code") or answer["event"])
        return [*said, "ends"]

    def _frame(self) -> tuple[int, bytes] | None:
        """The opcode and payload of the next frame; None when the connection is over."""
        try:
            start = self.stream.read(2)
            if len(start) < 2:
                return None
            size = start[1]
            if size > 125:
                size = int.from_bytes(self.stream.read(2 if size == 126 else 8), "big")
            return start[0] & 0xF, self.stream.read(size)
        except ConnectionError:
            return None
