"""The solo queue with its log: confirmed means on disk, whoever asks from wherever."""

import asyncio
import threading
import time
from dataclasses import replace

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import OperationalError

from accounts.refusals import Refused
from messaging import metrics
from messaging.archiver import Archiver
from messaging.broker import CONFIRM_SECONDS, in_process
from messaging.broker.in_process import InProcessQueue
from messaging.models import LogRecord
from messaging.store.relational import RelationalLog
from tests.messaging.records import ROOM, message


async def nobody_listens(*_):
    pass


def solo_queue(log=None, stored=nobody_listens, **options):
    archiver = Archiver(log or RelationalLog(), stored=stored, refused=nobody_listens)
    return InProcessQueue(archive=archiver.settle, **options)


class HeldLog(RelationalLog):
    """Writes only when it may."""

    def __init__(self):
        self.may_write = asyncio.Event()
        self.batches = []

    async def insert(self, records):
        await self.may_write.wait()
        self.batches.append(len(records))
        return await super().insert(records)


@sync_to_async
def stored_seqs():
    return list(
        LogRecord.objects.filter(room_id=ROOM).order_by("seq").values_list("seq", flat=True)
    )


@sync_to_async
def stored_ids():
    return set(LogRecord.objects.filter(room_id=ROOM).values_list("message_id", flat=True))


@pytest.mark.django_db
def test_a_view_publishes_in_its_own_thread_and_transaction():
    async_to_sync(solo_queue().publish)(message(1))

    assert LogRecord.objects.get().seq == 1


@pytest.mark.django_db
def test_a_view_publishes_twice_with_one_queue():
    queue = solo_queue()

    async_to_sync(queue.publish)(message(1))
    async_to_sync(queue.publish)(message(2))

    assert LogRecord.objects.count() == 2


@pytest.mark.django_db(transaction=True)
async def test_what_is_published_is_on_disk_when_publish_returns():
    await solo_queue().publish(message(1))

    assert await stored_seqs() == [1]


@pytest.mark.django_db(transaction=True)
async def test_who_comes_while_one_batch_is_written_shares_the_next():
    log = HeldLog()
    queue = solo_queue(log)
    publishing = [asyncio.create_task(queue.publish(message(n))) for n in range(1, 31)]
    await asyncio.sleep(0)
    log.may_write.set()

    await asyncio.gather(*publishing)

    assert sum(log.batches) == 30
    assert len(log.batches) <= 2
    assert await stored_seqs() == list(range(1, 31))


@pytest.mark.django_db(transaction=True)
async def test_publishers_go_on_before_stored_is_told():
    order = []

    async def stored(records):
        order.append("stored")

    async def publish(number):
        await queue.publish(message(number))
        order.append("live")

    queue = solo_queue(stored=stored)
    await asyncio.gather(publish(1), publish(2), publish(3))
    await queue.stop()

    assert order.count("live") == 3
    assert order[0] == "live"
    assert order[-1] == "stored"


@pytest.mark.django_db(transaction=True)
async def test_too_many_waiting_is_busy_at_once():
    log = HeldLog()
    queue = solo_queue(log, limit=2)
    publishing = [asyncio.create_task(queue.publish(message(n))) for n in (1, 2)]
    await asyncio.sleep(0)

    with pytest.raises(Refused, match="busy"):
        await queue.publish(message(3))

    log.may_write.set()
    await asyncio.gather(*publishing)


def told_of(metric):
    return [sample.value for sample in metric.collect()[0].samples]


@pytest.mark.django_db(transaction=True)
async def test_what_waits_is_told_to_the_metrics_with_its_age():
    log = HeldLog()
    queue = solo_queue(log)
    queue.tell_metrics()
    assert (told_of(metrics.QUEUE_DEPTH), told_of(metrics.OLDEST_SECONDS)) == ([0], [0])
    ninety_seconds_ago = time.time_ns() // 1_000_000 - 90_000
    old = replace(message(1), accepted_ms=ninety_seconds_ago)

    publishing = [asyncio.create_task(queue.publish(each)) for each in (old, message(2))]
    await asyncio.sleep(0)

    assert told_of(metrics.QUEUE_DEPTH) == [2]
    assert told_of(metrics.OLDEST_SECONDS)[0] > 90
    log.may_write.set()
    await asyncio.gather(*publishing)
    await queue.stop()
    assert (told_of(metrics.QUEUE_DEPTH), told_of(metrics.OLDEST_SECONDS)) == ([0], [0])


@pytest.mark.django_db(transaction=True)
async def test_a_log_that_does_not_answer_is_unavailable_and_sending_again_stores_once(monkeypatch):
    monkeypatch.setattr(in_process, "CONFIRM_SECONDS", 0.05)
    log = HeldLog()
    queue = solo_queue(log)

    with pytest.raises(Refused, match="unavailable"):
        await queue.publish(message(1))
    monkeypatch.undo()
    log.may_write.set()
    await queue.publish(message(1))

    assert await stored_seqs() == [1]


@pytest.mark.django_db(transaction=True)
async def test_a_publisher_that_gives_up_takes_nobody_with_it():
    log = HeldLog()
    queue = solo_queue(log)
    first = asyncio.create_task(queue.publish(message(1)))
    second = asyncio.create_task(queue.publish(message(2)))
    await asyncio.sleep(0)

    first.cancel()
    log.may_write.set()

    await second
    assert 1 <= len(await stored_seqs()) <= 2


@pytest.mark.django_db(transaction=True)
async def test_an_error_of_the_database_is_retried_and_nothing_is_lost(monkeypatch):
    monkeypatch.setattr("messaging.archiver.FIRST_PAUSE", 0.001)
    failures = [OperationalError("disk I/O error"), OperationalError("database is locked")]
    create = LogRecord.objects.bulk_create

    def fail_twice(rows):
        if failures:
            raise failures.pop()
        return create(rows)

    monkeypatch.setattr(LogRecord.objects, "bulk_create", fail_twice)
    await solo_queue().publish(message(1))

    assert not failures
    assert await stored_seqs() == [1]


@pytest.mark.django_db(transaction=True)
def test_threads_with_loops_of_their_own_share_one_queue():
    queue = solo_queue()

    def publish(start):
        async def all_of_them():
            await asyncio.gather(*(queue.publish(message(start + n)) for n in range(10)))

        asyncio.run(all_of_them())

    threads = [threading.Thread(target=publish, args=(start,)) for start in (100, 200, 300)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert LogRecord.objects.filter(room_id=ROOM).count() == 30
    assert set(LogRecord.objects.values_list("seq", flat=True)) == set(range(1, 31))


@pytest.mark.django_db(transaction=True)
async def test_views_and_sockets_share_one_queue():
    queue = solo_queue()
    view = sync_to_async(lambda number: async_to_sync(queue.publish)(message(number)))

    began = time.monotonic()
    await asyncio.gather(
        *(view(100 + n) for n in range(10)), *(queue.publish(message(n)) for n in range(50))
    )

    assert await stored_seqs() == list(range(1, 61))
    assert time.monotonic() - began < CONFIRM_SECONDS


@pytest.mark.django_db(transaction=True)
async def test_a_batch_that_fails_after_its_publishers_went_on_does_not_stop_the_queue():
    failures = [RuntimeError("the fan-out has a bug")]

    async def stored(records):
        if failures:
            raise failures.pop()

    queue = solo_queue(stored=stored)
    await queue.publish(message(1))
    await queue.stop()
    assert not failures

    await queue.publish(message(2))

    assert await stored_seqs() == [1, 2]


@pytest.mark.django_db(transaction=True)
async def test_a_batch_that_fails_after_its_publishers_gave_up_does_not_stop_the_queue(monkeypatch):
    monkeypatch.setattr(in_process, "CONFIRM_SECONDS", 0.05)
    log = HeldLog()
    archiver = Archiver(log, stored=nobody_listens, refused=nobody_listens)
    failures = [RuntimeError("not an answer that the archiver knows")]

    async def archive(queue, deliveries):
        await log.may_write.wait()
        if failures:
            raise failures.pop()
        await archiver.settle(queue, deliveries)

    queue = InProcessQueue(archive=archive)
    with pytest.raises(Refused, match="unavailable"):
        await queue.publish(message(1))
    monkeypatch.undo()
    log.may_write.set()

    await queue.publish(message(2))

    assert not failures
    assert message(2).message_id in await stored_ids()


@pytest.mark.django_db(transaction=True)
async def test_a_record_that_cannot_be_archived_stops_only_itself():
    archiver = Archiver(RelationalLog(), stored=nobody_listens, refused=nobody_listens)
    attempts = []

    async def archive(queue, deliveries):
        numbers = [each.record.message_id.int for each in deliveries]
        attempts.append(numbers)
        if 2 in numbers:
            raise ValueError("no archiver can write this one")
        await archiver.settle(queue, deliveries)

    queue = InProcessQueue(archive=archive)
    published = await asyncio.gather(
        *(queue.publish(message(number)) for number in (1, 2, 3)), return_exceptions=True
    )

    assert [str(each) if each else None for each in published] == [None, "unavailable", None]
    assert await stored_ids() == {message(1).message_id, message(3).message_id}
    assert len(attempts) <= 5
