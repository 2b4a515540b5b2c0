"""What people are told when the log does not answer."""

from collections.abc import Iterator
from contextlib import contextmanager

from accounts.refusals import Refused
from messaging.store import StoreUnavailable

RETRY_AFTER_MS = 1000


@contextmanager
def log_must_answer() -> Iterator[None]:
    """Turn a log that does not answer into ``unavailable``."""
    try:
        yield
    except StoreUnavailable as error:
        raise Refused("unavailable", retry_after_ms=RETRY_AFTER_MS) from error
