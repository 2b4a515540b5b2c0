"""Deleting a room for oneself and for everybody."""

import pytest
from asgiref.sync import async_to_sync

from accounts.refusals import Refused
from messaging import runtime, services
from messaging.models import Cursor, LogRecord
from messaging.store import StoreUnavailable
from rooms.models import (
    DeletedRoom,
    EpochCommit,
    EpochWrap,
    HistoryRecord,
    Membership,
    Room,
)
from tests.messaging.envelopes import envelope
from tests.rooms.garden import create, make_direct, make_group


def delete_as(garden, name):
    async_to_sync(services.delete_room)(actor=garden.cast[name].user, room_id=garden.id)


def room_ids(person):
    return [room["room_id"] for room in person.get("/api/rooms").json()["rooms"]]


def rows_left():
    kinds = (LogRecord, Cursor, Room, Membership, EpochCommit, EpochWrap, HistoryRecord)
    return {kind.__name__: kind.objects.count() for kind in kinds if kind.objects.exists()}


# For everybody


def test_a_room_deleted_for_everybody_is_gone_from_every_table(garden):
    Cursor.objects.create(
        room_id=garden.id, user=garden.cast.bob.user, device_id=garden.cast.bob.device_id
    )
    assert rows_left()

    delete_as(garden, "alice")

    assert rows_left() == {}
    assert DeletedRoom.objects.get().room_id == garden.id


def test_another_room_is_left_alone(garden):
    other = make_group(garden.cast, "alice", "bob")

    delete_as(garden, "alice")

    assert room_ids(garden.cast.bob) == [str(other.id)]
    assert [item["kind"] for item in other.items("bob")] == ["commit"]


@pytest.mark.parametrize(
    ("name", "code"), [("mallory", "not_found"), ("dave", "forbidden"), ("bob", "forbidden")]
)
def test_only_an_admin_deletes_for_everybody(garden, name, code):
    with pytest.raises(Refused, match=code):
        delete_as(garden, name)

    assert room_ids(garden.cast.alice) == [str(garden.id)]


def test_a_direct_room_is_deleted_for_oneself_alone(cast):
    direct = make_direct(cast, "alice", "bob")

    with pytest.raises(Refused, match="forbidden"):
        delete_as(direct, "alice")


def test_members_are_told_that_the_room_was_deleted(garden, monkeypatch):
    heard = []

    async def room_event(room_id, event, **members):
        heard.append((room_id, event))

    monkeypatch.setattr("messaging.announce.room_event", room_event)

    delete_as(garden, "alice")

    assert heard == [(garden.id, "room.deleted")]


def test_nothing_brings_a_deleted_room_back(garden):
    late, first = envelope(garden, "bob"), garden.chain.commits[0]
    delete_as(garden, "alice")

    for attempt in (
        lambda: garden.send("bob", late),
        lambda: create(garden.cast, "alice", first),
        lambda: garden.commit("alice", garden.rotate("alice")),
        lambda: delete_as(garden, "alice"),
    ):
        with pytest.raises(Refused, match="room_deleted"):
            attempt()
    assert rows_left() == {}


def test_an_interrupted_deletion_is_invisible_at_once_and_finished_by_whoever_comes_next(
    garden, monkeypatch
):
    class DeadLog:
        async def delete_room(self, room_id):
            raise StoreUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(runtime, "log", DeadLog)
        with pytest.raises(Refused, match="unavailable"):
            delete_as(garden, "alice")
    assert room_ids(garden.cast.bob) == []
    assert garden.cast.bob.get(f"{garden.path}/items").status_code == 410
    assert rows_left()

    assert async_to_sync(services.finish_erasures)() == 1
    assert rows_left() == {}


# For oneself


def test_a_hidden_room_comes_back_with_the_next_message(garden):
    bob = garden.cast.bob
    assert bob.post(f"{garden.path}/hide").status_code == 204
    assert room_ids(bob) == []
    assert room_ids(garden.cast.alice) == [str(garden.id)]

    garden.say("alice", "bob?")

    assert room_ids(bob) == [str(garden.id)]
    assert bob.get(garden.path).json()["me"]["hidden_to"] == 5


def test_a_room_one_has_left_can_be_hidden_and_stays_so(garden):
    dave = garden.cast.dave
    assert room_ids(dave) == [str(garden.id)]
    dave.post(f"{garden.path}/hide")

    garden.say("alice", "without dave")

    assert room_ids(dave) == []
