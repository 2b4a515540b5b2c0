"""What an archiver gets from RabbitMQ while nothing can be laid aside."""

import asyncio

import pytest

from accounts.refusals import Refused
from messaging.broker.bodies import encode
from messaging.broker.rabbitmq import RabbitQueue
from tests.messaging.links import FakeLink
from tests.messaging.records import ROOM, message

URL = "amqp://nobody:nothing@127.0.0.1:1/"
NEWER = b"\x63" + encode(message(1))[1:]


class FakePublisher:
    """Refuses at once for as long as the broker takes nothing."""

    def __init__(self, *_):
        self.takes_nothing = True
        self.published = []

    def is_here(self):
        return True

    async def publish(self, _exchange, _routing_key, body, **_):
        if self.takes_nothing:
            raise Refused("unavailable", retry_after_ms=1)
        self.published.append(body)

    async def stop(self):
        pass


@pytest.fixture
async def link(monkeypatch):
    """The one connection that an intake ever gets."""
    made = FakeLink()

    async def connected(_, begin, over):
        try:
            await begin(made)
            await asyncio.Event().wait()
        finally:
            over()

    monkeypatch.setattr("messaging.broker.intake.keep_connected", connected)
    monkeypatch.setattr("messaging.broker.rabbitmq.Publisher", FakePublisher)
    monkeypatch.setattr("messaging.broker.intake.Counting.begin", lambda *_: None)
    return made


@pytest.fixture
async def queue(link, monkeypatch):
    """One whose connection is there."""

    async def declared(_):
        pass

    made = RabbitQueue(URL)
    monkeypatch.setattr(made._topology, "declare", declared)
    async with made:
        await made.deliveries(1, 0)
        yield made


@pytest.fixture
def arrives(queue, link):
    """The broker hands these bytes over, all in the same queue."""

    def deliver(*bodies):
        for body in bodies:
            link.channel.deliver(queue._topology.partition(ROOM), body)

    return deliver


@pytest.mark.parametrize("max_wait", [0, 0.01])
async def test_what_cannot_be_parked_now_leaves_the_process_its_time(queue, arrives, max_wait):
    arrives(NEWER)
    others = asyncio.Event()
    asyncio.get_running_loop().call_soon(others.set)

    assert await queue.deliveries(10, max_wait) == []

    assert others.is_set()


async def test_what_cannot_be_parked_now_lets_its_neighbours_pass(queue, arrives, link):
    arrives(NEWER, encode(message(2)), encode(message(3)))

    deliveries = await queue.deliveries(10, 0)
    await queue.ack(deliveries)

    assert [each.record for each in deliveries] == [message(2), message(3)]
    assert link.channel.acknowledged == [(2, False), (3, False)]


async def test_it_is_parked_once_the_broker_takes_messages_again(queue, arrives, link):
    arrives(NEWER, encode(message(2)))
    await queue.deliveries(10, 0)
    queue._publisher.takes_nothing = False

    assert await queue.deliveries(10, 0) == []

    assert queue._publisher.published == [NEWER]
    assert [tag for tag, _ in link.channel.acknowledged] == [1]


async def test_of_many_that_cannot_be_parked_one_is_tried_at_a_time(queue, arrives, monkeypatch):
    tried = []

    async def silent(_exchange, _routing_key, body, **_):
        tried.append(body)
        raise Refused("unavailable", retry_after_ms=1)

    monkeypatch.setattr(queue._publisher, "publish", silent)
    arrives(NEWER, NEWER, NEWER)

    await queue.deliveries(10, 0)

    assert len(tried) == 1
