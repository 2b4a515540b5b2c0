"""The queue contract against RabbitMQ, and what only a broker can do."""

import pytest

from messaging.broker.amqp import Link, Topology
from messaging.broker.rabbitmq import RabbitQueue
from tests.cluster.contract import promises_of
from tests.messaging import test_queue_contract
from tests.messaging.records import message

pytestmark = pytest.mark.slow
globals().update(promises_of(test_queue_contract))


@pytest.fixture(scope="session")
def topology(namespace):
    return Topology(namespace)


@pytest.fixture
async def queue(addresses, topology):
    """An empty queue; what a test leaves is purged before the next."""
    made = RabbitQueue(addresses["BROKER_URL"], addresses.get("BROKER_CA", ""), topology)
    await made.publish(message(0))  # declares everything
    await purge(made, topology)
    await made.start()
    yield made
    await made.stop()


async def purge(queue, topology):
    link = await Link.open(queue._where)
    for name in (*topology.partitions, topology.parked):
        await link.ask(link.channel.queue_purge, name)
    await link.end()
