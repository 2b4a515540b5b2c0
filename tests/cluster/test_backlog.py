"""What waits for the archiver in a broker, as the archiver tells whoever watches it."""

import asyncio
import math
import time
from dataclasses import replace

import pytest

from messaging import metrics
from messaging.broker import backlog
from tests.cluster.processes import until
from tests.cluster.queues import own_queues
from tests.cluster.test_parked import lay_aside
from tests.messaging.records import ROOM, message
from tests.messaging.test_queue_contract import settle, take

pytestmark = pytest.mark.slow


@pytest.fixture
async def queue(addresses, monkeypatch):
    """Queues of our own, counted without a pause."""
    monkeypatch.setattr(backlog, "COUNT_EVERY_SECONDS", 0.01)
    async with own_queues(addresses) as made:
        yield made


def depth(queue):
    number = queue._topology.partition(ROOM)[-2:]
    return metrics.QUEUE_DEPTH.labels(number)._value.get()


def aside():
    return metrics.LAID_ASIDE.labels("parked")._value.get()


def age():
    return metrics.OLDEST_SECONDS._value.get()


async def comes_true(true_of):
    await asyncio.to_thread(until, true_of)


def accepted(number, seconds_ago):
    now_ms = time.time_ns() // 1_000_000
    return replace(message(number), accepted_ms=now_ms - seconds_ago * 1000)


async def test_what_is_not_acknowledged_counts_until_it_is(queue):
    for number in range(3):
        await queue.publish(accepted(number, seconds_ago=90 - number))
    deliveries = await take(queue, 3)
    await comes_true(lambda: depth(queue) == 3)

    assert 89 < age() < 120
    await settle(queue, deliveries[:1])
    await comes_true(lambda: depth(queue) == 2 and age() < 90)
    await settle(queue, deliveries[1:])

    await comes_true(lambda: depth(queue) == 0 and age() == 0)


async def test_what_was_laid_aside_is_counted(queue):
    await lay_aside(queue, b"of a newer release")
    await queue.deliveries(1, 0.01)

    await comes_true(lambda: aside() == 1)


async def test_without_a_broker_nothing_is_told(queue):
    await queue.deliveries(1, 0.01)
    await comes_true(lambda: age() == 0)

    await queue.stop()

    assert math.isnan(age())
    assert [told.samples for told in metrics.QUEUE_DEPTH.collect()] == [[]]
