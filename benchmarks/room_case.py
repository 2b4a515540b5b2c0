"""One server process, one room of 50, 200 messages a second offered; the clients are here."""

import asyncio
import contextlib
import json
import time
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from benchmarks.results import Result, percentiles
from benchmarks.servers import own_data, serving

ROOM, RATE, SECONDS = 50, 200, 5
GRACE_SECONDS = 10.0
TEXT = "x" * 200
LIVE = b'{"event":"message.live"'
REPLY = b'{"event":"reply"'


@dataclass
class Run:
    """What was sent and what came back, by envelope and by ref; times in seconds."""

    expected: int
    sent: dict[str, float] = field(default_factory=dict)
    asked: dict[str, float] = field(default_factory=dict)
    accepted: list[float] = field(default_factory=list)
    delivered: list[float] = field(default_factory=list)
    refused: int = 0
    all_delivered: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self, frame: bytes, now: float) -> None:
        """Take a frame; only live messages and answers are of interest."""
        if frame.startswith(LIVE):
            self.delivered.append(now - self.sent[json.loads(frame)["envelope"]])
            if len(self.delivered) == self.expected:
                self.all_delivered.set()
        elif frame.startswith(REPLY):
            self.accepted.append(now - self.asked[json.loads(frame)["ref"]])
        elif frame.startswith(b'{"event":"error"'):
            self.refused += 1


def room_of_fifty(server: str) -> list[Result]:
    """Accepted and delivery percentiles, and what was lost."""
    with own_data():
        import django

        django.setup()
        from django.core.management import call_command

        from benchmarks.garden import make_garden

        call_command("migrate", verbosity=0)
        now = time.time_ns() // 1_000_000
        garden = make_garden(ROOM, now)
        envelopes = [
            (number % ROOM, garden.seal(garden.members[number % ROOM], TEXT, now))
            for number in range(RATE * SECONDS)
        ]
        with serving(server) as (address, took):
            run = asyncio.run(_load(address, garden, envelopes))
    return [
        Result("start", server, "process to listening", "s", took),
        *_report(run, server, len(envelopes)),
    ]


def _report(run: Run, server: str, offered: int) -> list[Result]:
    case = f"room_of_{ROOM}"
    return [
        Result(case, server, "offered", "msg/s", RATE),
        *percentiles(case, server, "accepted", run.accepted),
        *percentiles(case, server, "delivery", run.delivered),
        Result(case, server, "refused", "messages", run.refused),
        Result(case, server, "lost", "deliveries", ROOM * offered - len(run.delivered)),
    ]


async def _load(address: str, garden: Any, envelopes: list[tuple[int, bytes]]) -> Run:
    run = Run(expected=ROOM * len(envelopes))
    sockets = [await _proved(address, member) for member in garden.members]
    reading = [asyncio.create_task(_read(socket, run)) for socket in sockets]
    began = time.perf_counter()
    for number, (sender, envelope) in enumerate(envelopes):
        await asyncio.sleep(max(0.0, began + number / RATE - time.perf_counter()))
        await _send(sockets[sender], run, str(garden.room_id), str(number), envelope)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(run.all_delivered.wait(), GRACE_SECONDS)
    for task in reading:
        task.cancel()
    await asyncio.gather(*(socket.close() for socket in sockets))
    return run


async def _send(
    socket: ClientConnection, run: Run, room_id: str, ref: str, envelope: bytes
) -> None:
    from accounts.protocol import to_base64url

    text = to_base64url(envelope)
    frame = {"event": "message.send", "ref": ref, "room_id": room_id, "envelope": text}
    run.sent[text] = run.asked[ref] = time.perf_counter()
    await socket.send(json.dumps(frame))


async def _read(socket: ClientConnection, run: Run) -> None:
    while True:
        frame = await socket.recv(decode=False)
        run.note(frame, time.perf_counter())


async def _proved(address: str, member: Any) -> ClientConnection:
    from uuid import UUID

    from accounts.protocol import from_base64url, to_base64url
    from crypto_client.identity import device_proof

    socket = await connect(
        address.replace("http", "ws", 1) + "/ws/",
        additional_headers={"X-Session-Token": member.token},
        compression=None,
        max_queue=None,
    )
    hello = json.loads(await socket.recv())
    nonce = from_base64url(hello["nonce"])
    proof = {
        "event": "device.prove",
        "ref": "proof",
        "device_id": str(UUID(bytes=member.device.device)),
        "signature": to_base64url(device_proof(member.device, hello["origin"], nonce)),
    }
    await socket.send(json.dumps(proof))
    answer = json.loads(await socket.recv())
    assert answer["event"] == "reply", answer
    return socket
