"""Django's cache in Redis, and while Redis is away one in this process, so that limits still count.

Each process then counts for itself: of two web processes each allows the whole of a limit. What was
counted in one place is not carried into the other; it was going to be forgotten within the hour.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

log = logging.getLogger("gamrae.cache")

REST_SECONDS = 1.0  # for so long Redis is not asked after a failure, lest every request wait for it

R = TypeVar("R")


@dataclass(slots=True)
class _Rest:
    """Until when no thread of this process asks Redis."""

    until: float = 0.0


_rest = _Rest()


class SharedCache(RedisCache):
    """Never raises for a Redis that is away, and never waits for it twice in a second."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        # By this name all threads share it.
        self._own = LocMemCache("gamrae", {"OPTIONS": {"MAX_ENTRIES": 100_000}})

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        ask = super().get
        return _either(
            lambda: ask(key, default, version), lambda: self._own.get(key, default, version)
        )

    def get_many(self, keys: Any, version: int | None = None) -> dict[Any, Any]:
        ask, keys = super().get_many, list(keys)
        return _either(lambda: ask(keys, version), lambda: self._own.get_many(keys, version))

    def has_key(self, key: Any, version: int | None = None) -> bool:
        ask = super().has_key
        return _either(lambda: ask(key, version), lambda: self._own.has_key(key, version))

    def add(
        self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> bool:
        ask, args = super().add, (key, value, timeout, version)
        return _either(lambda: ask(*args), lambda: self._own.add(*args))

    def set(
        self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> None:
        ask, args = super().set, (key, value, timeout, version)
        _either(lambda: ask(*args), lambda: self._own.set(*args))

    def touch(self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        ask = super().touch
        return _either(
            lambda: ask(key, timeout, version), lambda: self._own.touch(key, timeout, version)
        )

    def delete(self, key: Any, version: int | None = None) -> bool:
        ask = super().delete
        return _either(lambda: ask(key, version), lambda: self._own.delete(key, version))

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        ask = super().incr
        return _either(lambda: ask(key, delta, version), lambda: self._incr(key, delta, version))

    def clear(self) -> None:
        """Everything that is remembered, in both places."""
        self._own.clear()
        _either(super().clear, lambda: None)

    def server_version(self) -> str:
        """What Redis says it is. For the doctor, and so the one method that raises."""
        told: Any = self._cache.get_client(None).info("server")
        return str(told["redis_version"])

    def _incr(self, key: Any, delta: int, version: int | None) -> int:
        self._own.add(key, 0, version=version)  # its beginning may be in Redis
        return self._own.incr(key, delta, version)


def _either(ask: Callable[[], R], ask_own: Callable[[], R]) -> R:
    if time.monotonic() >= _rest.until:
        try:
            return ask()
        except (RedisError, OSError) as error:
            _rest.until = time.monotonic() + REST_SECONDS
            log.error("code=cache_unavailable error=%s", type(error).__name__)
    return ask_own()
