"""Database work of the event loop, never in the one thread that all requests share."""

import asyncio
import functools
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from asgiref.sync import AsyncToSync, sync_to_async
from django.conf import settings
from django.db import OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from messaging import metrics

P = ParamSpec("P")
R = TypeVar("R")

THREADS = 8
IDLE_SECONDS = 60.0
# A server that hangs is not waited for; a file is never away.
ANSWER_SECONDS = None if settings.SOLO else 2.8
TRUSTED_SECONDS = 1.0  # a connection that rested longer is asked whether it still works
POOL = ThreadPoolExecutor(THREADS, thread_name_prefix="messaging-db")


def has_sync_caller() -> bool:
    """Whether a sync thread (a view, a command, a test) waits for this coroutine."""
    return getattr(AsyncToSync.executors, "current", None) is not None


def db(function: Callable[P, R]) -> Callable[P, Awaitable[R]]:
    """Make a blocking function awaitable.

    From the server's event loop it runs in a pool of its own threads with their own connections.
    Under `async_to_sync` it runs in the thread that waits, and so in that thread's transaction.
    """

    @functools.wraps(function)
    async def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if has_sync_caller():
            return await sync_to_async(function, thread_sensitive=True)(*args, **kwargs)
        pooled = sync_to_async(_with_fresh_connections, thread_sensitive=False, executor=POOL)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await pooled(functools.partial(function, *args, **kwargs))
        except TimeoutError as error:  # what it was about to write may be written all the same
            raise OperationalError("no answer") from error

    return run


def _with_fresh_connections(function: Callable[[], R]) -> R:
    # These threads live as long as the process, so their connections are worth keeping; a failed
    # or long idle one is not.
    for connection in connections.all(initialized_only=True):
        if not _is_good(connection):
            connection.close()
    try:
        with metrics.DATABASE_BUSY.track_inprogress():
            return function()
    except BaseException:
        _close_failed()
        raise
    finally:
        for connection in connections.all(initialized_only=True):
            connection.close_at = time.monotonic() + IDLE_SECONDS


def _is_good(connection: BaseDatabaseWrapper) -> bool:
    """Asks the server only after a rest, or when another thread's connection broke meanwhile."""
    if connection.connection is None or connection.close_at is None:
        return True  # closed: whoever asks next opens it
    used_at = connection.close_at - IDLE_SECONDS
    rested = time.monotonic() - used_at
    if rested > IDLE_SECONDS:
        return False
    return (rested < TRUSTED_SECONDS and used_at > _broke.at) or bool(connection.is_usable())


def _close_failed() -> None:
    for connection in connections.all(initialized_only=True):
        if connection.errors_occurred:
            connection.close()
            _broke.at = time.monotonic()


@dataclass(slots=True)
class _Broke:
    """When a connection of any thread failed last."""

    at: float = 0.0


_broke = _Broke()
