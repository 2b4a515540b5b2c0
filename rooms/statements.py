"""Signed reasons for going (docs/protocol.md 6.5): a leave, an admin's wish, the server's word."""

from dataclasses import dataclass
from uuid import UUID

from accounts.protocol import SUITE, Malformed, digest, fixed, lp, read_lp, uint, verifies
from rooms.roster import identity

LEAVE, REMOVE_INTENT, SERVER_REMOVE = 1, 2, 3
LABELS = {LEAVE: "leave", REMOVE_INTENT: "remove-intent", SERVER_REMOVE: "server-remove"}
# The reasons of a server-remove.
KEY_WAS_REPLACED = 1
MAX_STATEMENT = 256


@dataclass(frozen=True, slots=True)
class Statement:
    """Who says it, with which device; the server has no device and says when and why."""

    kind: int
    signer_user: UUID | None
    signer_device: UUID | None
    time: bytes
    reason: bytes
    sig: bytes

    def encode(self) -> bytes:
        """The statement as it travels."""
        user, device = self.signer_user, self.signer_device
        signer = (user.bytes if user else b"", device.bytes if device else b"")
        return lp(bytes([self.kind]), *signer, self.time, self.reason, self.sig)


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose stay it is about; ``joined_epoch`` keeps an old statement from being used again."""

    room_id: UUID
    user: UUID
    amk_pub: bytes
    joined_epoch: int

    def encode(self, *more: bytes) -> bytes:
        """What is signed; the server's statement adds time and reason."""
        return lp(
            bytes([SUITE]),
            self.room_id.bytes,
            self.user.bytes,
            self.amk_pub,
            self.joined_epoch.to_bytes(8, "big"),
            *more,
        )


def parse_statement(data: bytes) -> Statement:
    """Read a statement; anything else is `Malformed`."""
    kind, user, device, time, reason, sig = read_lp(data, 6)
    if uint(kind, 1) == SERVER_REMOVE:
        if user or device:
            raise Malformed("the server signs with no device")
        return Statement(
            SERVER_REMOVE, None, None, fixed(time, 8), fixed(reason, 1), fixed(sig, 64)
        )
    if kind[0] not in LABELS or time or reason:
        raise Malformed("not a statement of this version")
    return Statement(kind[0], identity(user), identity(device), b"", b"", fixed(sig, 64))


def is_leave(data: bytes) -> bool:
    """Whether a kept statement is somebody's own leave."""
    return parse_statement(data).kind == LEAVE


def signed_by(statement: Statement, subject: Subject, public: bytes) -> bool:
    """Whether this key, a device's or the server's, signed this statement about this stay."""
    more = (statement.time, statement.reason) if statement.kind == SERVER_REMOVE else ()
    return verifies(public, LABELS[statement.kind], subject.encode(*more), statement.sig)


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
