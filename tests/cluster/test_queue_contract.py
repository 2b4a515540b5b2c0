"""The queue contract against RabbitMQ."""

import asyncio

import pytest

from tests.cluster.contract import promises_of
from tests.cluster.queues import own_queues
from tests.messaging import test_queue_contract

pytestmark = pytest.mark.slow
globals().update(promises_of(test_queue_contract))


@pytest.fixture
async def queue(addresses):
    async with own_queues(addresses) as made:
        yield made


async def test_who_stops_while_it_connects_leaves_the_log_quiet(addresses, caplog):
    for turns in range(0, 40, 4):
        async with own_queues(addresses) as queue:
            for _ in range(turns):
                await asyncio.sleep(0)
            await queue.stop()
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []
