"""Each row of the table in docs/operations.md: a service hangs for 10 s, then is dead for 10 s.

Over one open socket each, alice sends and bob reads all the while. What is refused is refused soon
and can be repeated, the rest goes on, and afterwards nothing is lost or doubled, by itself.
"""

import asyncio
import signal
import uuid
from contextlib import ExitStack

import pytest

from crypto_client.client.room_commands import find_room
from crypto_client.client.session import Session
from messaging.store.mongo import MongoLog
from tests.cli.terminal import Terminal
from tests.cluster.outages import Service, Watch
from tests.cluster.own_services import private_services, settings_in
from tests.cluster.processes import Cluster, own_database, until
from tests.e2e.site import free_port
from tests.messaging.test_metrics import samples

pytestmark = pytest.mark.slow

HANGS = DEAD = 10.0
# Three seconds by the design; the rest is for a machine that does other work at the same time.
SOON = 6.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where services of our own live, which nobody else uses, because they will not survive."""
    return tmp_path_factory.mktemp("mortal")


@pytest.fixture(scope="module")
def services(folder):
    """Each of them by its name."""
    with private_services(folder):
        made = {name: Service(folder, name) for name in ("rabbitmq", "mongodb", "redis", "mariadb")}
        yield made
    for service in made.values():
        service.bury()


@pytest.fixture(scope="module")
def cluster(folder, services, tmp_path_factory):
    with own_database(settings_in(folder), "mortal") as settings:
        made = Cluster(tmp_path_factory.mktemp("cluster"), settings)
        made.archiver.environment["METRICS_PORT"] = str(free_port())
        try:
            yield made.start()
        finally:
            made.stop()


@pytest.fixture
def watch(cluster, tmp_path, capsys, request):
    """alice at one web process and bob at the other, in garden, both with an open socket."""

    def terminal(name, site):
        email = f"{name}.{request.node.name[5:30]}@example.org"
        return Terminal(name, email, site.address, tmp_path / name, capsys).sign_up()

    people = terminal("alice", cluster.one), terminal("bob", cluster.two)
    people[0].befriend(people[1])
    people[0]("room", "group", "garden", people[1].email)
    with ExitStack() as stack:
        alice, bob = (stack.enter_context(Session.open(person.home, None, 20)) for person in people)
        made = Watch(alice, bob, find_room(alice, "garden"), cluster.one.address)
        before = made.look(1)
        assert set(before.sends) == {"accepted"}
        assert before.ready == {(200, "ready", ())}
        yield made


def both(service, watch, number=signal.SIGKILL):
    """What was seen while it hung, and while it was dead; it has come back since."""
    service.hang()
    hanging = watch.look(HANGS)
    service.die(number)
    dead = watch.look(DEAD)
    service.start()
    return hanging, dead


def all_is_well(cluster, watch):
    """The service is ready, nothing was lost or doubled on the way, and the log has no hole."""
    watch.ready_again()
    watch.nothing_is_missing()
    log = MongoLog(cluster.settings["MONGO_URL"])
    try:
        assert asyncio.run(log.verify(uuid.UUID(bytes=watch.room))).is_whole
    finally:
        log.close()


def test_without_rabbitmq_sending_is_refused_and_the_rest_goes_on(cluster, watch, services):
    for seen in both(services["rabbitmq"], watch):
        assert set(seen.sends) == {"unavailable"}
        assert set(seen.reads) == {"read"}
        assert seen.longest < SOON
        assert seen.ready == {(200, "degraded", ("queue",))}

    all_is_well(cluster, watch)


def test_a_rabbitmq_without_memory_refuses_and_takes_again_by_itself(cluster, watch, services):
    rabbitmq = services["rabbitmq"]
    rabbitmq.control("set_vm_memory_high_watermark", "absolute", "1MB")
    try:
        until(lambda: watch.look(0.1).sends == ["unavailable"], 60)
        blocked = watch.look(3)
    finally:
        rabbitmq.control("set_vm_memory_high_watermark", "absolute", "512MB")

    assert set(blocked.sends) == {"unavailable"}
    assert set(blocked.reads) == {"read"}
    assert blocked.longest < SOON
    assert blocked.ready == {(200, "degraded", ("queue",))}
    all_is_well(cluster, watch)


def test_without_mongodb_messages_are_live_and_history_is_refused(cluster, watch, services):
    for seen in both(services["mongodb"], watch):
        assert set(seen.sends) == {"accepted"}
        assert set(seen.reads) == {"unavailable"}
        assert seen.longest < SOON
        assert seen.ready == {(200, "degraded", ("log",))}
        watch.has_live(len(seen.texts))

    all_is_well(cluster, watch)
    told = samples(f"http://127.0.0.1:{cluster.archiver.environment['METRICS_PORT']}")
    assert told["gamrae_store_retry_total"] > 0
    assert told["gamrae_store_lag_seconds_sum"] > DEAD
    assert told['gamrae_service_up{service="log"}'] == 1


def test_without_redis_messages_are_stored_and_sockets_are_told_afterwards(
    cluster, watch, services
):
    for seen in both(services["redis"], watch):
        assert set(seen.sends) == {"accepted"}
        assert set(seen.reads) == {"read"}
        assert seen.longest < SOON
        assert seen.ready == {(200, "degraded", ("fan_out",))}

    watch.ready_again()
    room = str(uuid.UUID(bytes=watch.room))
    until(lambda: any(room in frame["rooms"] for frame in watch.pushed("heads")), 30)
    all_is_well(cluster, watch)


def test_without_the_database_people_are_refused_and_sockets_stay(cluster, watch, services):
    # It ends as an operator would end it: the private one does not keep each commit on disk.
    for seen in both(services["mariadb"], watch, signal.SIGTERM):
        assert set(seen.sends) == set(seen.reads) == {"unavailable"}
        assert seen.longest < SOON
        assert seen.ready == {(503, "unavailable", ("database",))}

    all_is_well(cluster, watch)
