"""The log of the solo profile, in the relational database: `messaging.models.LogRecord`."""

import uuid
from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

from django.db import DataError, Error, IntegrityError, transaction
from django.db.models import Count, Max, Q

from messaging.models import LogRecord
from messaging.record import Kind, Record
from messaging.store import (
    Conflict,
    InsertOutcome,
    Key,
    LogCheck,
    StoreUnavailable,
    Unstorable,
)
from messaging.threads import db

R = TypeVar("R")

FIELDS = (
    "room_id",
    "kind",
    "epoch",
    "message_id",
    "eid",
    "body",
    "accepted_ms",
    "device_id",
    "n",
    "counts",
    "key_id",
    "stamp",
    "seq",
)


class RelationalLog:
    """See `MessageLog`. A batch is one transaction, so that it costs one write to disk."""

    async def heads(self, room_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, int]:
        """See `MessageLog.heads`."""
        return await _in_thread(lambda: _heads(room_ids))

    async def find(self, keys: Collection[Key]) -> dict[Key, Record]:
        """See `MessageLog.find`."""
        return await _in_thread(lambda: _find(keys))

    async def insert(self, records: Sequence[Record]) -> InsertOutcome:
        """See `MessageLog.insert`."""
        return await _in_thread(lambda: _insert(records))

    async def page(self, room_id: uuid.UUID, after: int, upto: int) -> list[Record]:
        """See `MessageLog.page`."""
        return await _in_thread(lambda: _page(room_id, after, upto))

    async def delete_room(self, room_id: uuid.UUID) -> None:
        """See `MessageLog.delete_room`."""
        await _in_thread(lambda: LogRecord.objects.filter(room_id=room_id).delete())

    async def verify(self, room_id: uuid.UUID) -> LogCheck:
        """See `MessageLog.verify`."""
        return await _in_thread(lambda: _verify(room_id))


async def _in_thread(work: Callable[[], R]) -> R:
    try:
        return await db(work)()
    except (DataError, OverflowError) as error:  # the one from MySQL, the other from SQLite
        raise Unstorable from error
    except Error as error:
        raise StoreUnavailable from error


def _heads(room_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, int]:
    rows = LogRecord.objects.filter(room_id__in=room_ids).values_list("room_id")
    found = dict(rows.annotate(head=Max("seq")).order_by())
    return {room_id: found.get(room_id, 0) for room_id in room_ids}


def _find(keys: Collection[Key]) -> dict[Key, Record]:
    wanted = Q(
        room_id__in={room for room, _, _ in keys}, message_id__in={message for *_, message in keys}
    )
    records = (_record(row) for row in LogRecord.objects.filter(wanted).values(*FIELDS))
    return {record.key: record for record in records if record.key in keys}


def _page(room_id: uuid.UUID, after: int, upto: int) -> list[Record]:
    rows = LogRecord.objects.filter(room_id=room_id, seq__gt=after, seq__lte=upto)
    return [_record(row) for row in rows.order_by("seq").values(*FIELDS)]


def _record(row: dict[str, object]) -> Record:
    blobs = {name: bytes(row[name]) for name in ("eid", "body", "stamp")}  # type: ignore[call-overload]
    return Record(**row | blobs | {"kind": Kind(row["kind"])})  # type: ignore[arg-type]


def _row(record: Record) -> LogRecord:
    return LogRecord(**{name: getattr(record, name) for name in FIELDS})


def _insert(records: Sequence[Record]) -> InsertOutcome:
    # durable: inside somebody's transaction the return would promise what is not yet on disk
    with transaction.atomic(durable=True):
        try:
            with transaction.atomic():
                LogRecord.objects.bulk_create([_row(record) for record in records])
        except IntegrityError:
            return _insert_one_by_one(records)
    return InsertOutcome(len(records))


def _insert_one_by_one(records: Sequence[Record]) -> InsertOutcome:
    for inserted, record in enumerate(records):
        try:
            with transaction.atomic():
                _row(record).save(force_insert=True)
        except IntegrityError:
            return InsertOutcome(inserted, _conflict(record))
    return InsertOutcome(len(records))


def _conflict(record: Record) -> Conflict:
    in_room = LogRecord.objects.filter(room_id=record.room_id)
    if in_room.filter(device_id=record.device_id, message_id=record.message_id).exists():
        return "message"
    counter = in_room.filter(epoch=record.epoch, device_id=record.device_id, n=record.n)
    return "counter" if record.n is not None and counter.exists() else "seq"


def _verify(room_id: uuid.UUID) -> LogCheck:
    in_room = LogRecord.objects.filter(room_id=room_id)
    found = in_room.aggregate(head=Max("seq"), rows=Count("pk"))
    head = found["head"] or 0
    seqs = set(in_room.values_list("seq", flat=True))
    return LogCheck(head, found["rows"], tuple(sorted(set(range(1, head + 1)) - seqs)))
