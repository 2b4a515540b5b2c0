"""Gives each request and each socket a name, by which the lines of a log belong together."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

NAME_SIZE = 8

_named: ContextVar[tuple[str, str]] = ContextVar("gamrae_named", default=("", ""))


def current() -> tuple[str, str]:
    """``request`` or ``socket`` and its name; two empty texts outside of both."""
    return _named.get()


@contextmanager
def named(kind: str) -> Iterator[str]:
    """Everything inside belongs to one request or socket; gives its name."""
    name = secrets.token_hex(NAME_SIZE)
    token = _named.set((kind, name))
    try:
        yield name
    finally:
        _named.reset(token)
