"""A client that stays connected as docs/wire.md says, and counts what that took."""

import asyncio
import contextlib
import json
import random
import ssl
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from crypto_client.encoding import decode_base64url, encode_base64url
from crypto_client.identity import DeviceKeys, device_proof

RESTART_SECONDS = 10.0


class PutOffError(Exception):
    """The server is too busy to look at the proof; nobody was connected."""


@dataclass(frozen=True)
class Who:
    """A signed-in device, and how its server is reached."""

    address: str
    trust: ssl.SSLContext
    token: str
    device: DeviceKeys


@dataclass
class Watcher:
    """Moves when it is asked to, and fetches what was stored while it was away."""

    who: Who
    room_id: str
    connected: int = 0
    refused: int = 0
    put_off: int = 0
    cut_off: list[int] = field(default_factory=list)
    seqs: set[int] = field(default_factory=set)
    _leaves_at: float | None = None

    @property
    def cursor(self) -> int:
        """Up to where nothing is missing."""
        return next(seq for seq in range(len(self.seqs) + 1) if seq + 1 not in self.seqs)

    async def run(self, ending: asyncio.Event) -> None:
        """Stay connected until the end; ``ending`` is looked at between two frames."""
        while not ending.is_set():
            try:
                await self._live(ending)
            except InvalidStatus:
                self.refused += 1
                await self._wait(ending, 1.0)
            except PutOffError:
                self.put_off += 1
                await self._wait(ending, 1.0)
            except ConnectionClosed as closed:
                self.cut_off.append(closed.rcvd.code if closed.rcvd else 1006)
                await self._wait(ending, RESTART_SECONDS)

    async def _wait(self, ending: asyncio.Event, at_most: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ending.wait(), random.random() * at_most)

    async def _live(self, ending: asyncio.Event) -> None:
        url = self.who.address.replace("http", "ws", 1) + "/ws/"
        headers = {"X-Session-Token": self.who.token}
        async with connect(url, ssl=self.who.trust, additional_headers=headers) as wire:
            self._leaves_at = None
            await self._prove(wire)
            self.connected += 1
            await self._sync(wire)
            while not ending.is_set() and await self._take(wire):
                pass

    async def _prove(self, wire: ClientConnection) -> None:
        hello = json.loads(await wire.recv())
        proof = device_proof(self.who.device, hello["origin"], decode_base64url(hello["nonce"]))
        members = {
            "device_id": str(UUID(bytes=self.who.device.device)),
            "signature": encode_base64url(proof),
        }
        await wire.send(json.dumps({"event": "device.prove", "ref": "proof", **members}))
        while (frame := json.loads(await wire.recv())).get("ref") != "proof":
            self._act(frame)
        if frame["event"] != "reply":
            assert frame["code"] == "unavailable", frame
            raise PutOffError

    async def _sync(self, wire: ClientConnection) -> None:
        rooms = {self.room_id: self.cursor}
        await wire.send(json.dumps({"event": "sync", "ref": "sync", "rooms": rooms}))

    async def _take(self, wire: ClientConnection) -> bool:
        """Act on the next frame; False when it is time to move."""
        try:
            async with asyncio.timeout(0.2):
                frame = json.loads(await wire.recv())
        except TimeoutError:
            frame = {}
        more = self._act(frame)
        if more:
            await self._sync(wire)
        return self._leaves_at is None or asyncio.get_running_loop().time() < self._leaves_at

    def _act(self, frame: dict[str, Any]) -> bool:
        """Note what a frame tells; whether there is more to fetch."""
        if frame.get("event") == "message.stored" and frame["room_id"] == self.room_id:
            self.seqs.update(range(frame["from"], frame["to"] + 1))
        elif frame.get("event") == "sync.page":
            self.seqs.update(range(frame["after"] + 1, frame["upto"] + 1))
            return bool(frame["more"])
        elif frame.get("event") == "reconnect":
            moment = random.random() * frame["within_ms"] / 1000
            self._leaves_at = asyncio.get_running_loop().time() + moment
        return False
