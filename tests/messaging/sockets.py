"""The socket as a client has it, through the whole ASGI application."""

import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from channels.testing import WebsocketCommunicator
from django.conf import settings

from accounts.protocol import from_base64url
from chatsite.asgi import application
from tests.cast import ORIGIN, Person

Headers = list[tuple[bytes, bytes]]


def cookie_of(person: Person) -> tuple[bytes, bytes]:
    """The session cookie of a person's browser."""
    value = person.client.cookies[settings.SESSION_COOKIE_NAME].value
    return b"cookie", f"{settings.SESSION_COOKIE_NAME}={value}".encode()


def browser(person: Person | None, origin: str | None = ORIGIN) -> Headers:
    """What a page of ``origin`` in a person's browser sends when it opens the socket."""
    named = [(b"origin", origin.encode())] if origin is not None else []
    return [*named, cookie_of(person)] if person else named


def program(person: Person) -> Headers:
    """What a program with a session token sends."""
    token = person.client.cookies[settings.SESSION_COOKIE_NAME].value
    return [(b"x-session-token", token.encode())]


class Socket:
    """One connection; ``hello`` is its first frame once it is open."""

    def __init__(self, headers: Headers, client: str = "127.0.0.1", path: str = "/ws/") -> None:
        self.wire = WebsocketCommunicator(application, path, headers=headers)
        self.wire.scope["client"] = (client, 50000)
        self.hello: dict[str, Any] = {}
        self.pushes: list[dict[str, Any]] = []
        self.refs = itertools.count(1)

    async def connect(self) -> int | None:
        """The close code of a refusal before anything was accepted, else None."""
        accepted, code = await self.wire.connect(timeout=5)
        return None if accepted else int(code or 1000)

    async def frame(self) -> dict[str, Any]:
        """The next frame, whatever it is."""
        found: dict[str, Any] = json.loads(await self.wire.receive_from(timeout=5))
        return found

    async def closed_with(self) -> int:
        """The code with which the server closes; frames before it are put with the pushes."""
        while True:
            output = await self.wire.receive_output(timeout=15)
            if output["type"] == "websocket.close":
                return int(output["code"])
            self.pushes.append(json.loads(output["text"]))

    async def say(self, text: str) -> None:
        """Send raw text."""
        await self.wire.send_to(text_data=text)

    async def ask(self, event: str, **members: Any) -> dict[str, Any]:
        """Send a frame and give its answer; what comes in between is put with the pushes."""
        ref = str(next(self.refs))
        await self.say(json.dumps({"event": event, "ref": ref, **members}))
        while True:
            frame = await self.frame()
            if frame.get("ref") == ref:
                return frame
            self.pushes.append(frame)

    async def push(self, event: str) -> dict[str, Any]:
        """The next push of this kind, whether it has come already or not."""
        while True:
            for frame in self.pushes:
                if frame["event"] == event:
                    self.pushes.remove(frame)
                    return frame
            self.pushes.append(await self.frame())

    async def prove(self, person: Person) -> dict[str, Any]:
        """Prove the person's device on this socket."""
        nonce = from_base64url(self.hello["nonce"])
        return await self.ask("device.prove", **person.proof(nonce, self.hello["origin"]))

    async def close(self) -> None:
        await self.wire.disconnect(timeout=5)


@asynccontextmanager
async def opened(headers: Headers, **options: Any) -> AsyncIterator[Socket]:
    """An open socket that has proved nothing yet."""
    socket = Socket(headers, **options)
    assert await socket.connect() is None
    socket.hello = await socket.frame()
    assert socket.hello["event"] == "hello"
    try:
        yield socket
    finally:
        await socket.close()


@asynccontextmanager
async def proved(person: Person, **options: Any) -> AsyncIterator[Socket]:
    """A browser's socket of one of the cast, its device proved."""
    async with opened(browser(person), **options) as socket:
        answer = await socket.prove(person)
        assert answer["event"] == "reply", answer
        yield socket
