"""What tests of starting an account again begin with."""

import pytest

from tests.accounts.resetting import PATH, NewStart, new_start
from tests.cast import Person


@pytest.fixture
def started(alice: Person) -> NewStart:
    """A reset of alice's account that has just been announced."""
    started = new_start(alice)
    answer = alice.post(PATH, started.announcement())
    assert answer.status_code == 201, answer.content
    return started
