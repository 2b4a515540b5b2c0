"""Rows of a room's log that are not messages: made so that a second copy finds the first."""

import uuid

from messaging.record import Kind, Record
from rooms.models import EpochCommit, Membership
from rooms.statements import event_hash, leave_event


def commit_record(commit: EpochCommit) -> Record:
    """The log's row for a commit; its body is the 32-byte hash."""
    digest = bytes(commit.hash)
    return Record(
        room_id=commit.room_id,
        kind=Kind.COMMIT,
        epoch=commit.epoch,
        message_id=uuid.UUID(bytes=digest[:16]),
        eid=digest,
        body=digest,
        accepted_ms=int(commit.created_at.timestamp() * 1000),
    )


def leave_record(stay: Membership, accepted_ms: int) -> Record:
    """The log's row for a leave; its body is the event that names the stay and the statement."""
    statement = bytes(stay.leave_statement or b"")
    event = leave_event(stay.room_id, stay.user_id, stay.joined_epoch, statement)
    digest = event_hash(event)
    return Record(
        room_id=stay.room_id,
        kind=Kind.LEAVE,
        epoch=stay.last_epoch or 0,
        message_id=uuid.UUID(bytes=digest[:16]),
        eid=digest,
        body=event,
        accepted_ms=accepted_ms,
    )
