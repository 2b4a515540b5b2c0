"""alice on one web process, bob on the other, the archiver a third, nothing shared but services."""

import signal

import pytest

from crypto_client.client.failures import Refused
from crypto_client.client.session import Session
from tests.cli.homes import another_home, secret_of, try_restore, written
from tests.cli.terminal import Terminal
from tests.cluster.processes import Cluster, own_database

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster(addresses, namespace, tmp_path_factory):
    with own_database(addresses, f"{namespace}_flow") as settings:
        made = Cluster(tmp_path_factory.mktemp("cluster"), settings)
        try:
            yield made.start()
        finally:
            made.stop()


@pytest.fixture
def people(cluster, tmp_path, capsys, request):
    """alice at one process and bob at the other, friends, in the group garden."""
    prefix = request.node.name.replace("_", "-")[:30]

    def terminal(name, site):
        email = f"{name}.{prefix}@example.org"
        return Terminal(name, email, site.address, tmp_path / name, capsys).sign_up()

    alice, bob = terminal("alice", cluster.one), terminal("bob", cluster.two)
    alice.befriend(bob)
    alice("room", "group", "garden", bob.email)
    return alice, bob


def test_what_one_says_the_other_reads(people):
    alice, bob = people
    assert alice("send", "garden", "안녕, 밥!", "--wait", "stored").row["state"] == "stored"
    assert bob("send", "garden", "안녕, 앨리스", "--wait", "stored").row["state"] == "stored"

    assert alice.reads("garden") == bob.reads("garden") == ["안녕, 밥!", "안녕, 앨리스"]


def test_what_one_says_is_pushed_to_the_other_live_and_then_as_stored(people):
    alice, bob = people
    with Session.open(bob.home, None, 20) as session:
        socket = session.messenger.socket
        assert alice("send", "garden", "now").row["state"] == "accepted"

        pushed = [pushed_to(socket, event) for event in ("message.live", "message.stored")]

    assert pushed[0]["room_id"] == pushed[1]["room_id"]
    assert pushed[1]["from"] == pushed[1]["to"]


def pushed_to(socket, event):
    """The next push of this kind."""
    while (frame := socket.take(20)) is not None:
        if frame["event"] == event:
            return frame
    raise TimeoutError(event)


def test_a_device_that_is_revoked_at_one_process_is_shut_out_at_the_other(cluster, people):
    alice, bob = people
    alice("send", "garden", "before", "--wait", "stored")
    secret, lost = secret_of(alice), alice("whoami").row["device_id"]
    second = another_home(alice, cluster.two.address)
    assert try_restore(second, secret).status == 0
    with Session.open(alice.home, None, 20) as session:
        socket = session.messenger.socket

        path = str(written(second, secret))
        assert second("devices", "revoke", lost, "--secret-file", path).row["revoked"] == lost

        with pytest.raises(Refused, match="not_signed_in"):
            list(iter(lambda: socket.take(20), None))
    bob("send", "garden", "after", "--wait", "stored")
    assert second.reads("garden") == ["before", "after"]
    assert alice("read", "garden").error == "not_signed_in"


def test_an_archiver_that_was_killed_leaves_nothing_out(cluster, people):
    alice, bob = people
    assert cluster.archiver.end(signal.SIGKILL) == -signal.SIGKILL
    assert alice("send", "garden", "nobody archives").row["state"] == "accepted"

    cluster.archiver.start()

    assert alice("send", "garden", "again", "--wait", "stored").row["state"] == "stored"
    assert bob.reads("garden") == ["nobody archives", "again"]


def test_an_archiver_ends_cleanly_when_told(cluster, people):
    alice, bob = people
    alice("send", "garden", "before", "--wait", "stored")

    assert cluster.archiver.end(signal.SIGTERM) == 0
    cluster.archiver.start()

    alice("send", "garden", "after", "--wait", "stored")
    assert bob.reads("garden") == ["before", "after"]


def test_a_web_process_that_was_killed_takes_nothing_with_it(cluster, people):
    alice, bob = people
    assert alice("send", "garden", "confirmed").row["state"] == "accepted"

    cluster.one.end(signal.SIGKILL)
    assert alice("send", "garden", "nobody hears").status == 3
    cluster.one.start()

    assert bob.reads("garden") == ["confirmed"]
    assert alice("send", "garden", "back", "--wait", "stored").row["state"] == "stored"
    assert bob.reads("garden") == ["confirmed", "back"]
