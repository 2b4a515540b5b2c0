"""A client gone mad: it says everything again and again, over several sockets, in any order."""

import random
import uuid
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from typing import Self

from crypto_client.client.server import b64, unb64
from crypto_client.client.session import Session
from crypto_client.client.socket import Socket
from crypto_client.client.sync import Messenger

TIMES = 5
MORE_SOCKETS = 2
REMEMBERED = 6
PATIENCE = 6.0


class Storm:
    """Repeats what this device has sent; nobody reads the answers."""

    def __init__(self, sockets: Sequence[Socket], draw: random.Random) -> None:
        self._sockets = sockets
        self._random = draw
        self._sent: deque[tuple[bytes, bytes]] = deque(maxlen=REMEMBERED)

    @classmethod
    @contextmanager
    def of(cls, session: Session, draw: random.Random) -> Iterator[Self]:
        """With two more sockets of the same device."""
        with ExitStack() as stack:
            sockets = [stack.enter_context(closing(_proved(session))) for _ in range(MORE_SOCKETS)]
            yield cls(sockets, draw)

    def repeat(self, messenger: Messenger, message: bytes) -> None:
        """Send this message, or one of those before it, five times more."""
        row = messenger.store.row(
            "SELECT room, envelope FROM attempts JOIN outbox USING (message) WHERE message = ?",
            message,
        )
        if row is not None:
            self._sent.append((row["room"], row["envelope"]))
        for _ in range(TIMES if self._sent else 0):
            room, envelope = self._random.choice(self._sent)
            socket = self._random.choice([messenger.socket, *self._sockets])
            room_id = str(uuid.UUID(bytes=room))
            socket.send(
                {"event": "message.send", "ref": "x", "room_id": room_id, "envelope": b64(envelope)}
            )
        for socket in self._sockets:
            while socket.take(0.001) is not None:
                continue


def _proved(session: Session) -> Socket:
    keyring = session.keyring
    socket = Socket(session.server.socket_url, token=session.server.token or "", timeout=PATIENCE)
    nonce = unb64(socket.hello()["nonce"])
    signature = keyring.proof(nonce)
    socket.ask("device.prove", device_id=str(keyring.device_id), signature=signature)
    return socket
