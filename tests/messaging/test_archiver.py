"""The archiver: a record once, a room without holes, whatever happens in between."""

import asyncio
from dataclasses import replace

import pytest

from messaging.archiver import Archiver
from messaging.broker import Delivery
from messaging.store import StoreUnavailable
from tests.messaging.memory import MemoryLog
from tests.messaging.records import ALICE, BOB, OTHER_ROOM, ROOM, commit, message


class Told:
    """What the sockets were told, and in which order things were done."""

    def __init__(self):
        self.stored, self.refused, self.steps = [], [], []

    async def tell_stored(self, records):
        self.stored += records
        self.steps.append("stored")

    async def tell_refused(self, record, code):
        self.refused.append((record.message_id.int, code))

    async def written(self, deliveries):
        self.steps.append("written")

    async def ack(self, deliveries):
        self.steps.append("ack")


class Hand(Told):
    """A queue with one batch in it, which is delivered again until it is acknowledged."""

    def __init__(self, records, crash_at="", when="before"):
        super().__init__()
        self.ending = asyncio.Event()
        self.waiting = [Delivery(record) for record in records]
        self.aside = []
        self.crash_at, self.when = crash_at, when

    async def deliveries(self, limit, max_wait):
        if not max_wait:
            return []
        if not self.waiting:
            self.ending.set()
        return self.waiting[:limit]

    async def lay_aside(self, delivery, reason):
        self.aside.append((delivery.record.message_id.int, reason))
        self.waiting.remove(delivery)
        return True

    async def written(self, deliveries):
        await self._step("written", super().written(deliveries))

    async def tell_stored(self, records):
        await self._step("stored", super().tell_stored(records))

    async def ack(self, deliveries):
        await self._step("ack", super().ack(deliveries))
        self.waiting = [each for each in self.waiting if each not in deliveries]

    async def _step(self, name, work):
        if (name, self.when) == (self.crash_at, "before"):
            work.close()
            self.die()
        await work
        if name == self.crash_at:
            self.die()

    def die(self):
        self.crash_at = ""
        raise Killed


class Killed(Exception):
    """The process ended here; whatever it held is gone."""


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def log():
    return MemoryLog()


@pytest.fixture
def deleted():
    return set()


@pytest.fixture
def archiver(log, told, deleted):
    async def tombstones(room_ids):
        return deleted & set(room_ids)

    return Archiver(log, stored=told.tell_stored, refused=told.tell_refused, tombstones=tombstones)


def rows(log, room=ROOM):
    """(seq, message id) of a room, ascending."""
    found = [row for row in log.rows if row.room_id == room]
    return sorted((row.seq, row.message_id.int) for row in found)


async def settle(archiver, told, *records):
    await archiver.settle(told, [Delivery(record) for record in records])


async def test_records_get_the_numbers_of_their_room_in_the_order_they_came(archiver, log, told):
    await settle(archiver, told, message(1), message(1, room=OTHER_ROOM), message(2))
    await settle(archiver, told, message(3))

    assert rows(log) == [(1, 1), (2, 2), (3, 3)]
    assert rows(log, OTHER_ROOM) == [(1, 1)]


async def test_commits_take_numbers_like_messages(archiver, log, told):
    await settle(archiver, told, commit(0), message(1), commit(1))

    assert [(row.seq, row.kind.name) for row in log.rows] == [
        (1, "COMMIT"),
        (2, "MESSAGE"),
        (3, "COMMIT"),
    ]


async def test_the_log_is_written_then_confirmed_then_told_then_acknowledged(archiver, log, told):
    log.before = told.steps.append

    await settle(archiver, told, message(1))

    assert told.steps.index("insert") < told.steps.index("written")
    assert told.steps[-3:] == ["written", "stored", "ack"]


async def test_a_record_that_comes_again_is_told_with_its_first_number(archiver, log, told):
    await settle(archiver, told, message(1), message(2))
    told.stored.clear()

    await settle(archiver, told, message(1))

    assert [(row.seq, row.message_id.int) for row in told.stored] == [(1, 1)]
    assert rows(log) == [(1, 1), (2, 2)]


async def test_the_same_record_twice_in_one_batch_is_stored_once(archiver, log, told):
    await settle(archiver, told, message(1), message(1), message(2))

    assert rows(log) == [(1, 1), (2, 2)]


async def test_the_first_envelope_of_an_id_wins_and_its_fingerprint_is_told(archiver, log, told):
    first, second = message(1, body=b"first"), message(1, body=b"second", n=9)
    await settle(archiver, told, first)
    told.stored.clear()

    await settle(archiver, told, second)

    assert [row.eid for row in told.stored] == [first.eid]
    assert [row.body for row in log.rows] == [b"first"]


async def test_of_two_envelopes_of_one_id_in_a_batch_the_first_wins(archiver, log, told):
    await settle(archiver, told, message(1, body=b"first"), message(1, body=b"second", n=9))

    assert [row.body for row in log.rows] == [b"first"]


async def test_a_counter_used_by_another_message_is_refused_and_leaves_no_hole(archiver, log, told):
    await settle(archiver, told, message(1, n=5), message(2, n=5), message(3))

    assert told.refused == [(2, "counter_reused")]
    assert rows(log) == [(1, 1), (2, 3)]


async def test_a_message_written_by_another_archiver_meanwhile_leaves_no_hole(archiver, log, told):
    def other_writes_second(step):
        if step == "insert":
            log.before = lambda step: None
            log.rows.append(message(2).at(1))

    log.before = other_writes_second
    await settle(archiver, told, message(1), message(2), message(3))

    assert rows(log) == [(1, 2), (2, 1), (3, 3)]


async def test_a_number_taken_by_another_archiver_meanwhile_is_not_used_twice(archiver, log, told):
    def other_takes_the_number(step):
        if step == "insert":
            log.before = lambda step: None
            log.rows.append(message(9, device=BOB).at(1))

    log.before = other_takes_the_number
    await settle(archiver, told, message(1), message(2))

    assert rows(log) == [(1, 9), (2, 1), (3, 2)]


async def test_a_deleted_room_stays_deleted(archiver, log, told, deleted):
    deleted.add(ROOM)

    await settle(archiver, told, message(1), message(2, room=OTHER_ROOM))

    assert told.refused == [(1, "room_deleted")]
    assert (rows(log), rows(log, OTHER_ROOM)) == ([], [(1, 2)])


async def test_a_room_deleted_between_the_look_and_the_write_is_empty_again(
    archiver, log, told, deleted
):
    log.before = lambda step: deleted.add(ROOM) if step == "insert" else None

    await settle(archiver, told, message(1))

    assert rows(log) == []
    assert told.refused == [(1, "room_deleted")]
    assert told.stored == []


async def test_a_store_that_fails_drops_nothing(archiver, log, told, monkeypatch):
    monkeypatch.setattr("messaging.archiver.FIRST_PAUSE", 0.001)
    failures = iter(["find", "heads", "insert", "answer"])
    broken = [next(failures)]

    def fail_at_each_step_once(step):
        if broken and step == broken[0]:
            broken[:] = [following] if (following := next(failures, None)) else []
            raise StoreUnavailable

    log.before = fail_at_each_step_once
    await settle(archiver, told, message(1), message(2))

    assert not broken
    assert rows(log) == [(1, 1), (2, 2)]
    assert {row.message_id.int for row in told.stored} == {1, 2}


async def test_nothing_is_confirmed_while_the_store_fails(archiver, log, told):
    def fail(step):
        raise StoreUnavailable

    log.before = fail
    with pytest.raises(StoreUnavailable):
        await archiver.place([message(1)])

    assert told.steps == []


async def test_a_record_resealed_under_its_id_does_not_take_the_place_of_the_stored(
    archiver, log, told
):
    stored = message(1)
    await settle(archiver, told, stored)

    await settle(archiver, told, replace(stored, epoch=1, eid=b"e" * 32, body=b"again"))

    assert [(row.epoch, row.body, row.device_id) for row in log.rows] == [(0, stored.body, ALICE)]


async def nobody_deleted(room_ids):
    return set()


def at_work(log, hand):
    return Archiver(
        log, stored=hand.tell_stored, refused=hand.tell_refused, tombstones=nobody_deleted
    )


STEPS = [("written", "before"), ("written", "after"), ("stored", "before"), ("stored", "after")]
STEPS += [("ack", "before"), *(("log", step) for step in ("find", "heads", "insert", "answer"))]


@pytest.mark.parametrize(("crash_at", "when"), STEPS)
async def test_whoever_comes_after_an_archiver_that_died_at_any_step_finishes_its_work(
    log, crash_at, when
):
    hand = Hand([message(1), message(2)], crash_at, when)

    def die_in_the_log(step):
        if (hand.crash_at, step) == ("log", when):
            hand.die()

    log.before = die_in_the_log
    with pytest.raises(Killed):
        await at_work(log, hand).run(hand, hand.ending)
    hand.stored.clear()

    await at_work(log, hand).run(hand, hand.ending)

    assert rows(log) == [(1, 1), (2, 2)]
    assert {(row.seq, row.message_id.int) for row in hand.stored} == {(1, 1), (2, 2)}
    assert hand.waiting == []


async def test_what_can_never_be_stored_is_laid_aside_and_its_neighbours_are_stored(log):
    bad = replace(message(2), epoch=2**64 - 1)
    hand = Hand([message(1), bad, message(3)])

    await at_work(log, hand).run(hand, hand.ending)

    assert hand.aside == [(2, "unstorable")]
    assert rows(log) == [(1, 1), (2, 3)]
    assert hand.waiting == []


async def test_a_store_that_is_away_is_no_reason_to_lay_anything_aside(log, monkeypatch):
    monkeypatch.setattr("messaging.archiver.FIRST_PAUSE", 0.001)
    hand = Hand([message(1)])
    away = iter([True] * 5)

    def fail_five_times(step):
        if next(away, False):
            raise StoreUnavailable

    log.before = fail_five_times
    await at_work(log, hand).run(hand, hand.ending)

    assert hand.aside == []
    assert rows(log) == [(1, 1)]
