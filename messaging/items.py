"""A row of the log as JSON has it: the Item of docs/wire.md, for REST and for the socket."""

from typing import Any

from accounts.protocol import to_base64url
from messaging.record import Kind, Record


def item_of(record: Record) -> dict[str, Any]:
    """The members of an Item."""
    match record.kind:
        case Kind.MESSAGE:
            return {
                "seq": record.seq,
                "kind": "message",
                "envelope": to_base64url(record.body),
                "accepted_ms": record.accepted_ms,
                "key_id": record.key_id,
                "stamp": to_base64url(record.stamp),
            }
        case Kind.COMMIT:
            digest = to_base64url(record.body)
            return {"seq": record.seq, "kind": "commit", "epoch": record.epoch, "hash": digest}
        case Kind.LEAVE:
            return {"seq": record.seq, "kind": "leave", "event": to_base64url(record.body)}
