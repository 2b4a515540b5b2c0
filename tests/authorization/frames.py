"""One row for each frame of the socket: what everybody gets when they send it about `garden`.

The expected answer is ``reply`` or the code of the error; an anonymous person has no socket at all.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from accounts.protocol import lp, to_base64url
from messaging.envelope import SEALED_SIZES, read_header
from tests.cast import Person

ACTORS = ("anonymous", "mallory", "dave", "bob", "alice")
NO_SOCKET = "4001"


@dataclass(frozen=True)
class FrameRow:
    """``answers`` follow `ACTORS`; ``unproved`` is what a socket without a proof gets."""

    event: str
    answers: tuple[str, str, str, str, str]
    members: Callable[[Any, Person], dict[str, Any]]
    unproved: str = "device_required"

    def __str__(self) -> str:
        return self.event


def own_envelope(garden: Any, person: Person) -> dict[str, Any]:
    """Sealed by the sender's own device in the head epoch, as far as the sender can know it."""
    sealed = garden.chain.seal(person.name, "hello") if person.name in ("alice", "bob") else None
    envelope = sealed.envelope if sealed else foreign_envelope(garden, person)
    return {"room_id": str(garden.id), "envelope": to_base64url(envelope)}


def foreign_envelope(garden: Any, person: Person) -> bytes:
    """Everything right but the membership: header by the sender's own device."""
    real = garden.chain.seal("alice", "hello")
    header = read_header(real.envelope)
    device = person.device
    size = min(SEALED_SIZES)
    pre = lp(
        b"msg",
        b"\x01",
        header.room_id.bytes,
        header.epoch.to_bytes(8, "big"),
        header.commit_hash,
        device.user,
        device.device,
        (0).to_bytes(4, "big"),
        os.urandom(16),
        (0).to_bytes(8, "big"),
        b"\x01",
        (0).to_bytes(4, "big"),
        b"",
    )
    envelope = lp(lp(pre, bytes(32)), bytes(24), bytes(size))
    assert read_header(envelope).device_id == person.device_id
    return envelope


def about_garden(**members: Any) -> Callable[[Any, Person], dict[str, Any]]:
    return lambda garden, person: {"room_id": str(garden.id), **members}


FRAMES = [
    FrameRow(
        "device.prove",
        # A second proof on one socket is refused to everybody: the nonce is used.
        (NO_SOCKET, "device_proof", "device_proof", "device_proof", "device_proof"),
        lambda garden, person: person.proof(bytes(32)),
        unproved="device_proof",
    ),
    FrameRow("message.send", (NO_SOCKET, "not_found", "forbidden", "reply", "reply"), own_envelope),
    FrameRow(
        "sync",
        (NO_SOCKET, "not_found", "reply", "reply", "reply"),
        lambda garden, person: {"rooms": {str(garden.id): 0}},
    ),
    FrameRow("heads", (NO_SOCKET, "reply", "reply", "reply", "reply"), lambda *_: {}),
    FrameRow(
        "cursor.move",
        (NO_SOCKET, "not_found", "forbidden", "reply", "reply"),
        about_garden(delivered_to=1),
    ),
    FrameRow("ping", (NO_SOCKET, "reply", "reply", "reply", "reply"), lambda *_: {"t": 1}),
]
