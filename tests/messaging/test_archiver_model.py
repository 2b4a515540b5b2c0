"""Several archivers at once, crashing anywhere, over one log: no hole, no double, nothing lost.

Hypothesis draws who moves next and where it crashes; every step of every archiver is a point where
another may get between.
"""

import asyncio
from collections import Counter
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.archiver import Archiver
from tests.messaging.memory import MemoryLog
from tests.messaging.records import ALICE, BOB, OTHER_ROOM, ROOM, message

RECORDS = st.builds(
    message,
    st.integers(1, 12),
    room=st.sampled_from([ROOM, OTHER_ROOM]),
    device=st.sampled_from([ALICE, BOB]),
)
BATCHES = st.lists(st.lists(RECORDS, min_size=1, max_size=6), min_size=1, max_size=8)


class Crash(Exception):
    """The archiver died here."""


class ContestedLog(MemoryLog):
    """Lets the other writers in before every step, and kills the one who asks where told to."""

    def __init__(self, crashes):
        super().__init__()
        self.crashes = iter(crashes)

    async def heads(self, room_ids):
        await self.contest()
        return await super().heads(room_ids)

    async def find(self, keys):
        await self.contest()
        return await super().find(keys)

    async def insert(self, records):
        await self.contest()
        try:
            return await super().insert(records)
        finally:
            await self.contest()

    async def contest(self):
        await asyncio.sleep(0)
        if next(self.crashes, False):
            raise Crash


async def nobody_deleted(room_ids):
    return set()


async def nobody_listens(*_):
    pass


async def archive_until_done(log, batch):
    """A queue's way: what was not acknowledged is delivered again, to a new archiver."""
    while True:
        archiver = Archiver(
            log, stored=nobody_listens, refused=nobody_listens, tombstones=nobody_deleted
        )
        with suppress(Crash):
            return await archiver.place(batch)


async def run(batches, crashes):
    log = ContestedLog(crashes)
    placed = await asyncio.gather(*(archive_until_done(log, batch) for batch in batches))
    return log, placed


@settings(max_examples=300, deadline=None)
@given(BATCHES, st.lists(st.booleans(), max_size=30))
def test_several_archivers_that_crash_anywhere_leave_no_hole_and_no_double(batches, crashes):
    log, placed = asyncio.run(run(batches, crashes))
    log.crashes = iter(())

    sent = {record.key for batch in batches for record in batch}
    assert Counter(row.key for row in log.rows) == Counter(sent)
    for room in (ROOM, OTHER_ROOM):
        assert asyncio.run(log.verify(room)).is_whole
    for batch, outcome in zip(batches, placed, strict=True):
        assert {record.key for record in batch} <= {row.key for row in outcome.stored}


@settings(max_examples=200, deadline=None)
@given(BATCHES)
def test_everybody_is_told_the_same_number_of_a_record(batches):
    log, placed = asyncio.run(run(batches, ()))

    told = {(row.key, row.seq) for outcome in placed for row in outcome.stored}
    assert told == {(row.key, row.seq) for row in log.rows}
