"""A real server in a process of its own over the test's database, and sockets to it."""

import asyncio
import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from accounts.protocol import from_base64url
from tests.cast import Person
from tests.messaging.sockets import program

PATIENCE = 20.0
ROOT = Path(__file__).resolve().parent.parent.parent


def environment(data: Path, **changes: str) -> dict[str, str]:
    """What makes a server use the test's database and signing key."""
    own = {
        "GAMRAE_DATA": str(data),
        "DATABASE_URL": f"sqlite:///{connection.settings_dict['NAME']}",
        "SECRET_KEY": settings.SECRET_KEY,
        "LOG_LEVEL": "DEBUG",
    }
    return {**os.environ, **own, **changes}


class Server:
    """``manage.py serve`` on a free port; ``address`` once it listens, else empty."""

    def __init__(self, data: Path, *arguments: str, **changes: str) -> None:
        self.kind = arguments[1] if arguments[:1] == ("--server",) else "daphne"
        self.errors = data / f"stderr-{uuid.uuid4().hex}"
        with self.errors.open("w") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "serve", "--port", "0", *arguments],
                cwd=ROOT,
                env=environment(data, **changes),
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        assert self.process.stdout is not None
        with self.process.stdout as output:
            # Ends with the process too, so that a server that never listens cannot hold us.
            giving_up = threading.Timer(60, self.process.kill)
            giving_up.start()
            self.address = output.readline().removeprefix("Gamrae: ").strip()
            giving_up.cancel()

    @property
    def port(self) -> int:
        return int(self.address.rsplit(":", 1)[1])

    def said(self) -> str:
        """What it wrote to its standard error so far."""
        return self.errors.read_text()

    def outlets(self) -> set[str]:
        """Which ways out its sockets got."""
        return set(re.findall(r"code=outlet kind=(\w+)", self.said()))

    def end(self, number: int) -> int:
        """Send a signal and wait; gives the exit status."""
        self.process.send_signal(number)
        return self.process.wait(20)


@contextlib.contextmanager
def serving(data: Path, *arguments: str, **changes: str) -> Iterator[Server]:
    """A server that listens; killed at the end if it still runs."""
    server = Server(data, *arguments, **changes)
    try:
        assert server.address, server.said()
        yield server
    finally:
        server.process.kill()
        server.process.wait()


@contextlib.contextmanager
def plain_daphne(data: Path) -> Iterator[str]:
    """The address of ``daphne chatsite.asgi:application``, which says nothing when it listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "daphne", "-v0", f"-p{port}", "chatsite.asgi:application"],
        cwd=ROOT,
        env=environment(data),
    )
    try:
        wait_for_listener(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def wait_for_listener(port: int) -> None:
    """Return once something accepts connections there; fail after 20 s."""
    ends = time.monotonic() + 20
    while time.monotonic() < ends:
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port)).close()
            return
    raise TimeoutError


class LiveSocket:
    """A proved socket of one of the cast."""

    def __init__(self, wire: ClientConnection) -> None:
        self.wire = wire
        self.pushes: list[dict[str, Any]] = []

    async def frame(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(await asyncio.wait_for(self.wire.recv(), PATIENCE))
        return found

    async def ask(self, event: str, **members: Any) -> dict[str, Any]:
        """Send a frame and give its answer; what comes in between is put with the pushes."""
        ref = uuid.uuid4().hex
        await self.wire.send(json.dumps({"event": event, "ref": ref, **members}))
        while True:
            frame = await self.frame()
            if frame.get("ref") == ref:
                return frame
            self.pushes.append(frame)

    async def close_code(self) -> int:
        """Read on until the server closes; gives its code."""
        async with asyncio.timeout(15):
            with contextlib.suppress(ConnectionClosed):
                while True:
                    self.pushes.append(await self.frame())
        assert self.wire.close_code is not None
        return self.wire.close_code

    async def push(self, event: str) -> dict[str, Any]:
        """The next push of this kind, whether it has come already or not."""
        while True:
            for frame in self.pushes:
                if frame["event"] == event:
                    self.pushes.remove(frame)
                    return frame
            self.pushes.append(await self.frame())


@contextlib.asynccontextmanager
async def connected(address: str, person: Person, **options: Any) -> AsyncIterator[LiveSocket]:
    """A program's socket of which nothing has been read yet."""
    headers = [(name.decode(), value.decode()) for name, value in program(person)]
    address = address.replace("http", "ws", 1) + "/ws/"
    options = {"compression": None, "max_size": None, **options}
    async with connect(address, additional_headers=headers, **options) as wire:
        yield LiveSocket(wire)


@contextlib.asynccontextmanager
async def live(address: str, person: Person, **options: Any) -> AsyncIterator[LiveSocket]:
    """A program's socket, its device proved."""
    async with connected(address, person, **options) as found:
        hello = await found.frame()
        proof = person.proof(from_base64url(hello["nonce"]), hello["origin"])
        answer = await found.ask("device.prove", **proof)
        assert answer["event"] == "reply", answer
        yield found


def slow_connection(port: int) -> socket.socket:
    """A connection whose reader has room for very little."""
    found = socket.socket()
    found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    found.connect(("127.0.0.1", port))
    found.setblocking(False)
    return found
