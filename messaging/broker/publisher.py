"""The publishing side of RabbitMQ: confirmed, persistent, mandatory, and bounded."""

import asyncio
import contextlib
import itertools
import logging
from typing import Any

from pika import BasicProperties, URLParameters
from pika.exceptions import AMQPError

from accounts.refusals import Refused
from messaging import metrics
from messaging.broker import CONFIRM_SECONDS, RETRY_AFTER_MS
from messaging.broker.amqp import Link, Topology, keep_connected

log = logging.getLogger("gamrae.broker")

IN_FLIGHT_LIMIT = 500
PERSISTENT = 2


class Publisher:
    """One connection, on the loop it was made in; everything not yet confirmed is known by tag."""

    def __init__(self, where: URLParameters, topology: Topology) -> None:
        self._where = where
        self._topology = topology
        self._link: Link | None = None
        self._is_down = False
        self._is_blocked = False
        self._is_silent = False  # a confirm is overdue; connections outlive a broker that hangs
        self._changed = asyncio.Event()
        self._tags = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[str]] = {}
        self._task = asyncio.create_task(keep_connected(where, self._begin, self._over))

    def is_here(self) -> bool:
        """Whether it lives on the running loop; the one it lived on may have ended without it."""
        return self._task.get_loop() is asyncio.get_running_loop()

    @property
    def answers(self) -> bool:
        """Whether the broker is there and takes messages."""
        return self._link is not None and not (self._is_blocked or self._is_silent)

    async def publish(self, exchange: str, routing_key: str, body: bytes, **headers: str) -> None:
        """Return after the broker's confirm.

        Refuses with ``busy`` when 500 wait or the queue is full, and with ``unavailable`` when
        there is no connection, no queue, or no confirm within 3 s.
        """
        if len(self._waiting) >= IN_FLIGHT_LIMIT:
            raise Refused("busy", retry_after_ms=RETRY_AFTER_MS)
        try:
            async with asyncio.timeout(CONFIRM_SECONDS):
                link = await self._connected()
                word = await self._confirmed(link, exchange, routing_key, body, headers)
        except TimeoutError:
            word, self._is_silent = "unavailable", True
        if word:
            raise Refused(word, retry_after_ms=RETRY_AFTER_MS)

    async def stop(self) -> None:
        """Wait for the confirms on their way, then let go."""
        if self._waiting:
            await asyncio.wait(set(self._waiting.values()), timeout=CONFIRM_SECONDS)
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _connected(self) -> Link:
        while self._link is None or self._is_blocked:
            if self._is_down or self._is_blocked:
                raise Refused("unavailable", retry_after_ms=RETRY_AFTER_MS)
            self._changed.clear()
            await self._changed.wait()
        return self._link

    async def _confirmed(
        self, link: Link, exchange: str, routing_key: str, body: bytes, headers: dict[str, str]
    ) -> str:
        """The code of the refusal, empty when confirmed."""
        tag = next(self._tags)
        properties = BasicProperties(
            delivery_mode=PERSISTENT, message_id=str(tag), headers=headers or None
        )
        word: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        waiting = self._waiting  # of this link; the next one counts from 1 again
        waiting[tag] = word
        try:
            link.channel.basic_publish(exchange, routing_key, body, properties, mandatory=True)
            return await word
        except AMQPError:
            return "unavailable"
        finally:
            waiting.pop(tag, None)

    async def _begin(self, link: Link) -> None:
        await self._topology.declare(link)
        self._tags = itertools.count(1)
        link.channel.add_on_return_callback(self._returned)
        await link.ask(link.channel.confirm_delivery, self._answered)
        link.on_blocked(self._blocked)
        self._link, self._is_down, self._is_silent = link, False, False
        metrics.UP.labels("queue").set(1)
        self._changed.set()

    def _over(self) -> None:
        self._link, self._is_down, self._is_blocked = None, True, False
        metrics.UP.labels("queue").set(0)
        self._changed.set()
        waiting, self._waiting = self._waiting, {}
        for word in waiting.values():
            _tell(word, "unavailable")

    def _blocked(self, is_blocked: bool) -> None:
        log.error("code=broker_%s", "blocked" if is_blocked else "unblocked")
        self._is_blocked = is_blocked
        metrics.UP.labels("queue").set(not is_blocked)

    def _returned(self, _channel: Any, method: Any, properties: Any, _body: bytes) -> None:
        # It comes before the confirm, which a message without a queue gets all the same.
        log.error("code=unroutable queue=%s", method.routing_key)
        if word := self._waiting.get(int(properties.message_id)):
            _tell(word, "unavailable")

    def _answered(self, frame: Any) -> None:
        answer, self._is_silent = frame.method, False
        code = "" if answer.NAME == "Basic.Ack" else "busy"
        tags = [answer.delivery_tag]
        if answer.multiple:
            tags = [tag for tag in self._waiting if tag <= answer.delivery_tag]
        for tag in tags:
            if word := self._waiting.get(tag):
                _tell(word, code)


def _tell(word: asyncio.Future[str], code: str) -> None:
    if not word.done():
        word.set_result(code)
