"""The consuming side of RabbitMQ: what the archiver has in its hands, and what waits for it."""

import asyncio
import contextlib
import functools
import logging
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

from pika import URLParameters
from pika.exceptions import AMQPError

from messaging.broker import Delivery
from messaging.broker.amqp import INTERNAL_ERROR, Link, Lost, Topology, keep_connected
from messaging.broker.backlog import Counting

log = logging.getLogger("gamrae.broker")

PREFETCH = 256  # for each of the partitions
REPAIR_SECONDS = 60.0  # until a broken queue is looked at again


@dataclass(frozen=True, slots=True, eq=False)
class Arrival:
    """Bytes from a queue, and the tag by which this very link knows them."""

    link: Link
    tag: int
    queue: str
    body: bytes


class Intake:
    """One connection that consumes all partitions, on the loop it was made in."""

    def __init__(self, where: URLParameters, topology: Topology) -> None:
        self._topology = topology
        self._link: Link | None = None
        self._arrived: deque[Arrival] = deque()
        self._unacked: dict[int, Arrival] = {}
        self._broken: set[str] = set()
        self._look_again_at = 0.0  # monotonic; however many connections end until then
        self._something = asyncio.Event()
        self._counting = Counting(topology, in_hand=self.in_hand)
        self._task = asyncio.create_task(keep_connected(where, self._begin, self._over))

    def is_here(self) -> bool:
        """Whether it lives on the running loop; the one it lived on may have ended without it."""
        return self._task.get_loop() is asyncio.get_running_loop()

    async def take(self, limit: int, max_wait: float) -> list[Arrival]:
        """Up to ``limit`` that have arrived, waiting up to ``max_wait`` seconds for the first."""
        if not self._arrived:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max_wait):
                    await self._something.wait()
        taken = [self._arrived.popleft() for _ in range(min(limit, len(self._arrived)))]
        if not self._arrived:
            self._something.clear()
        return taken

    def put_back(self, arrivals: Sequence[Arrival]) -> None:
        """These are the next to be taken."""
        self._arrived.extendleft(reversed([each for each in arrivals if each.link is self._link]))
        if self._arrived:
            self._something.set()

    def ack(self, arrivals: Sequence[Arrival]) -> None:
        """Forget these. What came over a link that is lost comes again anyway."""
        tags = [each.tag for each in arrivals if each.link is self._link]
        if self._link is None or not tags:
            return
        first = list(zip(self._unacked, tags, strict=False))
        try:
            if all(oldest == tag for oldest, tag in first) and len(first) == len(tags):
                self._link.channel.basic_ack(tags[-1], multiple=True)
            else:
                for tag in tags:
                    self._link.channel.basic_ack(tag)
        except AMQPError as error:
            log.error("code=broker_unavailable error=%s", type(error).__name__)
        for tag in tags:
            self._unacked.pop(tag, None)

    def in_hand(self) -> Collection[Arrival]:
        """What has arrived and the queues still remember, the oldest of each queue first."""
        return self._unacked.values()

    async def stop(self) -> None:
        """Let go; what was not acknowledged goes back to its queue."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _begin(self, link: Link) -> None:
        await self._topology.declare(link)
        await link.ask(link.channel.basic_qos, prefetch_count=PREFETCH)
        # A deleted queue takes its consumer with it; the next connection declares it again.
        link.channel.add_on_cancel_callback(lambda _: self._cancelled(link))
        self._link = link
        if monotonic() >= self._look_again_at:
            self._broken.clear()
        for queue in self._topology.partitions:
            if queue not in self._broken:
                await self._consume(link, queue)
        self._counting.begin(link)
        if self._broken:
            left = max(0.0, self._look_again_at - monotonic())
            asyncio.get_running_loop().call_later(left, self._look_again, link)

    def _cancelled(self, link: Link) -> None:
        log.error("code=queue_deleted")
        link.close()

    def _look_again(self, link: Link) -> None:
        if link is self._link:
            self._broken.clear()
            link.close()

    async def _consume(self, link: Link, queue: str) -> None:
        """A queue whose files are damaged ends the connection of whoever consumes it.

        The next connection leaves it out, so that the other rooms go on. A while later all are
        tried again: it may have been repaired.
        """
        receive = functools.partial(self._receive, link, queue)
        try:
            await link.ask(link.channel.basic_consume, queue, receive)
        except Lost as lost:
            if lost.code == INTERNAL_ERROR:
                log.error("code=queue_broken queue=%s", queue)
                if not self._broken:
                    self._look_again_at = monotonic() + REPAIR_SECONDS
                self._broken.add(queue)
            raise

    def _over(self) -> None:
        self._link = None
        self._counting.end()
        self._arrived.clear()
        self._unacked.clear()
        self._something.clear()

    def _receive(
        self, link: Link, queue: str, _channel: Any, method: Any, _properties: Any, body: bytes
    ) -> None:
        arrival = Arrival(link, method.delivery_tag, queue, body)
        self._unacked[arrival.tag] = arrival
        self._arrived.append(arrival)
        self._something.set()


def arrivals_of(deliveries: Sequence[Delivery]) -> list[Arrival]:
    """What the queue knows these deliveries by."""
    return [delivery.tag for delivery in deliveries]
