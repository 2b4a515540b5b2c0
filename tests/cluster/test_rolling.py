"""Web processes restart in turn while people talk: nothing is lost, and each client moves once.

``RESTARTS=10`` restarts more often than ``bin/test`` does.
"""

import asyncio
import contextlib
import os
import signal
import ssl
import threading
from uuid import UUID

import pytest

from crypto_client.client.failures import CommandFailure
from crypto_client.client.session import Session
from deploy.services.certificates import make_certificates
from tests.cli.terminal import Terminal
from tests.cluster.processes import own_database, until
from tests.cluster.proxied import ProxiedCluster
from tests.cluster.watching import Watcher, Who

pytestmark = pytest.mark.slow

RESTARTS = int(os.environ.get("RESTARTS", "2"))
WATCHERS = 4  # of each person
DRAIN_SECONDS = 4
PACE_SECONDS = 0.1


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return make_certificates(tmp_path_factory.mktemp("certificates")).parent


@pytest.fixture(scope="module")
def cluster(addresses, namespace, certificates, tmp_path_factory):
    with own_database(addresses, f"{namespace}_rolling") as settings:
        settings = {**settings, "DRAIN_SECONDS": str(DRAIN_SECONDS)}
        made = ProxiedCluster(tmp_path_factory.mktemp("cluster"), settings, certificates)
        try:
            yield made.start()
        finally:
            made.stop()


@pytest.fixture
def people(cluster, certificates, tmp_path, capsys, monkeypatch):
    """alice and bob at their terminals, in the group garden."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates / "ca.pem"))
    address = cluster.entrance_of("bob").address
    alice, bob = (
        Terminal(name, f"{name}@example.org", address, tmp_path / name, capsys).sign_up()
        for name in ("alice", "bob")
    )
    alice.befriend(bob)
    alice("room", "group", "garden", bob.email)
    assert bob.reads("garden") == []
    return alice, bob


class Speaker(threading.Thread):
    """Says one thing after the other with the real client, and repeats what had no answer."""

    def __init__(self, terminal, room):
        super().__init__(daemon=True)
        self.terminal, self.room = terminal, room
        self.said = []
        self.broken_off = 0
        self.ending = threading.Event()

    def run(self):
        while not self.ending.is_set():
            try:
                self._speak()
            except CommandFailure:
                self.broken_off += 1
                self.ending.wait(PACE_SECONDS)

    def _speak(self):
        with Session.open(self.terminal.home, None, 20) as session:
            messenger = session.sender
            while not self.ending.wait(PACE_SECONDS):
                text = f"{self.terminal.name} {len(self.said)}"
                message = messenger.outbox.keep(self.room.bytes, text)
                self.said.append(text)
                messenger.send(message, wait="accepted", timeout=20)


def device_of(terminal, address, trust):
    with Session.open(terminal.home, None, 20) as session:
        return Who(address, trust, session.server.token or "", session.keyring.device)


async def restart(cluster, process):
    """As in a rolling deploy: the other serves, this one ends in its own time and comes back."""
    await asyncio.to_thread(process.end, signal.SIGTERM)
    await asyncio.to_thread(cluster.start)


async def grows(speakers):
    """Both have said something more since now."""
    so_far = [len(each.said) for each in speakers]

    def is_so():
        return all(len(each.said) > before for each, before in zip(speakers, so_far, strict=True))

    await asyncio.to_thread(until, is_so, 60)


@contextlib.contextmanager
def talking(people, room):
    speakers = [Speaker(each, room) for each in people]
    for each in speakers:
        each.start()
    try:
        yield speakers
    finally:
        for each in speakers:
            each.ending.set()
        for each in speakers:
            each.join(60)


async def watch_restarts(cluster, watchers, speakers):
    """Restart the web processes in turn, each while everybody is connected and somebody speaks."""
    ending = asyncio.Event()
    running = [asyncio.create_task(each.run(ending)) for each in watchers]
    await asyncio.to_thread(until, lambda: all(each.connected for each in watchers), 60)
    for number in range(RESTARTS):
        await grows(speakers)
        await restart(cluster, (cluster.one, cluster.two)[number % 2])
    await grows(speakers)
    for each in speakers:
        each.ending.set()
        await asyncio.to_thread(each.join, 60)
    said = sum(len(each.said) - 1 for each in speakers)  # the last of each may lie in its outbox
    await asyncio.to_thread(until, lambda: all(each.cursor > said for each in watchers), 60)
    ending.set()
    await asyncio.gather(*running)


def test_rolling_restarts_lose_nothing_and_each_client_moves_at_most_once(
    cluster, people, certificates
):
    alice, bob = people
    trust = ssl.create_default_context(cafile=certificates / "ca.pem")
    room = UUID(alice("room", "list").rows[0]["room_id"])
    entrance = cluster.entrances["any"].address
    whos = [device_of(each, entrance, trust) for each in people]
    watchers = [Watcher(who, str(room)) for who in whos for _ in range(WATCHERS)]

    with talking(people, room) as speakers:
        asyncio.run(watch_restarts(cluster, watchers, speakers))

    said = [text for each in speakers for text in each.said]
    for terminal in people:  # what was on its way when they stopped is sent again
        terminal("send", "garden", f"{terminal.name} ends", "--wait", "stored")
        said.append(f"{terminal.name} ends")
    read = bob("read", "garden", "--last", "100000").texts
    assert sorted(read) == sorted(said)
    assert len(said) > 10 * RESTARTS
    assert {each.cursor == max(each.seqs) for each in watchers} == {True}
    assert [each.cut_off for each in watchers] == [[]] * len(watchers)
    assert [each.refused for each in watchers] == [0] * len(watchers)
    moves = [each.connected - 1 for each in watchers]
    assert max(moves) <= RESTARTS
    assert sum(moves) > 0
