"""The queue contract against RabbitMQ."""

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
