"""Who may open a socket: an allowed Origin, a live session, and not too many at once.

Frames are not read here. A page of another site can open a socket with our cookie, so that the
Origin is checked before anything is answered (scheme, host and port).
"""

import logging
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.db import Error

from accounts.authentication import TOKEN_HEADER, person_of_session, session_of_scope
from accounts.client_address import client_address, client_network
from accounts.models import User
from accounts.refusals import Refused
from messaging import drain, metrics
from messaging.threads import db
from messaging.transport import Send, close

log = logging.getLogger("gamrae.socket")

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

RESTARTS, TOO_MANY, NOT_SIGNED_IN, BAD_ORIGIN = 1012, 1013, 4001, 4003
ORIGIN = re.compile(r"(https?)://([a-z0-9.-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?")
PORTS = {"http": "80", "https": "443"}


@dataclass(frozen=True, slots=True)
class Admission:
    """Whose socket it is, and the origin that its device proof must name."""

    user: User
    session: SessionBase
    origin: str


class Gate:
    """Lets a socket through to ``app`` with ``scope["admission"]``, or closes it with its code."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._open: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = proof_origin(scope["headers"])
        if origin is None:
            metrics.CLOSES.labels(BAD_ORIGIN).inc()
            await send({"type": "websocket.close", "code": BAD_ORIGIN})
            return
        if drain.is_draining():
            await _send_elsewhere(scope, send)
            return
        try:
            person = await person_behind(scope)
        except Error as error:
            log.error("code=unavailable error=%s", type(error).__name__)
            await _accept_and_close(send, TOO_MANY)  # try again later
            return
        if person is None:
            await _accept_and_close(send, NOT_SIGNED_IN)
            return
        scope["admission"] = Admission(*person, origin)
        await self._counted(person[0], scope, receive, send)

    async def _counted(self, user: User, scope: Scope, receive: Receive, send: Send) -> None:
        limits = {
            f"user {user.id}": settings.LIMIT_SOCKETS_PER_USER,
            f"address {_address(scope)}": settings.LIMIT_SOCKETS_PER_ADDRESS,
        }
        if any(self._open[name] >= limit for name, limit in limits.items()):
            await _accept_and_close(send, TOO_MANY)
            return
        self._open.update(limits.keys())
        try:
            with metrics.SOCKETS.track_inprogress():
                await self._app(scope, receive, send)
        finally:
            self._open.subtract(limits.keys())
            self._open += Counter()  # forget the zeros


def proof_origin(headers: list[tuple[bytes, bytes]]) -> str | None:
    """The origin, port included, that a proof over this socket must name; None: refuse the socket.

    A program without Origin needs a session token and must not send a cookie.
    """
    named = [value.decode("latin-1") for name, value in headers if name == b"origin"]
    if named:
        origin = _with_port(named[0])
        return origin if len(named) == 1 and origin in settings.PROOF_ORIGINS else None
    names = {name for name, _ in headers}
    is_program = TOKEN_HEADER.lower().encode() in names and b"cookie" not in names
    return settings.PROOF_ORIGINS[0] if is_program else None


def _with_port(origin: str) -> str | None:
    match = ORIGIN.fullmatch(origin)
    return f"{match[1]}://{match[2]}:{match[3] or PORTS[match[1]]}" if match else None


async def person_behind(scope: Scope) -> tuple[User, SessionBase] | None:
    """The person and session of a socket; None when nobody, or suspended."""
    return await db(_person_behind)(scope)


def _person_behind(scope: Scope) -> tuple[User, SessionBase] | None:
    try:
        session = session_of_scope(scope)
        user = person_of_session(session) if session else None
    except Refused:
        return None
    return (user, session) if session and user else None


def _address(scope: Scope) -> str | None:
    forwarded = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    peer = scope.get("client")
    address = client_address(peer[0] if peer else None, b",".join(forwarded).decode("latin-1"))
    return client_network(address) if address else None


async def _send_elsewhere(scope: Scope, send: Send) -> None:
    """A proxy that hears 503 asks another process; a server that cannot say it lets 1012 say so."""
    if "websocket.http.response" not in scope.get("extensions", {}):
        await _accept_and_close(send, RESTARTS)
        return
    metrics.CLOSES.labels(RESTARTS).inc()
    start = {"type": "websocket.http.response.start", "status": 503, "headers": []}
    await send(start)
    await send({"type": "websocket.http.response.body", "body": b""})


async def _accept_and_close(send: Send, code: int) -> None:
    metrics.CLOSES.labels(code).inc()
    # A browser shows its page the code of an open socket only.
    await send({"type": "websocket.accept"})
    await close(send, code)
