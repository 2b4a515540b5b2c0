"""A process that fails: ``python -m tests.faults.altered [crash=POINT:NTH] [skew=SECONDS] …``.

``crash`` ends it, as ``kill -9`` would, when it comes to a point for the NTH time. ``skew`` sets
its clock ahead or behind. Everything else is ``manage.py COMMAND``.
"""

import datetime
import functools
import os
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import django
from django.core.management import execute_from_command_line
from django.utils import timezone

KILLED = 137
Step = Callable[..., Awaitable[Any]]

# Where a crash happens: what is called, and whether that has been done or not.
POINTS = {
    "before_take": ("messaging.broker.rabbitmq:RabbitQueue.deliveries", "before"),
    "after_take": ("messaging.broker.rabbitmq:RabbitQueue.deliveries", "after"),
    "after_find": ("messaging.store.mongo:MongoLog.find", "after"),
    "before_insert": ("messaging.store.mongo:MongoLog.insert", "before"),
    "half_inserted": ("messaging.store.mongo:MongoLog.insert", "half"),
    "after_insert": ("messaging.store.mongo:MongoLog.insert", "after"),
    "before_told": ("messaging.announce:message_stored", "before"),
    "after_told": ("messaging.announce:message_stored", "after"),
    "before_ack": ("messaging.broker.rabbitmq:RabbitQueue.ack", "before"),
    "after_ack": ("messaging.broker.rabbitmq:RabbitQueue.ack", "after"),
    "before_publish": ("messaging.broker.rabbitmq:RabbitQueue.publish", "before"),
    "after_confirm": ("messaging.broker.rabbitmq:RabbitQueue.publish", "after"),
    "after_fan_out": ("messaging.announce:message_live", "after"),
}
OF_THE_ARCHIVER = tuple(POINTS)[:10]
OF_THE_WEB = tuple(POINTS)[10:]


def die() -> None:
    """No handler runs, nothing is flushed, no connection says goodbye."""
    os._exit(KILLED)


def crashing(step: Step, when: str, nth: int) -> Step:
    """The same step, which ends the process at its ``nth`` time; empty hands do not count."""
    left = nth

    @functools.wraps(step)
    async def altered(*given: Any, **named: Any) -> Any:
        nonlocal left
        if when == "before":
            left -= 1
            if not left:
                die()
        if when == "half":
            await _half(step, given)
        done = await step(*given, **named)
        if when == "after" and done != []:
            left -= 1
            if not left:
                die()
        return done

    async def _half(insert: Step, given: tuple[Any, ...]) -> None:
        nonlocal left
        log, records = given
        left -= 1
        if not left:
            await insert(log, records[: (len(records) + 1) // 2])
            die()

    return altered


def arm(point: str, nth: int) -> None:
    """Put a crash at a point."""
    place, when = POINTS[point]
    module, _, name = place.partition(":")
    __import__(module)
    owner: Any = sys.modules[module]
    *path, last = name.split(".")
    for part in path:
        owner = getattr(owner, part)
    setattr(owner, last, crashing(getattr(owner, last), when, nth))


def skew(seconds: float) -> None:
    """Let every clock that our code reads be wrong; the event loop's is monotonic and stays."""
    told, told_ns, now = time.time, time.time_ns, timezone.now
    time.time = lambda: told() + seconds
    time.time_ns = lambda: told_ns() + int(seconds * 1e9)
    timezone.now = lambda: now() + datetime.timedelta(seconds=seconds)


def main(words: list[str]) -> None:
    """Alter what the words say, then run the command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")
    django.setup()
    while "=" in words[0]:
        kind, _, value = words.pop(0).partition("=")
        if kind == "crash":
            point, _, nth = value.partition(":")
            arm(point, int(nth))
        else:
            skew(float(value))
    execute_from_command_line(["manage.py", *words])


if __name__ == "__main__":
    main(sys.argv[1:])
