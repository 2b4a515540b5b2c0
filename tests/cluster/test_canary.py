"""The canary in a cluster: what was said lies in no store, queue, log or letter of any process."""

import re
import secrets
import signal
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import bson
import pika
import pytest
import redis
from playwright.sync_api import expect
from pymongo import MongoClient

from deploy.services.certificates import make_certificates
from messaging.broker.amqp import Topology
from tests.cli.terminal import Terminal
from tests.cluster.own_services import private_services, services
from tests.cluster.processes import connected
from tests.cluster.proxied import ProxiedCluster
from tests.e2e.conftest import SWITCHES, chromium, trusting
from tests.e2e.person import new_person
from tests.flows.canary import files, new_phrase, places_of, speak_of
from tests.flows.conftest import playwright

__all__ = ["playwright"]  # a fixture, known here by this name

pytestmark = pytest.mark.slow

# A place of each kind, as the search names it.
SEARCHED = ("^table ", "^collection ", "^mariadb-", "^mongodb-", "^rabbitmq-", "^redis-", "/mail/")
# What stands in a log of each process; nothing that a person wrote does, so no mark can.
LOGGED = {
    "one/stderr.log": "HTTP b'GET' request",
    "two/stderr.log": "HTTP b'GET' request",
    "archiver/archiver.log": "Gamrae: archiving",
}
Places = Iterator[tuple[str, bytes]]


@pytest.fixture
def running(tmp_path):
    """The settings of services whose files the test may read; they lie in ``services``."""
    with private_services(tmp_path / "services") as settings:
        yield settings


@pytest.fixture
def cluster(running, tmp_path):
    certificates = make_certificates(tmp_path).parent
    own = {"SECRET_KEY": secrets.token_hex(32), "LOG_LEVEL": "DEBUG"}
    made = ProxiedCluster(tmp_path / "cluster", {**running, **own}, certificates)
    try:
        yield made.start()
    finally:
        made.stop()


@pytest.fixture
def alice(playwright, cluster, tmp_path):
    """alice in a browser, by the first web process; her address is of this test alone."""
    switches = [*SWITCHES, trusting(tmp_path)]
    browser = playwright.chromium.launch(executable_path=chromium(), args=switches)
    email = f"alice-{uuid.uuid4().hex}@example.org"
    alice = new_person(browser, cluster.entrance_of("alice"), "alice", email)
    yield alice.sign_up()
    browser.close()
    assert alice.watch.problems == []


@pytest.fixture
def bob(cluster, alice, tmp_path, capsys, monkeypatch):
    """bob at a terminal, by the second web process; a friend of alice."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    address = cluster.entrance_of("bob").address
    bob = Terminal("bob", "bob@example.org", address, tmp_path / "bob", capsys).sign_up()
    alice.ask_friend(bob.email)
    assert bob("friend", "accept", alice.email).status == 0
    expect(alice.friend("bob")).to_be_visible()
    return bob


def tables(settings) -> Places:
    """Every value of every table of the relational store."""
    connection = connected(settings)
    cursor = connection.cursor()
    cursor.execute("SHOW TABLES FROM gamrae")
    for (table,) in cursor.fetchall():
        cursor.execute(f"SELECT * FROM gamrae.`{table}`")  # noqa: S608
        for row in cursor.fetchall():
            for value in row:
                yield f"table {table}", value if isinstance(value, bytes) else str(value).encode()
    connection.close()


@contextmanager
def log_of(settings) -> Iterator[Any]:
    """The database of the log."""
    client: MongoClient[Any] = MongoClient(settings["MONGO_URL"])
    yield client.get_default_database()
    client.close()


def collections(settings) -> Places:
    """Every document of every collection of the log."""
    with log_of(settings) as database:
        for name in database.list_collection_names():
            for document in database[name].find():
                yield f"collection {name}", bson.encode(document)


def write_redis_to_its_folder(settings) -> None:
    """All that Redis has in memory becomes a file, as it is and not compressed."""
    with redis.from_url(settings["REDIS_URL"]) as client:
        client.config_set("rdbcompression", "no")
        client.save()


def plant(mark: str, alice, settings, room: uuid.UUID) -> None:
    """Lay a mark in every place that is searched; the relational store has it already."""
    with log_of(settings) as database:
        database["planted"].insert_one({"mark": mark})
    with redis.from_url(settings["REDIS_URL"]) as client:
        client.set("planted", mark)
    connection = pika.BlockingConnection(pika.URLParameters(settings["BROKER_URL"]))
    channel = connection.channel()
    channel.confirm_delivery()
    channel.basic_publish("", Topology().partition(room), mark.encode(), mandatory=True)
    connection.close()
    alice.context.clear_cookies()
    alice.go("/accounts/password/reset/")
    alice.page.get_by_label(re.compile("E-?mail")).fill(mark)
    alice.page.get_by_role("button").last.click()
    expect(alice.page).to_have_url(re.compile("/accounts/password/reset/done/"))


def test_what_was_said_lies_nowhere_in_the_cluster(alice, bob, cluster, running, tmp_path):
    phrase = new_phrase()
    room = speak_of(phrase, alice, bob)
    cluster.archiver.end(signal.SIGTERM)
    alice.say(f"nobody archives {phrase}")
    expect(alice.bubble(f"nobody archives {phrase}")).to_have_attribute("data-state", "accepted")
    assert bob("send", room, f"nor this {phrase}").row["state"] == "accepted"
    plant(alice.email, alice, cluster.settings, uuid.UUID(room))

    write_redis_to_its_folder(cluster.settings)
    rows = [*tables(cluster.settings), *collections(cluster.settings)]
    cluster.stop()
    services("down", "--keep", folder=tmp_path / "services")

    def found(words: str) -> set[str]:
        written = (*files(tmp_path / "services"), *files(tmp_path / "cluster"))
        return places_of(words, iter((*rows, *written)))

    planted = found(alice.email)
    assert [kind for kind in SEARCHED if not any(re.search(kind, at) for at in planted)] == []
    assert [log for log, line in LOGGED.items() if log not in found(line)] == []
    assert found(phrase) == set()
