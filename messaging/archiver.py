"""Takes accepted records from the queue, gives each its place in its room, and writes the log.

Every step is safe to repeat: after a crash, a lost answer or a second archiver at work, a record is
in the log once, and the numbers of a room have no hole at the moment they are given.
"""

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

from messaging import metrics
from messaging.backoff import Backoff
from messaging.broker import Delivery, MessageQueue
from messaging.record import Record
from messaging.store import MessageLog, StoreUnavailable, Unstorable
from messaging.store.tombstones import deleted_rooms

log = logging.getLogger("gamrae.archiver")

BATCH = 200
BATCH_SECONDS = 0.02
IDLE_SECONDS = 1.0
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0
UNSTORABLE = "unstorable"

Stored = Callable[[Iterable[Record]], Awaitable[None]]
RefusedTo = Callable[[Record, str], Awaitable[None]]
Tombstones = Callable[[Collection[uuid.UUID]], Awaitable[set[uuid.UUID]]]


@dataclass(slots=True)
class Placed:
    """What became of a batch: rows of the log, new or found there, and what can never be stored."""

    stored: list[Record] = field(default_factory=list)
    refused: list[tuple[Record, str]] = field(default_factory=list)


class Archiver:
    """Writes to one log; ``stored`` and ``refused`` tell the sockets."""

    def __init__(
        self,
        log: MessageLog,
        *,
        stored: Stored,
        refused: RefusedTo,
        tombstones: Tombstones = deleted_rooms,
    ) -> None:
        self._log = log
        self._stored = stored
        self._refused = refused
        self._tombstones = tombstones

    async def run(self, queue: MessageQueue, ending: asyncio.Event) -> None:
        """Archive until told to end, and finish what is in hand: the work of a process."""
        while not ending.is_set():
            deliveries = await queue.deliveries(BATCH, IDLE_SECONDS)
            if deliveries:
                await asyncio.sleep(BATCH_SECONDS)  # what comes at the same time is one write
                deliveries += await queue.deliveries(BATCH - len(deliveries), 0)
                await self._settle_or_lay_aside(queue, deliveries)

    async def _settle_or_lay_aside(
        self, queue: MessageQueue, deliveries: Sequence[Delivery]
    ) -> None:
        """A record that can never be stored stops only itself; the queue keeps it aside."""
        try:
            await self.settle(queue, deliveries)
        except Unstorable:
            if len(deliveries) == 1:
                await self._lay_aside(queue, deliveries[0])
                return
            for delivery in deliveries:
                await self._settle_or_lay_aside(queue, [delivery])

    @staticmethod
    async def _lay_aside(queue: MessageQueue, delivery: Delivery) -> None:
        backoff = Backoff(FIRST_PAUSE, LONGEST_PAUSE)
        while True:
            if await queue.lay_aside(delivery, UNSTORABLE):
                return
            await asyncio.sleep(backoff.pause())

    async def settle(self, queue: MessageQueue, deliveries: Sequence[Delivery]) -> None:
        """Write, confirm, tell, acknowledge, in this order: a crash repeats and forgets nothing."""
        metrics.BATCH_RECORDS.observe(len(deliveries))
        placed = await self._place_in_the_end([delivery.record for delivery in deliveries])
        await queue.written(deliveries)
        await self._stored(placed.stored)
        for record, code in placed.refused:
            log.warning("code=%s room=%s", code, record.room_id)
            await self._refused(record, code)
        await queue.ack(deliveries)

    async def _place_in_the_end(self, records: Sequence[Record]) -> Placed:
        backoff = Backoff(FIRST_PAUSE, LONGEST_PAUSE)
        while True:
            try:
                return await self.place(records)
            except StoreUnavailable:
                metrics.STORE_RETRIES.inc()
                # Whether it wrote is unknown. Nothing is dropped: look again, and go on from there.
                log.error("code=log_unavailable waiting=%d", len(records))
                await asyncio.sleep(backoff.pause())

    async def place(self, records: Sequence[Record]) -> Placed:
        """Give every record that is new its number and write it; the first of a key wins.

        Raises `StoreUnavailable` when it cannot know; calling it again is safe. `Unstorable` is for
        good, but with fewer records less of them may be to blame.
        """
        placed = Placed()
        rooms = {record.room_id for record in records}
        deleted = await self._erase(rooms)
        known = await self._log.find({record.key for record in records})
        metrics.DUPLICATES.labels("message").inc(len(known))
        placed.stored.extend(row for row in known.values() if row.room_id not in deleted)
        fresh = {record.key: record for record in reversed(records) if record.key not in known}
        in_order = [record for record in records if fresh.get(record.key) is record]
        placed.refused += [(each, "room_deleted") for each in records if each.room_id in deleted]
        await self._insert([each for each in in_order if each.room_id not in deleted], placed)
        # A room may have been deleted between the look and the write.
        if too_late := await self._erase(rooms - deleted):
            self._refuse_rooms(placed, too_late)
        return placed

    async def _erase(self, rooms: Collection[uuid.UUID]) -> set[uuid.UUID]:
        deleted = await self._tombstones(rooms)
        for room_id in deleted:
            await self._log.delete_room(room_id)
        return deleted

    @staticmethod
    def _refuse_rooms(placed: Placed, rooms: set[uuid.UUID]) -> None:
        gone = [record for record in placed.stored if record.room_id in rooms]
        placed.stored = [record for record in placed.stored if record.room_id not in rooms]
        placed.refused += [(record, "room_deleted") for record in gone]

    async def _insert(self, records: list[Record], placed: Placed) -> None:
        waiting = sorted(records, key=lambda record: record.room_id.bytes)  # stable within a room
        heads = await self._log.heads({record.room_id for record in waiting}) if waiting else {}
        while waiting:
            numbered = _number(waiting, heads)
            outcome = await self._log.insert(numbered)
            written = numbered[: outcome.inserted]
            placed.stored += written
            _measure_lag(written)
            heads |= {record.room_id: record.seq for record in written}
            waiting = waiting[outcome.inserted :]
            if outcome.conflict:
                await self._meet(outcome.conflict, waiting, heads, placed)

    async def _meet(
        self, conflict: str, waiting: list[Record], heads: dict[uuid.UUID, int], placed: Placed
    ) -> None:
        """Deal with the first of ``waiting``; the rest of its room is numbered again."""
        first = waiting[0]
        if conflict == "seq":  # somebody else writes this room too
            metrics.SEQ_CONFLICTS.inc()
            heads |= await self._log.heads({first.room_id})
        elif conflict == "message":
            metrics.DUPLICATES.labels("message").inc()
            placed.stored.extend((await self._log.find({first.key})).values())
            waiting.pop(0)
        else:
            metrics.DUPLICATES.labels("counter").inc()
            placed.refused.append((first, "counter_reused"))
            waiting.pop(0)


def _measure_lag(written: Iterable[Record]) -> None:
    now_ms = time.time() * 1000
    for record in written:  # accepted by another machine's clock, which may be ahead of ours
        metrics.STORE_LAG_SECONDS.observe(max(0.0, now_ms - record.accepted_ms) / 1000)


def _number(records: Iterable[Record], heads: dict[uuid.UUID, int]) -> list[Record]:
    next_seq = dict(heads)
    numbered = []
    for record in records:
        next_seq[record.room_id] = next_seq.get(record.room_id, 0) + 1
        numbered.append(record.at(next_seq[record.room_id]))
    return numbered
