"""Accepting a sealed message: member now? epoch current? the device's own? Then the queue."""

import time
import uuid
from dataclasses import dataclass
from typing import Literal

from django.db import Error

from accounts.refusals import Refused
from messaging import announce, metrics, runtime
from messaging.access import standing_of
from messaging.envelope import Header, read_header
from messaging.outage import log_must_answer
from messaging.record import Kind, Record
from messaging.stamps import make_stamp
from messaging.threads import db


@dataclass(frozen=True, slots=True)
class Accepted:
    """The server has the message. ``seq`` is its place once the log has it, else None."""

    state: Literal["accepted", "stored"]
    message_id: uuid.UUID
    accepted_ms: int
    key_id: int
    stamp: bytes
    seq: int | None = None


async def send_message(
    *, actor_id: uuid.UUID, device_id: uuid.UUID, room_id: uuid.UUID, envelope: bytes
) -> Accepted:
    """Take a message from a proved device: returns after the queue's confirm, then shows it live.

    Refuses with ``envelope``, ``header_mismatch`` (not this session's user, device, room or head
    commit), ``not_found``, ``forbidden``, ``room_deleted``, ``stale_epoch``, ``busy`` or
    ``unavailable``. What the log has already is answered as stored before anything about the
    epoch or the membership is: exact bytes are sent again until the sender knows that.
    """
    try:
        with metrics.ACCEPT_SECONDS.time():
            accepted = await _send(actor_id, device_id, room_id, envelope)
    except (Refused, Error) as refusal:
        metrics.SENDS.labels(getattr(refusal, "code", "unavailable")).inc()
        raise
    metrics.SENDS.labels(accepted.state).inc()
    return accepted


async def _send(
    actor_id: uuid.UUID, device_id: uuid.UUID, room_id: uuid.UUID, envelope: bytes
) -> Accepted:
    header = read_header(envelope)
    if (header.room_id, header.user_id, header.device_id) != (room_id, actor_id, device_id):
        raise Refused("header_mismatch")
    standing = await db(standing_of)(actor_id, room_id)
    if not standing.is_member or standing.is_stale or header.epoch != standing.epoch:
        return await _stored_before(header, "stale_epoch" if standing.is_member else "forbidden")
    if header.commit_hash != standing.commit_hash:
        raise Refused("header_mismatch")
    record = _stamped(header, envelope)
    with metrics.CONFIRM_SECONDS.time(), metrics.UNCONFIRMED.track_inprogress():
        await runtime.queue().publish(record)
    await announce.message_live(record)
    return _accepted(record)


async def _stored_before(header: Header, code: str) -> Accepted:
    """The first message under this id; a later one with other bytes is answered by it too."""
    key = (header.room_id, header.device_id, header.message_id)
    with log_must_answer():
        found = await runtime.log().find({key})
    if key not in found:
        raise Refused(code)
    return _accepted(found[key])


def _stamped(header: Header, envelope: bytes) -> Record:
    stamp = make_stamp(header.header_hash, time.time_ns() // 1_000_000)
    return Record(
        room_id=header.room_id,
        kind=Kind.MESSAGE,
        epoch=header.epoch,
        message_id=header.message_id,
        eid=header.eid,
        body=envelope,
        accepted_ms=stamp.accepted_ms,
        device_id=header.device_id,
        n=header.n,
        counts=header.counts,
        key_id=stamp.key_id,
        stamp=stamp.value,
    )


def _accepted(record: Record) -> Accepted:
    return Accepted(
        state="stored" if record.seq else "accepted",
        message_id=record.message_id,
        accepted_ms=record.accepted_ms,
        key_id=record.key_id,
        stamp=record.stamp,
        seq=record.seq or None,
    )
