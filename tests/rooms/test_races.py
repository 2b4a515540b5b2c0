"""Two at once: one wins, the other is told, and nothing is half-done."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from asgiref.sync import async_to_sync
from django.db import connection

from accounts.refusals import Refused
from crypto_client.committing import commit_role
from messaging import services
from messaging.models import LogRecord
from rooms.access import rooms_of
from rooms.models import Membership, Room
from tests.cast import make_cast
from tests.rooms.forging import forge
from tests.rooms.garden import Chain, create, id_bytes, make_garden


@pytest.fixture
def cast(transactional_db):
    """The cast in rows that other threads can see."""
    return make_cast()


@pytest.fixture
def garden(cast):
    return make_garden(cast)


def at_once(*calls):
    """What each call gives, or the code it is refused with, all started together."""
    start = threading.Barrier(len(calls))

    def run(call):
        start.wait(timeout=10)
        try:
            return call()
        except Refused as refused:
            return refused.code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def commit_as(garden, name, forged):
    person = garden.cast[name]
    sent, wraps = forged
    return lambda: async_to_sync(services.commit_epoch)(
        actor=person.user,
        device_id=person.device_id,
        room_id=garden.id,
        sent=sent,
        wraps=wraps,
    )


def test_of_two_commits_at_once_one_becomes_the_head(garden):
    offers = {name: forge(garden.chain, name, []) for name in ("alice", "bob")}

    results = at_once(*(commit_as(garden, name, forged) for name, forged in offers.items()))

    codes = [result for result in results if isinstance(result, str)]
    won = [result.hash for result in results if not isinstance(result, str)]
    assert len(won) == 1
    assert set(codes) <= {"commit_pending", "stale_head"}
    assert bytes(Room.objects.get().head_hash) == won[0]
    assert LogRecord.objects.filter(kind=LogRecord.Kind.COMMIT, epoch=2).count() == 1


def test_one_commit_sent_twice_at_once_is_one_commit(garden):
    forged = forge(garden.chain, "alice", [])

    results = at_once(commit_as(garden, "alice", forged), commit_as(garden, "alice", forged))

    assert {result.hash for result in results} == {forged[0].hash}
    assert LogRecord.objects.filter(kind=LogRecord.Kind.COMMIT, epoch=2).count() == 1
    assert Membership.objects.filter(room=garden.id).count() == 3


def test_two_who_begin_their_direct_room_at_once_both_have_it(cast):
    mine, yours = Chain().direct("alice", "bob"), Chain().direct("bob", "alice")

    results = at_once(lambda: create(cast, "alice", mine), lambda: create(cast, "bob", yours))

    room = Room.objects.get()
    assert set(results) == {room.id, "room_exists"}
    assert rooms_of(cast.alice.id) == rooms_of(cast.bob.id) == {room.id}
    assert LogRecord.objects.filter(room_id=room.id).count() == 1


def test_of_two_admins_who_leave_at_once_one_stays(garden):
    by = garden.chain.by("alice")
    garden.commit("alice", commit_role(garden.chain.head, id_bytes("bob"), 2, by))

    results = at_once(lambda: garden.leave("alice"), lambda: garden.leave("bob"))

    assert results.count("last_admin") == 1
    assert Membership.objects.filter(role=2, last_epoch=None).count() == 1
