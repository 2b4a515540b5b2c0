"""Commits and leaves: checked, put into the queue, and only then true.

pending row → queue's confirm → head, roster and wraps in one transaction → announcement. A crash
between any two is finished by whoever comes next, because every step may be done twice.
"""

import logging
import time
import uuid
from collections.abc import Mapping
from datetime import timedelta

from accounts.models import User
from accounts.refusals import Refused
from messaging import announce, runtime
from messaging.events import commit_record, leave_record
from messaging.threads import db
from rooms import services as rooms
from rooms.commit import SentCommit
from rooms.models import EpochCommit, Membership

log = logging.getLogger("gamrae.chains")

AT_ONCE = timedelta(0)


async def create_room(
    *,
    actor: User,
    device_id: uuid.UUID,
    genesis: bytes,
    sent: SentCommit,
    wraps: Mapping[uuid.UUID, bytes],
) -> uuid.UUID:
    """Begin a room; nobody sees it before the queue has its first commit. Gives its id.

    Safe to repeat with the same bytes. Refuses as `rooms.services.insert_pending_room` does.
    """
    try:
        commit = await db(rooms.insert_pending_room)(
            actor=actor, device_id=device_id, genesis=genesis, sent=sent, wraps=wraps
        )
    except Refused as refused:
        # Both began their direct room at once: the one who is second must find it when they look.
        if refused.code == "room_exists":
            await finish_pending_commit(uuid.UUID(refused.extra["room_id"]), older_than=AT_ONCE)
        raise
    await _finish(commit)
    return commit.room_id


async def commit_epoch(
    *,
    actor: User,
    device_id: uuid.UUID,
    room_id: uuid.UUID,
    sent: SentCommit,
    wraps: Mapping[uuid.UUID, bytes],
) -> rooms.Accepted:
    """Put a commit on the head of a room's chain.

    Safe to repeat with the same bytes. Refuses as `rooms.services.insert_pending_commit` does,
    and with ``busy`` or ``unavailable``: then the commit may still become the head.
    """
    await finish_pending_commit(room_id)
    commit = await db(rooms.insert_pending_commit)(
        actor=actor, device_id=device_id, room_id=room_id, sent=sent, wraps=wraps
    )
    return await _finish(commit)


async def finish_pending_commit(
    room_id: uuid.UUID, *, older_than: timedelta = rooms.PENDING_LEASE
) -> None:
    """Finish what a crashed process left of a commit in this room, if it left something."""
    commit = await db(rooms.pending_commit)(room_id, older_than=older_than)
    if commit is not None:
        await _finish(commit)


async def finish_pending_commits() -> int:
    """Finish what crashed processes left in any room; for the start of a server. Gives how many."""
    commits = await db(rooms.pending_commits)()
    for commit in commits:
        try:
            await _finish(commit)
        except Refused as refused:
            log.warning("code=%s room=%s", refused.code, commit.room_id)
    return len(commits)


async def _finish(commit: EpochCommit) -> rooms.Accepted:
    if commit.status == EpochCommit.Status.PENDING:
        await runtime.queue().publish(commit_record(commit))
    accepted = await db(rooms.accept_commit)(room_id=commit.room_id, epoch=commit.epoch)
    if accepted.is_new:
        await announce.membership_changed(accepted.room_id, accepted.removed)
        await announce.room_event(
            accepted.room_id, "commit.accepted", epoch=accepted.epoch, hash=accepted.hash_text
        )
    return accepted


async def leave_room(
    *, actor: User, device_id: uuid.UUID, room_id: uuid.UUID, statement: bytes
) -> Membership:
    """Leave a group: from now on the actor reads and writes nothing new there.

    Nobody writes until another member has committed the removal. Safe to repeat. Refuses as
    `rooms.services.record_leave` does, and with ``busy`` or ``unavailable``: then they have left,
    and only the log's row for it is missing until they repeat it.
    """
    stay, ended_now = await db(rooms.record_leave)(
        actor=actor, device_id=device_id, room_id=room_id, statement=statement
    )
    if ended_now:
        await announce.membership_changed(room_id, [actor.id])
        await announce.room_event(room_id, "member.left", user_id=actor.id)
    await runtime.queue().publish(leave_record(stay, time.time_ns() // 1_000_000))
    return stay
