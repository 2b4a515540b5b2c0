"""A record as the bytes that wait in a broker. The first byte is the version of the form.

Version 1, big-endian: kind u8, flags u8 (1: has n, 2: counts), room 16, device 16, message id 16,
epoch u64, n u32, accepted_ms u64, key_id u64, eid 32, length of the stamp u8, stamp; the rest is
the body. A program of an older release parks what it cannot read; it never drops it.
"""

import struct
import uuid

from messaging.record import Kind, Record

VERSION = 1
FIXED = struct.Struct(">BBB16s16s16sQIQQ32sB")
HAS_N, COUNTS = 1, 2


class Undecodable(Exception):
    """Bytes that are no record of a version that this program knows."""


def encode(record: Record) -> bytes:
    """The bytes of a record that has no place in the log yet."""
    flags = (HAS_N if record.n is not None else 0) | (COUNTS if record.counts else 0)
    fixed = FIXED.pack(
        VERSION,
        record.kind,
        flags,
        record.room_id.bytes,
        record.device_id.bytes,
        record.message_id.bytes,
        record.epoch,
        record.n or 0,
        record.accepted_ms,
        record.key_id,
        record.eid,
        len(record.stamp),
    )
    return fixed + record.stamp + record.body


def decode(data: bytes) -> Record:
    """The record of these bytes; raises `Undecodable`."""
    try:
        _, kind, flags, room, device, message, epoch, n, accepted, key_id, eid, size = (
            FIXED.unpack_from(data)
        )
        kind = Kind(kind)
    except (struct.error, ValueError) as error:
        raise Undecodable("malformed") from error
    if data[0] != VERSION:
        raise Undecodable("version")
    if flags & ~(HAS_N | COUNTS) or len(data) <= FIXED.size + size:
        raise Undecodable("malformed")
    return Record(
        room_id=uuid.UUID(bytes=room),
        kind=kind,
        epoch=epoch,
        message_id=uuid.UUID(bytes=message),
        eid=eid,
        body=data[FIXED.size + size :],
        accepted_ms=accepted,
        device_id=uuid.UUID(bytes=device),
        n=n if flags & HAS_N else None,
        counts=bool(flags & COUNTS),
        key_id=key_id,
        stamp=data[FIXED.size : FIXED.size + size],
    )
