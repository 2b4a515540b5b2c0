"""Passwords are kept as Argon2id, with bounded memory for the whole process."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from django.contrib.auth.hashers import Argon2PasswordHasher

from accounts import metrics

# Each takes 19 MiB and a core for a while; a flood of sign-ins waits here instead of eating both.
AT_ONCE = BoundedSemaphore(2)


class BoundedArgon2PasswordHasher(Argon2PasswordHasher):
    """Argon2id with m = 19,456 KiB, t = 2, p = 1 (OWASP), at most two at once in a process."""

    time_cost = 2
    memory_cost = 19_456
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        with _turn():
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        with _turn():
            return super().verify(password, encoded)


@contextmanager
def _turn() -> Iterator[None]:
    with metrics.HASH_WAIT_SECONDS.time():
        AT_ONCE.acquire()
    try:
        yield
    finally:
        AT_ONCE.release()
