"""From a commit's arrival to a new head: nothing is true before the queue has it."""

from datetime import timedelta
from uuid import UUID

import pytest
from asgiref.sync import async_to_sync
from django.utils import timezone

from accounts.refusals import Refused
from messaging import runtime, services
from rooms.access import room_for_member, rooms_of
from rooms.models import EpochCommit, Room
from tests.rooms.forging import forge
from tests.rooms.garden import (
    Chain,
    create,
    make_direct,
)


class BrokenQueue:
    """A queue that cannot confirm; what it was asked to publish is remembered."""

    def __init__(self):
        self.asked = []

    async def publish(self, record):
        self.asked.append(record)
        raise Refused("unavailable", retry_after_ms=1000)


@pytest.fixture
def broken_queue(monkeypatch):
    queue = BrokenQueue()

    def breaks():
        monkeypatch.setattr(runtime, "queue", lambda: queue)
        return queue

    return breaks


def commit_as(garden, name, forged):
    sent, wraps = forged
    person = garden.cast[name]
    return async_to_sync(services.commit_epoch)(
        actor=person.user,
        device_id=person.device_id,
        room_id=garden.id,
        sent=sent,
        wraps=wraps,
    )


def age(seconds):
    """Let pending commits look as if their process had died so long ago."""
    EpochCommit.objects.filter(status=EpochCommit.Status.PENDING).update(
        created_at=timezone.now() - timedelta(seconds=seconds)
    )


# The head


def test_a_commit_on_an_old_head_is_told_to_fetch(garden):
    late = forge(garden.chain, "bob", [])
    garden.commit("alice", garden.rotate("alice"))

    with pytest.raises(Refused, match="stale_head"):
        commit_as(garden, "bob", late)


def test_the_same_commit_again_is_the_same_success(garden):
    forged = forge(garden.chain, "alice", [])
    first = commit_as(garden, "alice", forged)

    again = commit_as(garden, "alice", forged)

    assert (again.epoch, again.hash) == (first.epoch, first.hash)
    assert [item["kind"] for item in garden.items("bob")].count("commit") == 3


def test_a_second_commit_waits_while_the_first_is_on_its_way(garden, broken_queue):
    broken_queue()
    with pytest.raises(Refused, match="unavailable"):
        commit_as(garden, "alice", forge(garden.chain, "alice", []))

    with pytest.raises(Refused, match="commit_pending"):
        commit_as(garden, "bob", forge(garden.chain, "bob", []))


def test_a_commit_that_the_queue_has_not_confirmed_is_nobodys(garden, broken_queue):
    queue = broken_queue()
    with pytest.raises(Refused, match="unavailable"):
        commit_as(garden, "alice", forge(garden.chain, "alice", []))
    assert len(queue.asked) == 1

    answer = garden.cast.bob.prove().get(f"{garden.path}/commits?after=0").json()
    assert (answer["head_epoch"], [c["epoch"] for c in answer["commits"]]) == (1, [1])
    assert garden.cast.bob.get(f"{garden.path}/wraps?after=1").json() == {"wraps": []}


def test_a_committer_who_sends_again_finishes_what_a_crash_left(garden, broken_queue, monkeypatch):
    forged = forge(garden.chain, "alice", [])
    broken_queue()
    with pytest.raises(Refused, match="unavailable"):
        commit_as(garden, "alice", forged)
    monkeypatch.undo()

    assert commit_as(garden, "alice", forged).epoch == 2
    assert Room.objects.get().head_epoch == 2


def test_whoever_comes_next_finishes_what_a_crash_left(garden, broken_queue, monkeypatch):
    left = forge(garden.chain, "alice", [])
    queue = broken_queue()
    with pytest.raises(Refused, match="unavailable"):
        commit_as(garden, "alice", left)
    monkeypatch.undo()
    age(seconds=60)

    with pytest.raises(Refused, match="stale_head"):
        commit_as(garden, "bob", forge(garden.chain, "bob", []))
    assert bytes(Room.objects.get().head_hash) == left[0].hash == queue.asked[0].body


def test_a_crash_after_the_confirm_leaves_one_row_in_the_log(garden, monkeypatch):
    forged = forge(garden.chain, "alice", [])
    with monkeypatch.context() as patch:
        patch.setattr("rooms.services.accept_commit", lambda **_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            commit_as(garden, "alice", forged)
    assert Room.objects.get().head_epoch == 1
    age(seconds=60)

    assert async_to_sync(services.finish_pending_commits)() == 1
    assert Room.objects.get().head_epoch == 2
    rows = [item for item in garden.items("bob") if item.get("epoch") == 2]
    assert len(rows) == 1


def test_readers_finish_what_a_crash_left(garden, broken_queue, monkeypatch):
    broken_queue()
    with pytest.raises(Refused, match="unavailable"):
        commit_as(garden, "alice", forge(garden.chain, "alice", []))
    monkeypatch.undo()
    age(seconds=60)

    assert garden.cast.bob.get(f"{garden.path}/commits").json()["head_epoch"] == 2


def test_a_new_room_is_invisible_until_the_queue_has_it(cast, broken_queue, monkeypatch):
    commit = Chain().group("alice", "bob")
    broken_queue()
    with pytest.raises(Refused, match="unavailable"):
        create(cast, "alice", commit)
    assert cast.alice.get("/api/rooms").json() == {"rooms": []}
    assert rooms_of(cast.alice.id) == rooms_of(cast.bob.id) == set()
    monkeypatch.undo()

    room_id = create(cast, "alice", commit)
    assert rooms_of(cast.bob.id) == {room_id}


# One direct room for a pair


def test_a_pair_has_one_direct_room(cast):
    direct = make_direct(cast, "alice", "bob")

    with pytest.raises(Refused) as refused:
        create(cast, "bob", Chain().direct("bob", "alice"))
    assert (refused.value.code, refused.value.extra["room_id"]) == ("room_exists", str(direct.id))


def test_two_who_begin_their_direct_room_at_once_get_the_same_room(cast, broken_queue, monkeypatch):
    mine = Chain().direct("alice", "bob")
    broken_queue()
    with pytest.raises(Refused, match="unavailable"):
        create(cast, "alice", mine)
    monkeypatch.undo()

    with pytest.raises(Refused) as refused:
        create(cast, "bob", Chain().direct("bob", "alice"))
    room, _ = room_for_member(cast.bob.user, UUID(refused.value.extra["room_id"]))
    assert bytes(room.head_hash) == mine.hash
