"""Rows of the log as the wire's items, and pages that fit into one frame."""

import uuid
from collections.abc import Sequence
from typing import Any, Protocol

import orjson

from accounts.protocol import to_base64url
from messaging.record import Kind, Record

# A page with one envelope of the largest bucket is just below it; every page has at least one item.
MAX_ITEMS_BYTES = 56 * 1024


class Page(Protocol):
    """What `services.read_items` gives."""

    @property
    def room_id(self) -> uuid.UUID: ...
    @property
    def after(self) -> int: ...
    @property
    def upto(self) -> int: ...
    @property
    def head(self) -> int: ...
    @property
    def items(self) -> Sequence[Record]: ...
    @property
    def more(self) -> bool: ...


def item(record: Record) -> dict[str, Any]:
    """One row of the log: docs/wire.md, Item."""
    if record.kind is Kind.MESSAGE:
        return {
            "seq": record.seq,
            "kind": "message",
            "envelope": to_base64url(record.body),
            "accepted_ms": record.accepted_ms,
            "key_id": record.key_id,
            "stamp": to_base64url(record.stamp),
        }
    if record.kind is Kind.COMMIT:
        body = to_base64url(record.body)
        return {"seq": record.seq, "kind": "commit", "epoch": record.epoch, "hash": body}
    return {"seq": record.seq, "kind": "leave", "event": to_base64url(record.body)}


def sync_page(page: Page) -> bytes:
    """The page as one frame; what does not fit is left for the next, and ``upto`` says so."""
    items: list[orjson.Fragment] = []
    size, upto = 0, page.upto
    for record in page.items:
        encoded = orjson.dumps(item(record))
        size += len(encoded)
        if items and size > MAX_ITEMS_BYTES:
            break
        items.append(orjson.Fragment(encoded))
    is_cut = len(items) < len(page.items)
    if is_cut:
        upto = page.items[len(items) - 1].seq
    frame = {
        "event": "sync.page",
        "room_id": page.room_id,
        "after": page.after,
        "upto": upto,
        "head": page.head,
        "items": items,
        "more": page.more or is_cut,
    }
    return orjson.dumps(frame)
