"""Records for tests of the transport, which never looks inside them."""

import hashlib
from uuid import UUID

from messaging.record import NO_DEVICE, Kind, Record

ROOM = UUID(int=0x60)
OTHER_ROOM = UUID(int=0x61)
ALICE = UUID(int=0xA1)
BOB = UUID(int=0xB0)


def message(
    number: int,
    *,
    room: UUID = ROOM,
    device: UUID = ALICE,
    n: int | None = None,
    body: bytes | None = None,
) -> Record:
    """The message ``number`` of a device; its counter is the number unless named."""
    body = body or b"sealed %d" % number
    return Record(
        room_id=room,
        kind=Kind.MESSAGE,
        epoch=0,
        message_id=UUID(int=number),
        eid=hashlib.blake2b(body, digest_size=32).digest(),
        body=body,
        accepted_ms=1_700_000_000_000 + number,
        device_id=device,
        n=number if n is None else n,
        counts=True,
        key_id=1,
        stamp=b"s" * 32,
    )


def commit(epoch: int, *, room: UUID = ROOM) -> Record:
    """The row of a commit."""
    digest = hashlib.blake2b(b"commit %d" % epoch, digest_size=32).digest()
    return Record(
        room_id=room,
        kind=Kind.COMMIT,
        epoch=epoch,
        message_id=UUID(bytes=digest[:16]),
        eid=digest,
        body=digest,
        accepted_ms=1_700_000_000_000,
        device_id=NO_DEVICE,
    )
