"""What the fan-out kept from a process is noticed by the next look at the log, and told to all."""

import asyncio
import json
import uuid

import pytest

from messaging import announce, gaps, metrics
from messaging.fanout.in_process import InProcessFanOut
from messaging.hub import Hub
from tests.messaging.records import OTHER_ROOM, ROOM, message
from tests.messaging.test_hub import Written, a_turn


@pytest.fixture
def log():
    """Where the log of the room is, by the word of the store."""
    return {ROOM: 0}


@pytest.fixture
def fan_out(monkeypatch):
    made = InProcessFanOut()
    monkeypatch.setattr(announce, "fan_out", lambda: made)
    return made


@pytest.fixture
def hub(fan_out, log, monkeypatch):
    monkeypatch.setattr(gaps, "IN_FLIGHT_SECONDS", 0)

    async def positions(room_ids):
        return {room_id: (log[room_id], 3) for room_id in room_ids}

    return Hub(fan_out, positions)


@pytest.fixture
async def socket(hub):
    made = Written()
    await hub.join(ROOM, made)
    return made


def mismatches():
    return metrics.HEADS_MISMATCHES._value.get()


def heads_in(socket):
    told = [json.loads(text) for text in socket.texts]
    return [frame["rooms"] for frame in told if frame["event"] == "heads"]


async def store(log, *, tell):
    log[ROOM] += 1
    if tell:
        await announce.message_stored([message(log[ROOM]).at(log[ROOM])])


async def look(hub, log):
    """What a client's question for the heads does, and all that follows of it."""
    hub.compare(log)
    for _ in range(10):
        await a_turn()


async def test_a_record_that_no_frame_told_of_is_counted_and_told_to_every_socket(hub, socket, log):
    before = mismatches()
    await store(log, tell=True)
    await look(hub, log)
    await store(log, tell=False)

    await look(hub, log)

    assert mismatches() == before + 1
    assert heads_in(socket) == [{str(ROOM): {"seq": 2, "epoch": 3}}]


async def test_it_is_counted_once_however_many_look(hub, socket, log):
    before = mismatches()
    await look(hub, log)
    await store(log, tell=False)

    for _ in range(3):
        hub.compare(log)
    await look(hub, log)
    await look(hub, log)

    assert mismatches() == before + 1


async def test_what_was_told_in_time_is_no_mismatch(hub, socket, log):
    before = mismatches()
    await look(hub, log)
    await store(log, tell=False)
    hub.compare(log)  # stored, and its frame is on its way

    await announce.message_stored([message(1).at(1)])
    await look(hub, log)

    assert mismatches() == before
    assert heads_in(socket) == []


async def test_what_was_stored_before_anybody_listened_is_no_mismatch(hub, fan_out, log):
    before = mismatches()
    log[ROOM] = 40
    await hub.join(ROOM, socket := Written())

    await look(hub, log)
    await look(hub, log)

    assert (mismatches(), socket.texts) == (before, [])


async def test_rooms_without_a_socket_here_are_not_compared(hub, socket, log):
    before = mismatches()
    log[OTHER_ROOM] = 1
    await look(hub, log)
    log[OTHER_ROOM] = 2

    await look(hub, log)

    assert mismatches() == before
    assert hub.sockets_in(OTHER_ROOM) == 0


async def test_the_way_of_a_live_frame_into_the_sockets_is_measured(hub, socket):
    count = metrics.DELIVERY_SECONDS._sum.get
    before = count()

    await announce.message_live(message(1))
    await asyncio.sleep(0)

    assert len(socket.writes) == 1
    assert count() - before > 1_000_000  # accepted in 2023, by the record


def test_a_room_id_fits_into_what_is_looked_for():
    frame = b'{"event":"message.stored","room_id":"%s","from":8,"to":9,"ids":[]}'
    found = gaps.STORED.match(frame % str(uuid.uuid4()).encode())
    assert found is not None
    assert found[1] == b"9"
