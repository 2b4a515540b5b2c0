"""What every message queue promises."""

import asyncio

import pytest

from messaging.broker import Delivery
from tests.messaging.contracts import QUEUES
from tests.messaging.records import message


@pytest.fixture(params=QUEUES)
async def queue(request):
    async with QUEUES[request.param]() as made:
        yield made


async def take(queue, count):
    found: list[Delivery] = []
    while len(found) < count:
        found += await queue.deliveries(count - len(found), 0.2)
    return found


async def settle(queue, deliveries):
    await queue.written(deliveries)
    await queue.ack(deliveries)


async def test_a_published_record_is_delivered_as_it_was_and_confirmed(queue):
    publishing = asyncio.create_task(queue.publish(message(1)))

    [delivery] = await take(queue, 1)
    await settle(queue, [delivery])

    assert delivery.record == message(1)
    await publishing


async def test_records_are_delivered_in_the_order_of_publishing(queue):
    publishing = asyncio.gather(*(queue.publish(message(n)) for n in range(50)))

    deliveries = await take(queue, 50)
    await settle(queue, deliveries)

    assert [each.record.message_id.int for each in deliveries] == list(range(50))
    await publishing


async def test_no_more_is_delivered_than_was_asked_for(queue):
    publishing = asyncio.gather(*(queue.publish(message(n)) for n in range(3)))

    first = await take(queue, 2)
    rest = await take(queue, 1)
    await settle(queue, first + rest)

    assert len(first) == 2
    await publishing


async def test_waiting_for_deliveries_ends_when_none_comes(queue):
    assert await queue.deliveries(10, 0.01) == []


async def test_what_was_not_acknowledged_is_delivered_again(queue):
    publishing = asyncio.create_task(queue.publish(message(1)))
    [lost] = await take(queue, 1)

    await queue.stop()
    await queue.start()
    [again] = await take(queue, 1)
    await settle(queue, [again])

    assert again.record == lost.record
    await publishing


async def test_what_was_acknowledged_is_not_delivered_again(queue):
    publishing = asyncio.create_task(queue.publish(message(1)))
    await settle(queue, await take(queue, 1))
    await publishing

    await queue.stop()
    await queue.start()

    assert await queue.deliveries(10, 0.01) == []


async def test_what_was_laid_aside_is_not_delivered_again_and_its_neighbour_is(queue):
    publishing = asyncio.gather(
        *(queue.publish(message(n)) for n in (1, 2)), return_exceptions=True
    )
    bad, good = await take(queue, 2)

    assert await queue.lay_aside(bad, "unstorable")

    await settle(queue, [good])
    await publishing
    await queue.stop()
    await queue.start()
    assert await queue.deliveries(10, 0.01) == []
