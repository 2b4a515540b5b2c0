"""What the server tells the sockets of a room: made once, fanned out as the same bytes.

Nothing here fails an action: what could not be announced is found by sync.
"""

import uuid
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

import orjson

from accounts.protocol import to_base64url
from messaging.fanout.choice import fan_out
from messaging.fanout.control import encode_removal
from messaging.fanout.devices import push_to_device
from messaging.record import Kind, Record


async def message_live(record: Record) -> None:
    """Show an accepted message at once; provisional until it is stored."""
    frame = {
        "event": "message.live",
        "room_id": record.room_id,
        "envelope": to_base64url(record.body),
        "accepted_ms": record.accepted_ms,
        "key_id": record.key_id,
        "stamp": to_base64url(record.stamp),
    }
    await fan_out().publish(record.room_id, orjson.dumps(frame))


async def message_stored(records: Iterable[Record]) -> None:
    """Tell each room where its records are now: one frame for each unbroken run of seqs."""
    ordered = sorted(set(records), key=lambda record: (record.room_id.bytes, record.seq))
    runs = groupby(enumerate(ordered), key=lambda pair: (pair[1].room_id, pair[1].seq - pair[0]))
    for (room_id, _), run in runs:
        frame = _stored_frame([record for _, record in run])
        await fan_out().publish(room_id, orjson.dumps(frame))


def _stored_frame(run: Sequence[Record]) -> dict[str, Any]:
    return {
        "event": "message.stored",
        "room_id": run[0].room_id,
        "from": run[0].seq,
        "to": run[-1].seq,
        "ids": [
            [record.device_id, record.message_id, record.seq, to_base64url(record.eid[:16])]
            for record in run
            if record.kind is Kind.MESSAGE
        ],
    }


async def message_refused(record: Record, code: str) -> None:
    """Tell the sending device that an accepted message can never be stored."""
    if record.kind is not Kind.MESSAGE:
        return
    members = {"room_id": str(record.room_id), "message_id": str(record.message_id), "code": code}
    await push_to_device(record.device_id, {"event": "message.refused", **members})


async def room_event(room_id: uuid.UUID, event: str, **members: Any) -> None:
    """Tell the room of a commit, a leave, a moved cursor or its end; ids may be UUIDs."""
    frame = {"event": event, "room_id": room_id, **members}
    await fan_out().publish(room_id, orjson.dumps(frame))


async def membership_changed(room_id: uuid.UUID, removed: Iterable[uuid.UUID]) -> None:
    """Former members get nothing more of this room from any process, whatever their client does."""
    removed = set(removed)
    if removed:
        await fan_out().publish(room_id, encode_removal(removed))
