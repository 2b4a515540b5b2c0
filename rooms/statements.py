"""Signed reasons for going (docs/protocol.md 6.5): a leave, or an admin's wish."""

from dataclasses import dataclass
from uuid import UUID

from accounts.protocol import SUITE, Malformed, digest, fixed, lp, read_lp, uint, verifies
from rooms.roster import identity

LEAVE, REMOVE_INTENT = 1, 2
LABELS = {LEAVE: "leave", REMOVE_INTENT: "remove-intent"}
MAX_STATEMENT = 256


@dataclass(frozen=True, slots=True)
class Statement:
    """Who says it, with which device."""

    kind: int
    signer_user: UUID
    signer_device: UUID
    sig: bytes


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose stay it is about; ``joined_epoch`` keeps an old statement from being used again."""

    room_id: UUID
    user: UUID
    amk_pub: bytes
    joined_epoch: int

    def encode(self) -> bytes:
        """What is signed."""
        return lp(
            bytes([SUITE]),
            self.room_id.bytes,
            self.user.bytes,
            self.amk_pub,
            self.joined_epoch.to_bytes(8, "big"),
        )


def parse_statement(data: bytes) -> Statement:
    """Read a leave or remove-intent; anything else is `Malformed`.

    A server-remove is refused too: this version has no server key that clients pin.
    """
    kind, user, device, time, reason, sig = read_lp(data, 6)
    if uint(kind, 1) not in LABELS or time or reason:
        raise Malformed("not a statement of this version")
    return Statement(kind[0], identity(user), identity(device), fixed(sig, 64))


def signed_by(statement: Statement, subject: Subject, dsk_pub: bytes) -> bool:
    """Whether this device key signed this statement about this stay."""
    return verifies(dsk_pub, LABELS[statement.kind], subject.encode(), statement.sig)


def leave_event(room_id: UUID, user: UUID, joined_epoch: int, statement: bytes) -> bytes:
    """The bytes that stand in the room's log for a leave; their hash enters the log hash."""
    return lp(
        b"left",
        bytes([SUITE]),
        room_id.bytes,
        user.bytes,
        joined_epoch.to_bytes(8, "big"),
        statement,
    )


def event_hash(event: bytes) -> bytes:
    """H("event", …), 32 bytes (docs/protocol.md, section 9)."""
    return digest("event", event)
