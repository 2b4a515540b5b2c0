"""A log in memory that can fail at any point: the archiver's model tests need thousands of rounds.

It passes the same contract tests as the real ones.
"""

import uuid
from collections.abc import Callable, Collection, Sequence
from typing import Any

from messaging.record import Record
from messaging.store import Conflict, InsertOutcome, Key, LogCheck, Unstorable

Hook = Callable[[str], None]
LARGEST = 2**63 - 1  # what every store can count to


class MemoryLog:
    """See `MessageLog`; ``before`` is called with the name of each step and may raise."""

    def __init__(self, before: Hook = lambda step: None) -> None:
        self.rows: list[Record] = []
        self.before = before

    async def heads(self, room_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, int]:
        self.before("heads")
        return {
            room: max((row.seq for row in self.rows if row.room_id == room), default=0)
            for room in room_ids
        }

    async def find(self, keys: Collection[Key]) -> dict[Key, Record]:
        self.before("find")
        return {row.key: row for row in self.rows if row.key in keys}

    async def insert(self, records: Sequence[Record]) -> InsertOutcome:
        for inserted, record in enumerate(records):
            self.before("insert")
            if record.epoch > LARGEST:
                raise Unstorable
            conflict = self._conflict(record)
            if conflict:
                return InsertOutcome(inserted, conflict)
            self.rows.append(record)
        self.before("answer")
        return InsertOutcome(len(records))

    async def page(self, room_id: uuid.UUID, after: int, upto: int) -> list[Record]:
        found = [r for r in self.rows if r.room_id == room_id and after < r.seq <= upto]
        return sorted(found, key=lambda row: row.seq)

    async def delete_room(self, room_id: uuid.UUID) -> None:
        self.before("delete")
        self.rows = [row for row in self.rows if row.room_id != room_id]

    async def verify(self, room_id: uuid.UUID) -> LogCheck:
        seqs = [row.seq for row in self.rows if row.room_id == room_id]
        head = max(seqs, default=0)
        return LogCheck(head, len(seqs), tuple(sorted(set(range(1, head + 1)) - set(seqs))))

    def _conflict(self, record: Record) -> Conflict | None:
        def taken(of: Callable[[Record], Any]) -> bool:
            return any(of(row) == of(record) for row in self.rows)

        if taken(lambda row: row.key):
            return "message"
        if record.n is not None and taken(
            lambda row: (row.room_id, row.epoch, row.device_id, row.n)
        ):
            return "counter"
        return "seq" if taken(lambda row: (row.room_id, row.seq)) else None
