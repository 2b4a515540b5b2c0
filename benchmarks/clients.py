"""One socket of one person, in the words of each kind of server. All of them cost us the same."""

import asyncio
import time
from typing import Any
from uuid import UUID

import orjson
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from benchmarks.people import Person
from benchmarks.tally import Tally
from crypto_client.encoding import decode_base64url, encode_base64url
from crypto_client.identity import device_proof

READY_SECONDS = 60


class Client(WSListener):
    """Connected, then ready: from there on it gets what is sent into its room."""

    PATH = "/"
    tells_stored = False

    def __init__(self, tally: Tally, person: Person, room_id: UUID) -> None:
        self.tally = tally
        self.person = person
        self.room_id = room_id
        self.seen: set[int] = set()
        self.transport: WSTransport
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @classmethod
    async def open(cls, address: str, tally: Tally, person: Person, room_id: UUID) -> "Client":
        """Connect, and return once messages would come."""
        client = cls(tally, person, room_id)
        await ws_connect(
            lambda: client,
            address.replace("http", "ws", 1) + cls.PATH,
            extra_headers=client.headers(),
            websocket_handshake_timeout=READY_SECONDS,
        )
        async with asyncio.timeout(READY_SECONDS):
            await client.ready
        return client

    def headers(self) -> dict[str, str]:
        """What the opening request carries."""
        return {}

    def on_ws_connected(self, transport: WSTransport) -> None:
        """picows: the opening handshake is over."""
        self.transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """picows: something has come."""
        if frame.msg_type is WSMsgType.TEXT:
            self.take(frame.get_payload_as_bytes(), time.perf_counter())

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """picows: it is over."""
        if not self.ready.done():
            self.ready.set_exception(ConnectionError("closed before it was ready"))

    def close(self) -> None:
        """Leave at once."""
        self.transport.disconnect()

    def say(self, words: str | bytes) -> None:
        """Send a text frame."""
        data = words.encode() if isinstance(words, str) else words
        self.transport.send(WSMsgType.TEXT, data)

    def send(self, number: int, envelope: str) -> None:
        """Send a message into the room; ``number`` names it in the answer, where there is one."""
        raise NotImplementedError

    def take(self, frame: bytes, now: float) -> None:
        """Read a frame."""
        raise NotImplementedError


class GamraeClient(Client):
    """docs/wire.md."""

    PATH = "/ws/"
    tells_stored = True

    def headers(self) -> dict[str, str]:
        return {"X-Session-Token": self.person.token}

    def send(self, number: int, envelope: str) -> None:
        message = {"room_id": self.room_id, "envelope": envelope}
        self.say(orjson.dumps({"event": "message.send", "ref": str(number), **message}))

    def take(self, frame: bytes, now: float) -> None:
        if frame.startswith(b'{"event":"message.live"'):
            self.tally.delivered(self.seen, orjson.loads(frame)["envelope"], now)
        elif frame.startswith(b'{"event":"message.stored"'):
            self.tally.noted(len(orjson.loads(frame)["ids"]))
        elif frame.startswith(b'{"event":"reply"'):
            ref = orjson.loads(frame)["ref"]
            if ref == "proof":
                self.ready.set_result(None)
            else:
                self.tally.accepted(int(ref), now)
        elif frame.startswith(b'{"event":"hello"'):
            self._prove(orjson.loads(frame))
        elif frame.startswith(b'{"event":"error"'):
            self.tally.refused += 1

    def _prove(self, hello: dict[str, Any]) -> None:
        device, nonce = self.person.device, decode_base64url(hello["nonce"])
        proof = {
            "event": "device.prove",
            "ref": "proof",
            "device_id": UUID(bytes=device.device),
            "signature": encode_base64url(device_proof(device, hello["origin"], nonce)),
        }
        self.say(orjson.dumps(proof))


class SocketIoClient(Client):
    """Engine.IO 4 and Socket.IO 5 over a WebSocket from the start."""

    PATH = "/socket.io/?EIO=4&transport=websocket"
    asks = False

    def send(self, number: int, envelope: str) -> None:
        words = orjson.dumps(["message", {"room_id": self.room_id, "envelope": envelope}])
        self.say(b"42%d%b" % (number, words) if self.asks else b"42" + words)

    def take(self, frame: bytes, now: float) -> None:
        if frame.startswith(b'42["message"'):
            self.tally.delivered(self.seen, orjson.loads(frame[2:])[1]["envelope"], now)
        elif frame.startswith(b"43"):
            self.tally.accepted(int(frame[2 : frame.index(b"[")]), now)
        elif frame.startswith(b"42"):
            self.ready.set_result(None)
        elif frame.startswith(b"40"):
            self.say(b"42" + orjson.dumps(["join", self.room_id]))
        elif frame.startswith(b"0"):
            self.say("40")
        elif frame == b"2":
            self.say("3")


class AskingSocketIoClient(SocketIoClient):
    """The same, asking for an acknowledgement of each message."""

    asks = True


class PlainClient(Client):
    """The least that a broadcast needs: a join, and messages in JSON."""

    def on_ws_connected(self, transport: WSTransport) -> None:
        super().on_ws_connected(transport)
        self.say(orjson.dumps({"event": "join", "room_id": self.room_id}))

    def send(self, number: int, envelope: str) -> None:
        message = {"event": "message", "room_id": self.room_id, "envelope": envelope}
        self.say(orjson.dumps(message))

    def take(self, frame: bytes, now: float) -> None:
        found = orjson.loads(frame)
        if found["event"] == "message":
            self.tally.delivered(self.seen, found["envelope"], now)
        else:
            self.ready.set_result(None)
