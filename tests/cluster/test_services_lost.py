"""A cluster at work while one of its services is away: what is refused, what goes on."""

import time

import httpx
import pytest

from crypto_client.client.room_commands import find_room
from crypto_client.client.session import Session
from tests.cli.terminal import Terminal
from tests.cluster.gateway import Gateway
from tests.cluster.processes import Cluster, on_database, own_database, until

pytestmark = pytest.mark.slow

SERVICES = ("BROKER_URL", "DATABASE_URL", "MONGO_URL", "REDIS_URL")

DATABASES = ("DATABASE_URL", "MONGO_URL")


@pytest.fixture(scope="module")
def doors(addresses):
    """A door before each service that may go away, by its setting."""
    made = {name: Gateway(addresses[name]) for name in SERVICES}
    yield made
    for door in made.values():
        door.shut()


@pytest.fixture(scope="module")
def cluster(addresses, doors, namespace, tmp_path_factory):
    through = {**addresses, **{name: door.url for name, door in doors.items()}}
    with own_database(addresses, f"{namespace}_lost") as settings:
        settings |= {name: on_database(through[name], f"{namespace}_lost") for name in DATABASES}
        settings |= {name: through[name] for name in SERVICES if name not in DATABASES}
        # Else the client would find the server's own address and go round the door.
        settings["MONGO_URL"] += "?directConnection=true"
        made = Cluster(tmp_path_factory.mktemp("cluster"), settings)
        try:
            yield made.start()
        finally:
            made.stop()


@pytest.fixture
def people(cluster, doors, tmp_path, capsys, request):
    """alice at one web process, bob at the other, in garden; afterwards all doors are open."""

    def terminal(name, site):
        email = f"{name}.{request.node.name[:30]}@example.org"
        return Terminal(name, email, site.address, tmp_path / name, capsys).sign_up()

    alice, bob = terminal("alice", cluster.one), terminal("bob", cluster.two)
    alice.befriend(bob)
    alice("room", "group", "garden", bob.email)
    alice("send", "garden", "before", "--wait", "stored")
    assert bob.reads("garden") == ["before"]
    yield alice, bob
    for door in doors.values():
        door.open()


# A socket that was closed at once: nothing was handed over, so nothing is kept.
NOT_REACHED = 3


def sends_in_the_end(person, text, seconds=30):
    """Send when nothing is away any more; once, because what was refused goes out later."""
    ready = f"{person.server}/healthz/ready"
    until(lambda: httpx.get(ready, timeout=20).json()["status"] == "ready", seconds)
    ends = time.monotonic() + seconds
    while (sent := person("send", "garden", text, "--wait", "stored")).status == NOT_REACHED:
        assert time.monotonic() < ends, sent.error
    assert sent.status == 0, sent.error


def reads_in_the_end(person, text, seconds=30):
    """Repeat the command until it shows the text as the newest."""
    ends = time.monotonic() + seconds
    while person("read", "garden").texts[-1:] != [text]:
        assert time.monotonic() < ends


def test_without_the_broker_sending_is_refused_reading_goes_on_and_it_heals(people, doors):
    alice, bob = people
    doors["BROKER_URL"].shut()

    began = time.monotonic()
    refused = alice("send", "garden", "refused")
    assert (refused.status, refused.error) == (1, "unavailable")
    assert time.monotonic() - began < 6
    assert bob.reads("garden") == ["before"]

    doors["BROKER_URL"].open()
    sends_in_the_end(alice, "after")

    reads_in_the_end(bob, "after")
    assert alice.reads("garden") == bob.reads("garden")


def test_without_the_log_open_sockets_send_and_it_is_stored_when_it_is_back(people, doors):
    alice, bob = people
    with Session.open(alice.home, None, 20) as session:
        messenger, room = session.messenger, find_room(session, "garden")
        doors["MONGO_URL"].shut()
        kept = messenger.outbox.keep(room, "accepted")
        accepted = messenger.send(kept, wait="accepted", timeout=5)
        unread = bob("read", "garden")
        doors["MONGO_URL"].open()

    assert accepted["state"] == "accepted"
    assert unread.error == "unavailable"
    sends_in_the_end(alice, "after")
    assert bob.reads("garden") == ["before", "accepted", "after"]


def test_without_the_log_a_command_sends_what_is_stored_later(people, doors):
    alice, bob = people
    doors["MONGO_URL"].shut()

    sent = alice("send", "garden", "accepted")
    doors["MONGO_URL"].open()

    assert sent.row["state"] == "accepted"
    reads_in_the_end(bob, "accepted")
    assert bob.reads("garden") == ["before", "accepted"]


def test_without_the_log_a_room_that_has_moved_on_gets_nothing_of_its_past(people, doors):
    """bob's device does not know that alice has renamed the room: what it seals is refused."""
    alice, bob = people
    assert alice("room", "rename", "garden", "orchard").status == 0
    doors["MONGO_URL"].shut()

    refused = bob("send", "garden", "late")
    doors["MONGO_URL"].open()

    assert (refused.status, refused.error) == (1, "unavailable")
    assert bob("send", "orchard", "now", "--wait", "stored").status == 0
    assert alice.reads("orchard") == ["before", "late", "now"]


def test_without_redis_messages_are_accepted_stored_and_read(people, doors):
    alice, bob = people
    doors["REDIS_URL"].shut()

    assert alice("send", "garden", "accepted").status == 0
    assert alice("whoami").status == 0

    doors["REDIS_URL"].open()
    sends_in_the_end(alice, "after")
    assert bob.reads("garden") == ["before", "accepted", "after"]


def test_without_the_database_everything_is_refused_and_heals(people, doors, cluster):
    alice, bob = people
    doors["DATABASE_URL"].shut()

    refused = alice("send", "garden", "refused")
    ready = httpx.get(f"{cluster.one.address}/healthz/ready", timeout=20)

    doors["DATABASE_URL"].open()
    assert (refused.status, refused.error) == (1, "unavailable")
    assert ready.status_code == 503
    sends_in_the_end(alice, "after")
    reads_in_the_end(bob, "after")


def test_processes_that_start_before_their_services_wait_for_them(people, doors, cluster):
    alice, bob = people
    assert cluster.archiver.end() == 0
    assert alice("send", "garden", "early").row["state"] == "accepted"
    cluster.one.end()
    for name in ("BROKER_URL", "MONGO_URL", "REDIS_URL"):
        doors[name].shut()

    began = len(cluster.archiver.log.read_bytes())
    cluster.archiver.start()
    cluster.one.start()
    until(lambda: b"code=broker_unavailable" in cluster.archiver.log.read_bytes()[began:], 60)
    ready = httpx.get(f"{cluster.one.address}/healthz/ready", timeout=20)
    for door in doors.values():
        door.open()

    assert ready.json() == {"status": "degraded", "away": ["queue", "log", "fan_out"]}
    reads_in_the_end(bob, "early", 60)
    sends_in_the_end(alice, "after")
    assert bob.reads("garden") == ["before", "early", "after"]
