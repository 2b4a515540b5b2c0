"""Fan-out of the cluster profile: Redis publish/subscribe, one subscription for each room.

Everything comes back from Redis, also to the process that published, so that all processes see one
order. What is published while Redis is away is lost, as the interface says; afterwards each room
that may have missed something is told `INTERRUPTED`, and the hub tells where the logs are.
"""

import asyncio
import uuid
from collections import defaultdict

from messaging import metrics
from messaging.fanout import Receive
from messaging.fanout.control import INTERRUPTED
from messaging.fanout.redis_publisher import Publisher
from messaging.fanout.redis_subscriber import Subscriber
from messaging.home import Home

Listener = tuple[asyncio.AbstractEventLoop, Receive]


class RedisFanOut:
    """See `FanOut`. Works for all event loops of a process; its connections live on one."""

    def __init__(self, url: str, ca: str = "", prefix: str = "gamrae") -> None:
        self._where = (url, ca)
        self._prefix = prefix
        self._home = Home("messaging-fanout")
        self._listeners: defaultdict[uuid.UUID, set[Listener]] = defaultdict(set)
        self._subscriber: Subscriber | None = None
        self._publisher: Publisher | None = None

    async def join(self, room_id: uuid.UUID, receive: Receive) -> None:
        """See `FanOut.join`."""
        listener = (asyncio.get_running_loop(), receive)
        self._home.adopt()
        await self._home.run(lambda: self._join(room_id, listener))

    async def leave(self, room_id: uuid.UUID, receive: Receive) -> None:
        """See `FanOut.leave`."""
        listener = (asyncio.get_running_loop(), receive)
        await self._home.run(lambda: self._leave(room_id, listener))

    async def publish(self, room_id: uuid.UUID, payload: bytes) -> None:
        """See `FanOut.publish`."""
        with metrics.FANOUT_SECONDS.time():
            await self._home.run(lambda: self._publish(self._channel(room_id), payload))

    async def start(self) -> None:
        """See `FanOut.start`; the connections live on the loop that calls this first."""
        self._home.adopt()

    async def answers(self) -> bool:
        """Whether Redis takes what is published."""
        return await self._home.run(self._answers)

    async def stop(self) -> None:
        """See `FanOut.stop`."""
        await self._home.run(self._stop)
        self._home.leave()

    def _channel(self, room_id: uuid.UUID) -> str:
        return f"{self._prefix}.room.{room_id.hex}"

    async def _join(self, room_id: uuid.UUID, listener: Listener) -> None:
        if self._subscriber is None or not self._subscriber.is_here():
            self._subscriber = Subscriber(self._where, self._receive, self._interrupted)
        self._listeners[room_id].add(listener)
        await self._subscriber.want(self._channel(room_id))

    async def _leave(self, room_id: uuid.UUID, listener: Listener) -> None:
        listeners = self._listeners.get(room_id, set())
        listeners.discard(listener)
        if not listeners and self._listeners.pop(room_id, None) is not None and self._subscriber:
            await self._subscriber.unwant(self._channel(room_id))

    async def _publish(self, channel: str, payload: bytes) -> None:
        await self._sender().publish(channel, payload)

    async def _answers(self) -> bool:
        return await self._sender().answers()

    def _sender(self) -> Publisher:
        if self._publisher is None or not self._publisher.is_here():
            self._publisher = Publisher(self._where)
        return self._publisher

    async def _stop(self) -> None:
        subscriber, publisher = self._subscriber, self._publisher
        self._subscriber = self._publisher = None
        for each in (subscriber, publisher):
            if each is not None:
                await each.stop()

    def _receive(self, channel: str, payload: bytes) -> None:
        room_id = uuid.UUID(hex=channel.rpartition(".")[2])
        for listener in tuple(self._listeners.get(room_id, ())):
            self._hand(room_id, payload, listener)

    def _interrupted(self) -> None:
        for room_id, listeners in tuple(self._listeners.items()):
            for listener in tuple(listeners):
                self._hand(room_id, INTERRUPTED, listener)

    def _hand(self, room_id: uuid.UUID, payload: bytes, listener: Listener) -> None:
        loop, receive = listener
        if loop is asyncio.get_running_loop():
            receive(room_id, payload)
            return
        try:
            loop.call_soon_threadsafe(receive, room_id, payload)
        except RuntimeError:  # that loop is closed and will never listen again
            self._listeners[room_id].discard(listener)
