"""What no archiver could read, laid aside for an operator: looked at, replayed or dropped."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

from messaging.broker.amqp import Link, Topology, parameters
from messaging.broker.bodies import Undecodable, decode
from messaging.broker.publisher import Publisher


@dataclass(frozen=True, slots=True)
class Parked:
    """One message laid aside. ``id`` follows from its bytes: a copy of it has the same."""

    id: str
    reason: str
    queue: str
    size: int
    body: bytes
    tag: int

    @classmethod
    def of(cls, method: Any, properties: Any, body: bytes) -> Self:
        """As the broker hands it over."""
        headers = properties.headers or {}
        digest = hashlib.sha256(body).hexdigest()[:16]
        reason, queue = str(headers.get("reason", "")), str(headers.get("queue", ""))
        return cls(digest, reason, queue, len(body), body, method.delivery_tag)


class Parking:
    """All that was parked when it was opened, held for this operator alone until it is closed."""

    def __init__(self, link: Link, topology: Topology, publisher: Publisher) -> None:
        self._link = link
        self._topology = topology
        self._publisher = publisher
        self.messages: list[Parked] = []

    async def replay(self, message: Parked) -> None:
        """Give it back to its partition, as if it had just come; only then it is parked no more.

        Raises `Undecodable` for what this program cannot read either, and `Refused` when the broker
        does not take it; it stays parked then.
        """
        if message.queue not in self._topology.partitions:
            raise Undecodable("queue")
        decode(message.body)
        await self._publisher.publish(self._topology.incoming, message.queue, message.body)
        self.drop(message)

    def drop(self, message: Parked) -> None:
        """Forget it for ever."""
        self._link.channel.basic_ack(message.tag)

    async def look(self) -> None:
        """Take everything that waits there now into the hand."""
        while (got := await self._link.get(self._topology.parked)) is not None:
            self.messages.append(Parked.of(*got))


@asynccontextmanager
async def parking(
    url: str, ca: str = "", topology: Topology | None = None
) -> AsyncIterator[Parking]:
    """The parking queue; what was neither replayed nor dropped goes back to it at the end.

    Raises `Lost` when the broker does not answer.
    """
    where, topology = parameters(url, ca), topology or Topology()
    link = await Link.open(where)
    publisher = Publisher(where, topology)
    try:
        await topology.declare(link)
        opened = Parking(link, topology, publisher)
        await opened.look()
        yield opened
    finally:
        await publisher.stop()
        await link.end()
