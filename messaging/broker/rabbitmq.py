"""The queue of the cluster profile: RabbitMQ, 16 quorum queues by room."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Self

from accounts.refusals import Refused
from messaging import metrics
from messaging.broker import Delivery
from messaging.broker.amqp import Link, Topology, parameters
from messaging.broker.bodies import Undecodable, decode, encode
from messaging.broker.intake import Arrival, Intake, arrivals_of
from messaging.broker.publisher import Publisher
from messaging.home import Home
from messaging.record import Record

log = logging.getLogger("gamrae.broker")

PARK_AGAIN_SECONDS = 0.2  # until what the broker did not take is offered to it again


class RabbitQueue:
    """See `MessageQueue`. Publishing and consuming have a connection each.

    A process that never asks for deliveries consumes nothing.
    """

    def __init__(self, url: str, ca: str = "", topology: Topology | None = None) -> None:
        self._where = parameters(url, ca)
        self._topology = topology or Topology()
        self._home = Home("messaging-broker")
        self._publisher: Publisher | None = None
        self._intake: Intake | None = None

    async def start(self) -> None:
        """See `MessageQueue.start`; the connections live on the loop that calls this first."""
        self._home.adopt()
        await self._home.run(self._start)

    async def publish(self, record: Record) -> None:
        """See `MessageQueue.publish`; may be called from any loop and thread of the process."""
        body, partition = encode(record), self._topology.partition(record.room_id)
        await self._home.run(lambda: self._publish(partition, body))

    async def deliveries(self, limit: int, max_wait: float) -> list[Delivery]:
        """See `MessageQueue.deliveries`; what cannot be decoded is passed over, and parked."""
        return await self._home.run(lambda: self._deliveries(limit, max_wait))

    async def written(self, deliveries: Sequence[Delivery]) -> None:
        """See `MessageQueue.written`: the broker has confirmed long before."""

    async def ack(self, deliveries: Sequence[Delivery]) -> None:
        """See `MessageQueue.ack`."""
        await self._home.run(lambda: self._ack(deliveries))

    async def lay_aside(self, delivery: Delivery, reason: str) -> bool:
        """See `MessageQueue.lay_aside`."""
        return await self._home.run(lambda: self._park(delivery.tag, reason))

    async def stop(self) -> None:
        """See `MessageQueue.stop`."""
        await self._home.run(self._stop)
        self._home.leave()

    async def answers(self) -> bool:
        """Whether the broker is there and takes messages."""
        return await self._home.run(self._answers)

    async def version(self) -> str:
        """What the broker says it is; raises `Lost` when it does not answer."""
        link = await Link.open(self._where)
        try:
            return link.version
        finally:
            await link.end()

    async def _start(self) -> None:
        if self._publisher is None or not self._publisher.is_here():
            self._publisher = Publisher(self._where, self._topology)

    async def _answers(self) -> bool:
        await self._start()
        return self._publisher is not None and self._publisher.answers

    async def _publish(self, partition: str, body: bytes) -> None:
        await self._start()
        assert self._publisher is not None  # noqa: S101 (see _start)
        await self._publisher.publish(self._topology.incoming, partition, body)

    async def _deliveries(self, limit: int, max_wait: float) -> list[Delivery]:
        await self._start()
        if self._intake is None or not self._intake.is_here():
            self._intake = Intake(self._where, self._topology)
        arrivals = await self._intake.take(limit, max_wait)
        found: list[Delivery] = []
        left: list[Arrival] = []
        for arrival in arrivals:
            try:
                found.append(Delivery(decode(arrival.body), arrival))
            except Undecodable as trouble:
                # Each try may cost the publisher's patience: after one that failed, no other now.
                if left or not await self._park(arrival, str(trouble)):
                    left.append(arrival)
        self._intake.put_back(left)
        if left and not found:
            # What is back in hand is there at once, and a refusal too may come without a wait:
            # without one here, the archiver's loop would run nothing but this.
            await asyncio.sleep(min(max_wait, PARK_AGAIN_SECONDS))
        return found

    async def _park(self, arrival: Arrival, reason: str) -> bool:
        """Keep for an operator what no archiver can use; its neighbours go on."""
        await self._start()
        assert self._publisher is not None  # noqa: S101 (see _start)
        try:
            headers = {"reason": reason, "queue": arrival.queue}
            await self._publisher.publish("", self._topology.parked, arrival.body, **headers)
        except Refused:
            return False
        metrics.PARKED.inc()
        log.error("code=parked reason=%s queue=%s", reason, arrival.queue)
        if self._intake is not None:
            self._intake.ack([arrival])
        return True

    async def _ack(self, deliveries: Sequence[Delivery]) -> None:
        if self._intake is not None:
            self._intake.ack(arrivals_of(deliveries))

    async def _stop(self) -> None:
        intake, publisher = self._intake, self._publisher
        self._intake = self._publisher = None
        if intake is not None:
            await intake.stop()
        if publisher is not None:
            await publisher.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
