"""A queue that somebody deletes under the archiver: its rooms go on."""

import asyncio

import pytest

from accounts.refusals import Refused
from messaging.broker.amqp import Link, parameters
from tests.cluster.queues import own_queues
from tests.messaging.records import ROOM, message
from tests.messaging.test_queue_contract import settle, take

pytestmark = pytest.mark.slow


async def publish(queue, record):
    """As a sender would, who is refused while the queue is not there and sends again."""
    while True:
        try:
            return await queue.publish(record)
        except Refused:
            await asyncio.sleep(0.05)


async def test_it_is_declared_and_consumed_again(addresses, monkeypatch):
    # Counting what waits would end the connection, too, a few seconds later.
    monkeypatch.setattr("messaging.broker.intake.Counting.begin", lambda *_: None)
    where = parameters(addresses["BROKER_URL"], addresses.get("BROKER_CA", ""))
    async with own_queues(addresses) as queue, asyncio.timeout(20):
        await publish(queue, message(1))
        await settle(queue, await take(queue, 1))
        link = await Link.open(where)
        await link.ask(link.channel.queue_delete, queue._topology.partition(ROOM))
        await link.end()

        publishing = asyncio.create_task(publish(queue, message(2)))
        [delivery] = await take(queue, 1)

        await publishing
        assert delivery.record == message(2)
