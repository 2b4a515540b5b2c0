"""Commits, and the history records of their epochs, as REST carries them."""

import uuid
from collections.abc import Mapping, Sequence

from crypto_client.client.server import JSON, b64, unb64
from crypto_client.commit import Commit
from crypto_client.history import HistoryRecord
from crypto_client.ops import Add, Create, Op, Refresh

PARTS = ("core", "tag", "sig", "ops", "state")


def commit_of(item: JSON, wraps: Mapping[bytes, bytes]) -> Commit:
    """Read a fetched commit; the prekeys list is fetched apart, by committers alone."""
    parts = {name: unb64(item[name]) for name in PARTS}
    return Commit(**parts, prekeys=b"", wraps=wraps)


def first_body(commit: Commit, origin: bytes) -> JSON:
    """The body that begins a room."""
    parts = {name: b64(getattr(commit, name)) for name in (*PARTS, "prekeys")}
    return {"genesis": b64(origin), "commit": parts, "wraps": _wraps(commit)}


def next_body(commit: Commit) -> JSON:
    """The body that continues a room's chain."""
    parts = {name: b64(getattr(commit, name)) for name in (*PARTS, "prekeys")}
    return {**parts, "wraps": _wraps(commit)}


def record_to_json(record: HistoryRecord) -> JSON:
    """A history record as REST takes it."""
    return {
        "epoch": record.name.epoch,
        "commit_hash": b64(record.name.commit_hash),
        "bk_version": record.bk_version,
        "record": b64(record.record),
        "sig": b64(record.sig),
    }


def _wraps(commit: Commit) -> list[JSON]:
    return [
        {"device_id": str(uuid.UUID(bytes=device)), "wrap": b64(wrap)}
        for device, wrap in sorted(commit.wraps.items())
    ]


def lists_named(ops: Sequence[Op]) -> dict[bytes, bytes]:
    """The accounts whose device lists a commit needs, with the hash that it names."""
    named: dict[bytes, bytes] = {}
    for op in ops:
        if isinstance(op, Create):
            named |= {member.user: member.list_hash for member in op.roster}
        elif isinstance(op, Add):
            named[op.member.user] = op.member.list_hash
        elif isinstance(op, Refresh):
            named[op.user] = op.list_hash
    return named
