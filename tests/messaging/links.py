"""Connections to a RabbitMQ that does what a test says, for as much as the archiver asks of one."""

import asyncio
import itertools
from types import SimpleNamespace

from messaging.broker.amqp import INTERNAL_ERROR, Lost, parameters

NOWHERE = parameters("amqp://nobody:nothing@127.0.0.1:1/")


class Channel:
    """Says which queues were consumed and what was acknowledged; one ends the connection."""

    def __init__(self, broken, code):
        self.consumed, self.acknowledged = [], []
        self.broken, self.code = broken, code
        self._receivers, self._cancelled = {}, []
        self._tags = itertools.count(1)

    def basic_qos(self, **_):
        pass

    def basic_consume(self, queue, receive):
        if queue == self.broken:
            raise Lost("ConnectionClosedByBroker", self.code)
        self.consumed.append(queue)
        self._receivers[queue] = receive

    def basic_ack(self, tag, multiple=False):
        self.acknowledged.append((tag, multiple))

    def add_on_cancel_callback(self, cancelled):
        self._cancelled.append(cancelled)

    def delete(self, queue):
        """The operator deletes a queue, and the broker cancels who consumes it."""
        self.consumed.remove(queue)
        for cancelled in self._cancelled:
            cancelled(None)

    def deliver(self, queue, body):
        """The broker hands these bytes over."""
        method = SimpleNamespace(delivery_tag=next(self._tags))
        self._receivers[queue](self, method, None, body)


class FakeLink:
    """One connection with one channel."""

    def __init__(self, broken="", code=INTERNAL_ERROR):
        self.channel = Channel(broken, code)
        self.closed = asyncio.Event()

    async def ask(self, method, *args, **options):
        return method(*args, **options)

    def close(self):
        self.closed.set()
