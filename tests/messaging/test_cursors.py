"""Cursors only grow, and the room hears of them."""

import asyncio
import uuid

import pytest
from asgiref.sync import async_to_sync

from accounts.refusals import Refused
from messaging import announce, coalescing, services


@pytest.fixture
def heard(monkeypatch):
    """Cursors that the room heard of, as (delivered_to, read_to)."""
    moves = []

    async def room_event(room_id, event, **members):
        assert event == "cursor.moved"
        moves.append((members["delivered_to"], members["read_to"]))

    monkeypatch.setattr(announce, "room_event", room_event)
    return moves


def move(garden, name, **cursors):
    person = garden.cast[name]
    return async_to_sync(services.move_cursor)(
        actor_id=person.id, device_id=person.device_id, room_id=garden.id, **cursors
    )


def test_a_cursor_grows_and_never_goes_back(garden, heard):
    assert move(garden, "bob", delivered_to=4, read_to=2) == (4, 2)

    assert move(garden, "bob", delivered_to=1, read_to=1) == (4, 2)
    assert heard == [(4, 2)]


def test_a_cursor_stops_at_the_newest_row(garden, heard):
    assert move(garden, "bob", delivered_to=2**53 - 1) == (5, 0)


def test_what_is_read_has_been_delivered(garden, heard):
    assert move(garden, "bob", read_to=3) == (3, 3)


def test_members_see_each_others_cursors(garden, heard):
    move(garden, "bob", delivered_to=5, read_to=4)

    room = garden.cast.alice.get(garden.path).json()

    assert room["cursors"] == [
        {"user_id": str(garden.cast.bob.id), "delivered_to": 5, "read_to": 4}
    ]


def test_who_has_left_sees_no_cursors(garden, heard):
    move(garden, "bob", delivered_to=5)
    assert garden.cast.alice.get(garden.path).json()["cursors"]

    assert garden.cast.dave.get(garden.path).json()["cursors"] == []


@pytest.mark.parametrize(("name", "code"), [("mallory", "not_found"), ("dave", "forbidden")])
def test_who_is_not_in_the_room_moves_no_cursor(garden, heard, name, code):
    assert move(garden, "bob", read_to=1) == (1, 1)

    with pytest.raises(Refused, match=code):
        move(garden, name, read_to=1)
    assert heard == [(1, 1)]


async def test_of_many_moves_the_first_and_the_last_are_announced(monkeypatch):
    monkeypatch.setattr(coalescing, "PAUSE", 0.01)
    heard: asyncio.Queue[int] = asyncio.Queue()

    async def room_event(room_id, event, **members):
        await heard.put(members["read_to"])

    monkeypatch.setattr(announce, "room_event", room_event)
    room, user = uuid.uuid4(), uuid.uuid4()

    for seq in range(1, 6):
        await coalescing.announce_cursor(room, user, (seq, seq))

    assert heard.get_nowait() == 1
    assert await asyncio.wait_for(heard.get(), timeout=5) == 5
    assert heard.empty()
