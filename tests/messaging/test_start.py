"""A server that starts before its database."""

import time

import pytest
from django.db import OperationalError

from messaging.management.commands import serve

REFUSED, LOST, WRONG_PASSWORD, NO_SUCH_DATABASE = 2002, 2013, 1045, 1049


class Database:
    """Fails with these numbers first; then it is there."""

    def __init__(self, *numbers):
        self.failures = list(numbers)

    def ensure_connection(self):
        if self.failures:
            raise OperationalError(self.failures.pop(0), "not now")


@pytest.fixture
def waiting(monkeypatch):
    """Let a start wait for a database; pauses are counted, not made."""
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)

    def wait(*numbers):
        monkeypatch.setattr(serve, "connection", Database(*numbers))
        serve.Command().wait_for_database()
        return len(pauses)

    return wait


def test_a_database_that_is_there_is_not_waited_for(waiting):
    assert waiting() == 0


def test_a_database_that_comes_later_is_waited_for(waiting):
    assert waiting(REFUSED, REFUSED, LOST) == 3


@pytest.mark.parametrize("number", [WRONG_PASSWORD, NO_SUCH_DATABASE])
def test_a_setting_that_is_wrong_ends_the_start(waiting, number):
    with pytest.raises(OperationalError):
        waiting(REFUSED, number)
