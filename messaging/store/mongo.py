"""The log of the cluster profile, in MongoDB or what speaks its protocol.

Only what every such server has is used: single-field unique indexes, ranges bounded at both ends,
ordered inserts, no retryable writes, no transactions. A row's ``_id`` is its room and seq, so that
one index gives order and uniqueness.

The collection ``heads`` is a hint: a room's head is never below it. Rows of a room have no hole,
so looking on from there finds the head in one step when the hint is fresh, and in a few when not.
"""

import asyncio
import threading
import uuid
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from bson.errors import BSONError
from pymongo import MongoClient, UpdateOne, timeout
from pymongo.errors import BulkWriteError, PyMongoError
from pymongo.write_concern import WriteConcern

from messaging import metrics
from messaging.record import Kind, Record
from messaging.store import (
    Conflict,
    InsertOutcome,
    Key,
    LogCheck,
    StoreUnavailable,
    Unstorable,
)

R = TypeVar("R")
Row = dict[str, Any]

THREADS = 8
SELECTION_MS = 2_000  # to find a primary: a reader hears "unavailable" rather than wait longer
SOCKET_MS = 15_000
READ_SECONDS = 2.5  # also when it hangs; a write may take longer, and only archivers write
WRITE_MS = 10_000
PING_SECONDS = 1.0
QUEUE_SECONDS = 0.3
DUPLICATE_KEY = 11000
LONGEST_STEP = 2**20
POOL = ThreadPoolExecutor(THREADS, thread_name_prefix="messaging-log")


class MongoLog:
    """See `MessageLog`. Calls run in threads of their own, because pymongo waits."""

    def __init__(self, url: str, ca: str = "", database: str = "gamrae") -> None:
        tls: dict[str, Any] = {"tls": True, "tlsCAFile": ca} if ca else {}
        self._client: MongoClient[Row] = MongoClient(
            url,
            appname="gamrae",
            connect=False,
            retryWrites=False,
            connectTimeoutMS=SELECTION_MS,
            serverSelectionTimeoutMS=SELECTION_MS,
            socketTimeoutMS=SOCKET_MS,
            **tls,
        )
        self._database = self._client.get_default_database(database)
        safe = WriteConcern(w="majority", j=True, wtimeout=WRITE_MS)
        self._rows = self._database.get_collection("messages", write_concern=safe)
        self._hints = self._database.get_collection("heads")
        self._lock = threading.Lock()
        self._is_prepared = False

    async def heads(self, room_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, int]:
        """See `MessageLog.heads`."""
        return await _in_thread(lambda: self._heads(room_ids), READ_SECONDS)

    async def find(self, keys: Collection[Key]) -> dict[Key, Record]:
        """See `MessageLog.find`."""
        return await _in_thread(lambda: self._find(keys), READ_SECONDS)

    async def insert(self, records: Sequence[Record]) -> InsertOutcome:
        """See `MessageLog.insert`."""
        return await _in_thread(lambda: self._insert(records))

    async def page(self, room_id: uuid.UUID, after: int, upto: int) -> list[Record]:
        """See `MessageLog.page`."""
        return await _in_thread(lambda: self._page(room_id, after, upto), READ_SECONDS)

    async def delete_room(self, room_id: uuid.UUID) -> None:
        """See `MessageLog.delete_room`."""
        await _in_thread(lambda: self._delete_room(room_id))

    async def verify(self, room_id: uuid.UUID) -> LogCheck:
        """See `MessageLog.verify`."""
        return await _in_thread(lambda: self._verify(room_id))

    async def prepare(self) -> None:
        """Make the indexes. `insert` does so by itself; a start may want to know that it can."""
        await _in_thread(self._prepare)

    async def answers(self) -> bool:
        """Whether the server is there and has a primary; asked for a second and no longer."""
        try:
            await _in_thread(self._ping, PING_SECONDS)
        except StoreUnavailable:
            return False
        return True

    async def version(self) -> str:
        """What the server says it is."""
        return await _in_thread(lambda: str(self._client.server_info()["version"]))

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _ping(self) -> None:
        self._client.admin.command("ping")

    def _prepare(self) -> None:
        with self._lock:
            if not self._is_prepared:
                self._rows.create_index("key", unique=True)
                self._rows.create_index("counter", unique=True, sparse=True)
                self._is_prepared = True

    def _heads(self, room_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, int]:
        rooms = [room_id.bytes for room_id in room_ids]
        hints = self._hints.find({"_id": {"$in": rooms}})
        heads = dict.fromkeys(rooms, 0) | {row["_id"]: row["seq"] for row in hints}
        grown, step = set(rooms), 1
        while grown:
            found = self._present(
                _id(room, heads[room] + n) for room in grown for n in _steps(step)
            )
            grown = {row[:16] for row in found}
            for row in sorted(found):
                heads[row[:16]] = int.from_bytes(row[16:], "big")
            step = LONGEST_STEP
        return {room_id: heads[room_id.bytes] for room_id in room_ids}

    def _present(self, ids: Iterable[bytes]) -> set[bytes]:
        found = self._rows.find({"_id": {"$in": list(ids)}}, {"_id": True})
        return {bytes(row["_id"]) for row in found}

    def _find(self, keys: Collection[Key]) -> dict[Key, Record]:
        rows = self._rows.find({"key": {"$in": [_joined(*key) for key in keys]}})
        records = (_record(row) for row in rows)
        return {record.key: record for record in records}

    def _page(self, room_id: uuid.UUID, after: int, upto: int) -> list[Record]:
        bounds = {"$gt": _id(room_id.bytes, after), "$lte": _id(room_id.bytes, upto)}
        return [_record(row) for row in self._rows.find({"_id": bounds}).sort("_id", 1)]

    def _insert(self, records: Sequence[Record]) -> InsertOutcome:
        if not records:
            return InsertOutcome(0)
        self._prepare()
        try:
            self._rows.insert_many([_row(record) for record in records], ordered=True)
        except BulkWriteError as error:
            inserted = _inserted_before_duplicate(error)
            self._hint(records[:inserted])
            return InsertOutcome(inserted, self._conflict(records[inserted]))
        self._hint(records)
        return InsertOutcome(len(records))

    def _hint(self, records: Iterable[Record]) -> None:
        heads = {record.room_id.bytes: record.seq for record in records}
        updates = [
            UpdateOne({"_id": room}, {"$max": {"seq": seq}}, upsert=True)
            for room, seq in heads.items()
        ]
        if updates:
            self._hints.bulk_write(updates, ordered=False)

    def _conflict(self, record: Record) -> Conflict:
        if self._rows.find_one({"key": _joined(*record.key)}, {"_id": True}):
            return "message"
        counter = _row(record).get("counter")
        if counter and self._rows.find_one({"counter": counter}, {"_id": True}):
            return "counter"
        return "seq"

    def _delete_room(self, room_id: uuid.UUID) -> None:
        # The hint first: it may be too low, and never too high.
        self._hints.delete_one({"_id": room_id.bytes})
        self._rows.delete_many({"_id": _whole(room_id)})

    def _verify(self, room_id: uuid.UUID) -> LogCheck:
        rows = self._rows.find({"_id": _whole(room_id)}, {"_id": True})
        seqs = [int.from_bytes(row["_id"][16:], "big") for row in rows]
        head = max(seqs, default=0)
        return LogCheck(head, len(seqs), tuple(sorted(set(range(1, head + 1)) - set(seqs))))


async def _in_thread(work: Callable[[], R], seconds: float | None = None) -> R:
    def bounded() -> R:
        with timeout(seconds):
            return work()

    try:
        # Once more around it, because all threads may be waiting for a server that hangs.
        async with asyncio.timeout(seconds and seconds + QUEUE_SECONDS):
            result = await asyncio.get_running_loop().run_in_executor(POOL, bounded)
    except (PyMongoError, TimeoutError) as error:
        metrics.UP.labels("log").set(0)
        # Also a lost answer and a failed write concern: whether it was written is unknown.
        raise StoreUnavailable from error
    except (BSONError, OverflowError) as error:
        raise Unstorable from error
    metrics.UP.labels("log").set(1)
    return result


def _inserted_before_duplicate(error: BulkWriteError) -> int:
    details = error.details or {}
    errors = details.get("writeErrors", [])
    if details.get("writeConcernErrors") or [each["code"] for each in errors] != [DUPLICATE_KEY]:
        raise error
    inserted: int = details["nInserted"]
    return inserted


def _steps(longest: int) -> list[int]:
    """1, 2, 4 … up to the longest: the rows after a head to look for."""
    return [1 << power for power in range(longest.bit_length())]


def _id(room: bytes, seq: int) -> bytes:
    return room + seq.to_bytes(8, "big")


def _whole(room_id: uuid.UUID) -> dict[str, bytes]:
    return {"$gte": _id(room_id.bytes, 0), "$lte": room_id.bytes + b"\xff" * 8}


def _joined(*ids: uuid.UUID) -> bytes:
    return b"".join(each.bytes for each in ids)


def _row(record: Record) -> Row:
    row = {
        "_id": _id(record.room_id.bytes, record.seq),
        "key": _joined(*record.key),
        "kind": int(record.kind),
        "epoch": record.epoch,
        "eid": record.eid,
        "body": record.body,
        "accepted_ms": record.accepted_ms,
        "counts": record.counts,
        "key_id": record.key_id,
        "stamp": record.stamp,
    }
    if record.n is not None:  # rows that are no messages have no counter and may not collide by it
        row["counter"] = b"".join(
            [
                record.room_id.bytes,
                record.epoch.to_bytes(8, "big"),
                record.device_id.bytes,
                record.n.to_bytes(4, "big"),
            ]
        )
    return row


def _record(row: Row) -> Record:
    place, key, counter = bytes(row["_id"]), bytes(row["key"]), row.get("counter")
    return Record(
        room_id=uuid.UUID(bytes=place[:16]),
        seq=int.from_bytes(place[16:], "big"),
        device_id=uuid.UUID(bytes=key[16:32]),
        message_id=uuid.UUID(bytes=key[32:]),
        n=None if counter is None else int.from_bytes(counter[-4:], "big"),
        kind=Kind(row["kind"]),
        epoch=row["epoch"],
        eid=bytes(row["eid"]),
        body=bytes(row["body"]),
        accepted_ms=row["accepted_ms"],
        counts=row["counts"],
        key_id=row["key_id"],
        stamp=bytes(row["stamp"]),
    )
