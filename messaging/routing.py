"""Addresses of sockets: there is one."""

from typing import cast

from messaging.consumers import ChatConsumer
from messaging.gate import App, Gate, Receive, Scope
from messaging.transport import Send

PATH = "/ws/"
gate = Gate(cast(App, ChatConsumer.as_asgi()))


async def sockets(scope: Scope, receive: Receive, send: Send) -> None:
    """The chat socket at ``/ws/``; any other address is refused."""
    if scope["path"] == PATH:
        await gate(scope, receive, send)
    else:
        await send({"type": "websocket.close"})
