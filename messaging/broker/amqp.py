"""Connections to RabbitMQ as awaitables, and what Gamrae declares there."""

import asyncio
import contextlib
import logging
import ssl
import zlib
from collections.abc import Awaitable, Callable
from typing import Any, Self, TypeVar
from uuid import UUID

from pika import SSLOptions, URLParameters
from pika.adapters.asyncio_connection import AsyncioConnection
from pika.channel import Channel
from pika.exceptions import AMQPError, ChannelClosedByClient
from pika.spec import Basic

from messaging.backoff import Backoff

log = logging.getLogger("gamrae.broker")

R = TypeVar("R")

ANSWER_SECONDS = 5.0
HEARTBEAT_SECONDS = 15
PARTITIONS = 16
LOOKS = 1_000_000  # how often an operator may look at what was laid aside; some drop after 20
LONGEST_QUEUE = 2 * 1024**3  # bytes; a longer one is refused to senders, who keep their messages


INTERNAL_ERROR = 541  # what the broker says when one of its own processes has died


class Lost(Exception):
    """The connection is gone, or was never made; ``code`` is the broker's reason, 0 without one."""

    def __init__(self, why: str, code: int = 0) -> None:
        super().__init__(why)
        self.code = code


def parameters(url: str, ca: str = "") -> URLParameters:
    """Where the broker is. Over TLS its certificate and name are verified, by ``ca`` if given."""
    found = URLParameters(url)
    if url.startswith("amqps:"):
        context = ssl.create_default_context(cafile=ca or None)
        found.ssl_options = SSLOptions(context, found.host)
    found.heartbeat = HEARTBEAT_SECONDS
    found.connection_attempts = 1
    found.socket_timeout = found.stack_timeout = ANSWER_SECONDS
    return found


class Link:
    """One connection with one channel, until ``lost`` is set."""

    def __init__(self, connection: AsyncioConnection, lost: asyncio.Future[Lost]) -> None:
        self._connection = connection
        self.lost = lost
        self.channel: Channel

    @classmethod
    async def open(cls, where: URLParameters) -> Self:
        """Connect; raises `Lost` when that fails or takes more than five seconds."""
        loop = asyncio.get_running_loop()
        lost: asyncio.Future[Lost] = loop.create_future()

        def over(_: Any, why: Any = None) -> None:
            if not lost.done():
                lost.set_result(Lost(type(why).__name__, getattr(why, "reply_code", 0)))

        opened: asyncio.Future[Any] = loop.create_future()
        connection = AsyncioConnection(
            where,
            on_open_callback=lambda made: _settle(opened, made),
            on_open_error_callback=over,
            on_close_callback=over,
            custom_ioloop=loop,
        )
        link = cls(connection, lost)
        try:
            await link.answered(opened)
            link.channel = await link.ask(connection.channel, callback_name="on_open_callback")
            link.channel.add_on_close_callback(link._channel_closed)
        except asyncio.CancelledError:
            # pika cannot close what is still opening without pages of errors in the log.
            with contextlib.suppress(Lost):
                await link.answered(opened)
            await link.end()
            raise
        except BaseException:
            await link.end()
            raise
        return link

    async def ask(
        self,
        method: Callable[..., Any],
        *args: Any,
        callback_name: str = "callback",
        **options: Any,
    ) -> Any:
        """Call one of pika's methods and wait for the broker's answer; raises `Lost`."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        try:
            method(*args, **options, **{callback_name: lambda frame: _settle(answer, frame)})
        except AMQPError as error:
            raise Lost(type(error).__name__) from error
        return await self.answered(answer)

    async def answered(self, answer: asyncio.Future[R]) -> R:
        """Wait for something that the broker will say; raises `Lost` when it does not."""
        either: set[asyncio.Future[Any]] = {answer, self.lost}
        await asyncio.wait(either, timeout=ANSWER_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            raise self.lost.result() if self.lost.done() else Lost("no answer")
        return answer.result()

    async def get(self, queue: str) -> tuple[Any, Any, bytes] | None:
        """Take the next message of a queue: method, properties, body; None when it is empty."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        # One for each call stays behind on the channel when there was something; it is settled.
        self.channel.add_callback(lambda _: _settle(answer, None), [Basic.GetEmpty])
        try:
            self.channel.basic_get(queue, lambda _, *got: _settle(answer, got))
        except AMQPError as error:
            raise Lost(type(error).__name__) from error
        got: tuple[Any, Any, bytes] | None = await self.answered(answer)
        return got

    async def waiting_in(self, queue: str) -> int:
        """How many messages a queue holds that nobody has been given; it must exist."""
        frame = await self.ask(self.channel.queue_declare, queue, passive=True)
        return int(frame.method.message_count)

    def on_blocked(self, tell: Callable[[bool], None]) -> None:
        """Call ``tell`` when the broker takes no messages for want of memory or disk, and again."""
        self._connection.add_on_connection_blocked_callback(lambda *_: tell(True))
        self._connection.add_on_connection_unblocked_callback(lambda *_: tell(False))

    @property
    def version(self) -> str:
        """What the broker says it is."""
        return str((self._connection.server_properties or {}).get("version", ""))

    def _channel_closed(self, _: Any, why: Any) -> None:
        if not isinstance(why, ChannelClosedByClient):
            log.error("code=channel_closed error=%s", type(why).__name__)
        self.close()

    def close(self) -> None:
        """Let go; what was not acknowledged goes back to its queue."""
        if not (self._connection.is_closing or self._connection.is_closed):
            self._connection.close()

    async def end(self) -> None:
        """Close and wait for the broker's word, so that the socket is gone too."""
        self.close()
        await asyncio.wait({self.lost}, timeout=ANSWER_SECONDS)


def _settle(future: asyncio.Future[Any], result: Any) -> None:
    if not future.done():
        future.set_result(result)


async def keep_connected(
    where: URLParameters,
    begin: Callable[[Link], Awaitable[None]],
    over: Callable[[], None],
) -> None:
    """Connect again and again: ``begin`` with each new link, ``over`` at the end of each try."""
    backoff = Backoff()
    while True:
        link: Link | None = None
        try:
            link = await Link.open(where)
            await begin(link)
            backoff.succeeded()
            why = str(await asyncio.shield(link.lost))
        except Lost as lost:
            why = str(lost)
        except (OSError, AMQPError) as error:
            why = type(error).__name__
        finally:
            over()
            if link is not None:
                await link.end()
        log.error("code=broker_unavailable error=%s", why)
        await asyncio.sleep(backoff.pause())


class Topology:
    """The exchanges and queues, all named ``PREFIX.…``; declared alike by everybody who connects.

    Every argument is written out, because its default differs between versions of RabbitMQ.
    """

    def __init__(self, prefix: str = "chat", longest: int = LONGEST_QUEUE) -> None:
        self._longest = longest
        self.incoming = f"{prefix}.in"
        self.dead = f"{prefix}.dead"
        self.parked = f"{prefix}.parked"
        self.partitions = [f"{prefix}.p.{number:02d}" for number in range(PARTITIONS)]

    def partition(self, room_id: UUID) -> str:
        """The queue, and routing key, of a room: two records of a room never overtake in it."""
        return self.partitions[zlib.crc32(room_id.bytes) % PARTITIONS]

    async def declare(self, link: Link) -> None:
        """Make what is not there yet; what is there otherwise than written here is an error."""
        for exchange, kind in ((self.incoming, "direct"), (self.dead, "fanout")):
            await link.ask(
                link.channel.exchange_declare, exchange, exchange_type=kind, durable=True
            )
        for queue in (self.dead, self.parked):
            arguments: dict[str, Any] = {"x-queue-type": "quorum", "x-delivery-limit": LOOKS}
            await self._queue(link, queue, arguments)
        await link.ask(link.channel.queue_bind, self.dead, self.dead, routing_key="")
        arguments = {
            "x-queue-type": "quorum",
            "x-single-active-consumer": True,
            "x-delivery-limit": 1000,  # a crash loop of the archiver must not eject innocents
            "x-dead-letter-exchange": self.dead,
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
            "x-max-length-bytes": self._longest,
        }
        for queue in self.partitions:
            await self._queue(link, queue, arguments)
            await link.ask(link.channel.queue_bind, queue, self.incoming, routing_key=queue)

    @staticmethod
    async def _queue(link: Link, queue: str, arguments: dict[str, Any]) -> None:
        await link.ask(link.channel.queue_declare, queue, durable=True, arguments=arguments)
