"""Django's cache in Redis, which is only a help: without it nothing is remembered, and all goes on.

Limits are not counted then, and everything that is to happen once in a while happens each time.
"""

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

log = logging.getLogger("gamrae.cache")

R = TypeVar("R")


class SharedCache(RedisCache):
    """A cache that answers as if empty while Redis does not answer."""

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return _or(lambda: super(SharedCache, self).get(key, default, version), default)

    def get_many(self, keys: Any, version: int | None = None) -> dict[Any, Any]:
        return _or(lambda: super(SharedCache, self).get_many(keys, version), {})

    def has_key(self, key: Any, version: int | None = None) -> bool:
        return _or(lambda: super(SharedCache, self).has_key(key, version), False)

    def add(
        self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> bool:
        return _or(lambda: super(SharedCache, self).add(key, value, timeout, version), True)

    def set(
        self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> None:
        _or(lambda: super(SharedCache, self).set(key, value, timeout, version), None)

    def touch(self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return _or(lambda: super(SharedCache, self).touch(key, timeout, version), False)

    def delete(self, key: Any, version: int | None = None) -> bool:
        return _or(lambda: super(SharedCache, self).delete(key, version), False)

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        return _or(lambda: super(SharedCache, self).incr(key, delta, version), delta)


def _or(ask: Callable[[], R], otherwise: R) -> R:
    try:
        return ask()
    except (RedisError, OSError) as error:
        log.error("code=cache_unavailable error=%s", type(error).__name__)
        return otherwise
