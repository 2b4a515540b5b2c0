"""What a request passes before Django reads anything of it: its place, its name, its size."""

import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

from accounts.refusals import Refused
from chatsite.errors import PROBLEM, problem
from chatsite.trace import named
from messaging import metrics
from messaging.serving import MAX_BODY

Message = dict[str, Any]
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

NAME_HEADER = b"x-request-id"
NOT_COUNTED = ("/healthz/", "/static/")


def at_the_root(app: App) -> App:
    """The application lives at ``/``, whatever a request says.

    daphne lets a client name another place (``Daphne-Root-Path``). Django puts that before every
    address it makes, those in mails with reset links among them.
    """

    async def rooted(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "root_path": ""}, receive, send)

    return rooted


def traced_requests(app: App) -> App:
    """Name each request, tell its client the name (``X-Request-Id``), and count its answer.

    The name is ours: one that a client sent could be anybody's words in our log.
    """

    async def traced(scope: Scope, receive: Receive, send: Send) -> None:
        begun = time.monotonic()

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", ()), (NAME_HEADER, name.encode())]
                message = {**message, "headers": headers}
                _count(scope["path"], message["status"], begun)
            await send(message)

        with named("request") as name:
            await app(scope, receive, told)

    return traced


def traced_sockets(app: App) -> App:
    """Name each socket."""

    async def traced(scope: Scope, receive: Receive, send: Send) -> None:
        with named("socket"):
            await app(scope, receive, send)

    return traced


def _count(path: str, status: Any, begun: float) -> None:
    if not path.startswith(NOT_COUNTED):
        metrics.HTTP_ANSWERS.labels(status).inc()
        metrics.HTTP_SECONDS.observe(time.monotonic() - begun)


def bounded(app: App, limit: int = MAX_BODY) -> App:
    """Answer ``too_large`` to a body of more than ``limit`` bytes, without reading on.

    Django writes a body to disk before any view can ask how large it is.
    """

    async def cut(scope: Scope, receive: Receive, send: Send) -> None:
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            # To Django, who was cut off has gone: it closes what it has written and says nothing.
            return message if taken <= limit else {"type": "http.disconnect"}

        if _announced(scope) > limit:
            await _refuse(send)
            return
        await app(scope, counted, send)
        if taken > limit:
            await _refuse(send)

    return cut


def _announced(scope: Scope) -> int:
    sizes = [value for name, value in scope["headers"] if name == b"content-length"]
    return int(sizes[0]) if sizes and sizes[0].isdigit() else 0


async def _refuse(send: Send) -> None:
    body = json.dumps(problem(Refused("too_large"))).encode()
    headers = {
        "Content-Type": PROBLEM,
        "Content-Length": str(len(body)),
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Connection": "close",
    }
    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": 413, "headers": pairs})
    await send({"type": "http.response.body", "body": body})
