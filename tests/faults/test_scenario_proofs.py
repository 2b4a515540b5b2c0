"""A scenario that broke nothing, or heard nothing, is no proof and says so."""

from types import SimpleNamespace
from typing import Any

import pytest

from messaging.broker.amqp import Topology
from tests.faults.journal import Journal
from tests.faults.scenarios import broker
from tests.faults.scenarios.web import compare
from tests.faults.stage import Stage

GARDEN = b"garden"
MEMBERS = {GARDEN: {"alice", "bob"}}
QUEUE = Topology().partitions[3]


@pytest.fixture
def clock(monkeypatch):
    """The time in which things are noted."""
    now = SimpleNamespace(seconds=100.0)
    monkeypatch.setattr("tests.faults.journal.time.monotonic", lambda: now.seconds)
    monkeypatch.setattr("tests.faults.stage.time.monotonic", lambda: now.seconds)
    return now


class Rabbit:
    """As far as a scenario looks at one: its log, and what its operator asks of it."""

    def __init__(self, folder):
        self.folder, self.asked = folder, []
        self.says("Starting RabbitMQ")

    def says(self, line):
        with (self.folder / "rabbitmq.log").open("a") as log:
            log.write(f"{line}\n")

    def control(self, *words):
        self.asked.append(words)


@pytest.fixture
def stage(tmp_path, clock):
    """One on which nobody has said anything yet and nothing takes time."""
    made: Any = object.__new__(Stage)
    made.journal, made.members = Journal(), MEMBERS
    made.broke_at = made.mended_at = 0.0
    made.complaints = []
    made.hold = lambda _: None
    archiver = SimpleNamespace(log=tmp_path / "archiver.log")
    archiver.log.write_text("code=queue_broken queue=of a scenario before\n")
    made.bench = SimpleNamespace(services={"rabbitmq": Rabbit(tmp_path)}, archiver=archiver)
    return made


@pytest.fixture
def disk(monkeypatch):
    """What happens when the disk is full; nothing, unless a test says so."""
    made = SimpleNamespace(fill=lambda: None, free=lambda: None)

    class Mounted:
        def __enter__(self):
            return made

        def __exit__(self, *_):
            pass

    monkeypatch.setattr(broker, "small_disk", lambda *_: Mounted())
    return made


def write(stage, message, heard_by=()):
    stage.journal.attempted(message, GARDEN, "alice", "text")
    for who in heard_by:
        stage.journal.hears(who, message)


def test_what_a_member_has_not_opened_yet_is_as_old_as_it_is_now(stage, clock):
    write(stage, b"m1", heard_by=["alice"])
    clock.seconds += 9

    assert stage.journal.delays(MEMBERS) == [0.0, 9.0]


def test_others_who_hear_nothing_are_complained_about(stage, clock):
    write(stage, b"m1", heard_by=["alice", "bob"])
    quiet = stage.journal.delays(MEMBERS)
    clock.seconds += 10
    stage.broke_at = clock.seconds
    write(stage, b"m2", heard_by=["alice"])
    clock.seconds += 20

    compare(stage, quiet)

    assert stage.complaints == ["others waited 20.0 s, 0.0 s before"]


def test_others_who_write_nothing_are_complained_about(stage, clock):
    write(stage, b"m1", heard_by=["alice", "bob"])
    stage.broke_at = clock.seconds + 1

    compare(stage, quiet=[0.1])

    assert stage.complaints == ["nobody wrote while one read nothing"]


def test_others_who_wait_as_before_are_not(stage, clock):
    stage.broke_at = clock.seconds
    write(stage, b"m1", heard_by=["alice", "bob"])
    clock.seconds += 20

    compare(stage, quiet=[0.1])

    assert not stage.complaints


def test_a_full_disk_that_damaged_no_queue_is_complained_about(stage, disk):
    broker.disk_damaged(stage)

    assert stage.complaints == ["no queue was damaged, so that this shows nothing"]


def test_a_damaged_queue_is_deleted_and_nothing_is_complained_about(stage, disk):
    rabbitmq = stage.bench.services["rabbitmq"]
    disk.fill = lambda: rabbitmq.says(f"State machine '%2F_{QUEUE}' terminating")

    broker.disk_damaged(stage)

    assert rabbitmq.asked == [("delete_queue", QUEUE)]
    assert not stage.complaints


def test_a_queue_that_ended_the_archivers_connection_is_proof_too(stage, disk):
    log = stage.bench.archiver.log
    disk.fill = lambda: log.write_text(log.read_text() + f"code=queue_broken queue={QUEUE}\n")

    broker.disk_damaged(stage)

    assert not stage.complaints
