"""The header of an envelope, the only part of it that the server reads (docs/protocol.md 8.2).

This module never opens an envelope and holds no key that could.
"""

from dataclasses import dataclass
from uuid import UUID

from accounts.protocol import Malformed, digest, fixed, read_lp, typed, uint
from accounts.refusals import Refused

BUCKETS = (256, 512, 1024, 2048, 4096, 8192, 16384, 32768)
# Inside the sealed part, beside the padded body: the commitment's key and the signature with their
# lengths, the body's length, and the cipher's tag.
SEALED_EXTRA = 4 + 32 + 4 + 4 + 64 + 16
SEALED_SIZES = frozenset(bucket + SEALED_EXTRA for bucket in BUCKETS)
MAX_ENVELOPE = 34_000
MAX_COUNTER = 4096
MAX_ATTACHMENTS = 16


@dataclass(frozen=True, slots=True)
class Header:
    """What the server may know of a message, and ``eid``, the fingerprint of the whole envelope."""

    room_id: UUID
    epoch: int
    commit_hash: bytes
    user_id: UUID
    device_id: UUID
    n: int
    message_id: UUID
    counts: bool
    expires_after: int
    attachments: tuple[UUID, ...]
    header_hash: bytes
    eid: bytes


def read_header(envelope: bytes) -> Header:
    """Read an envelope's header; what is malformed or in no bucket is refused with ``envelope``."""
    try:
        if len(envelope) > MAX_ENVELOPE:
            raise Malformed("too long")
        return _read(envelope)
    except Malformed as error:
        raise Refused("envelope") from error


def _read(envelope: bytes) -> Header:
    hdr, nonce, sealed = read_lp(envelope, 3)
    fixed(nonce, 24)
    pre, commitment = read_lp(hdr, 2)
    fixed(commitment, 32)
    room, epoch, commit_hash, user, device, n, message, time, kind, expires, attached = typed(
        pre, "msg", 13
    )
    uint(time, 8)
    if uint(n, 4) >= MAX_COUNTER or uint(kind, 1) > 1 or len(sealed) not in SEALED_SIZES:
        raise Malformed("a counter, class or size that no message has")
    return Header(
        room_id=_id(room),
        epoch=uint(epoch, 8),
        commit_hash=fixed(commit_hash, 32),
        user_id=_id(user),
        device_id=_id(device),
        n=uint(n, 4),
        message_id=_id(message),
        counts=kind == b"\x01",
        expires_after=uint(expires, 4),
        attachments=_attachments(attached),
        header_hash=digest("hdr", hdr),
        eid=digest("envelope", envelope),
    )


def _id(field: bytes) -> UUID:
    return UUID(bytes=fixed(field, 16))


def _attachments(field: bytes) -> tuple[UUID, ...]:
    ids = tuple(_id(part) for part in read_lp(field))
    if len(ids) > MAX_ATTACHMENTS or len(set(ids)) != len(ids):
        raise Malformed("too many attachments, or one twice")
    return ids
