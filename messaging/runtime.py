"""The one place that chooses implementations by profile. Everything is made on first use."""

import asyncio
import functools
from typing import Protocol, runtime_checkable

from django.conf import settings

from messaging import announce
from messaging.archiver import Archiver
from messaging.broker import MessageQueue
from messaging.broker.in_process import InProcessQueue
from messaging.fanout.choice import fan_out
from messaging.hub import Hub
from messaging.positions import positions_of
from messaging.store import MessageLog
from messaging.store.relational import RelationalLog

__all__ = ["archiver", "away", "fan_out", "hub", "log", "queue", "start", "stop"]

ANSWER_SECONDS = 1.0


@runtime_checkable
class Remote(Protocol):
    """A queue, log or fan-out on a server of its own, which may be away."""

    async def answers(self) -> bool:
        """Whether it does its work now."""


@functools.cache
def queue() -> MessageQueue:
    """Where accepted records wait for the log. In a cluster other processes take from it."""
    if settings.SOLO:
        made = InProcessQueue(archive=archiver().settle)
        made.tell_metrics()
        return made
    from messaging.broker.rabbitmq import RabbitQueue  # solo starts without the cluster's clients

    return RabbitQueue(settings.BROKER_URL, settings.BROKER_CA)


@functools.cache
def log() -> MessageLog:
    """Where records stay."""
    if settings.SOLO:
        return RelationalLog()
    from messaging.store.mongo import MongoLog

    return MongoLog(settings.MONGO_URL, settings.MONGO_CA)


@functools.cache
def hub() -> Hub:
    """The sockets of this process, by room."""
    return Hub(fan_out(), positions=lambda room_ids: positions_of(log(), room_ids))


@functools.cache
def archiver() -> Archiver:
    """What takes from the queue and writes the log."""
    return Archiver(log(), stored=announce.message_stored, refused=announce.message_refused)


async def start() -> None:
    """Let connections live on the running loop: the server's, or that of a command."""
    await queue().start()
    await fan_out().start()


async def stop() -> None:
    """Finish what is in hand and let go of the connections."""
    await queue().stop()
    await fan_out().stop()


async def away() -> list[str]:
    """Which of ``queue``, ``log`` and ``fan_out`` do not answer within a second."""
    parts = {"queue": queue(), "log": log(), "fan_out": fan_out()}
    remote = {name: each for name, each in parts.items() if isinstance(each, Remote)}
    answers = await asyncio.gather(*map(_answers, remote.values()))
    return [name for name, there in zip(remote, answers, strict=True) if not there]


async def _answers(part: Remote) -> bool:
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await part.answers()
    except TimeoutError:
        return False
