"""The cast as fixtures, and what every test starts from: empty caches, no mail."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.cache import cache

from tests.cast import Cast, Person, make_cast, user_row

# Homes of tests, also in other processes, never reach for the keyring of whoever runs them.
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"
os.environ.pop("GAMRAE_PASSPHRASE", None)

# Fixtures of whole scenes are written where their subject is tested, and known everywhere.
if (Path(__file__).parent / "rooms" / "garden.py").exists():
    from tests.rooms.garden import *  # noqa: F403


@pytest.fixture(autouse=True)
def _nothing_counted_before() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def cast(db) -> Cast:
    return make_cast()


@pytest.fixture
def alice(cast: Cast) -> Person:
    return cast.alice


@pytest.fixture
def bob(cast: Cast) -> Person:
    return cast.bob


@pytest.fixture
def carol(cast: Cast) -> Person:
    return cast.carol


@pytest.fixture
def dave(cast: Cast) -> Person:
    return cast.dave


@pytest.fixture
def mallory(cast: Cast) -> Person:
    return cast.mallory


@pytest.fixture
def mod(cast: Cast) -> Person:
    return cast.mod


@pytest.fixture
def newcomer(db) -> Person:
    """Somebody who has signed up and whose client has not enrolled yet."""
    user = user_row("newcomer")
    user.save()
    person = Person("newcomer", user)
    person.client.force_login(user)
    return person


@pytest.fixture
def committed(django_capture_on_commit_callbacks):
    """``with committed():`` runs what waits for a commit when the block ends."""
    return lambda: django_capture_on_commit_callbacks(execute=True)
