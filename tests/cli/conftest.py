"""A real server for the whole session, and for each test a fresh cast at their terminals."""

import itertools

import pytest

from tests.cli.terminal import Terminal
from tests.e2e.site import Site

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory):
    """One server process for tests that do not harm it."""
    server = Site(tmp_path_factory.mktemp("server"))
    server.manage("migrate")
    yield server.start()
    server.stop()


@pytest.fixture
def server(shared_server):
    return shared_server


@pytest.fixture
def terminal(server, tmp_path, capsys):
    """Make a signed-up person by name; each test has its own alice."""
    number = next(_numbers)

    def make(name: str) -> Terminal:
        email = f"{name}-{number}@example.org"
        return Terminal(name, email, server.address, tmp_path / name, capsys).sign_up()

    return make


@pytest.fixture
def alice(terminal):
    return terminal("alice")


@pytest.fixture
def bob(terminal, alice):
    bob = terminal("bob")
    alice.befriend(bob)
    return bob


@pytest.fixture
def carol(terminal, alice):
    carol = terminal("carol")
    alice.befriend(carol)
    return carol


@pytest.fixture
def mallory(terminal):
    return terminal("mallory")


@pytest.fixture
def garden(alice, bob):
    """The room id of a group of alice and bob."""
    return alice("room", "group", "garden", bob.email).row["room_id"]
