"""Queues of a test's own on a broker that others may use too."""

import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from messaging.broker.amqp import LONGEST_QUEUE, Link, Topology, parameters
from messaging.broker.rabbitmq import RabbitQueue


@asynccontextmanager
async def own_queues(
    addresses: Mapping[str, str], url: str | None = None, longest: int = LONGEST_QUEUE
) -> AsyncIterator[RabbitQueue]:
    """An empty message queue, by way of ``url`` when given; removed from the broker afterwards."""
    ca = addresses.get("BROKER_CA", "")
    topology = Topology(f"test.{uuid.uuid4().hex}", longest)
    made = RabbitQueue(url or addresses["BROKER_URL"], ca, topology)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()
        link = await Link.open(parameters(addresses["BROKER_URL"], ca))
        for name in (*topology.partitions, topology.parked, topology.dead):
            await link.ask(link.channel.queue_delete, name)
        for name in (topology.incoming, topology.dead):
            await link.ask(link.channel.exchange_delete, name)
        await link.end()
