"""Sessions that ended and nobody said so: their sockets are closed within seconds all the same."""

import asyncio
import threading
import time
import uuid

import pytest
from asgiref.sync import sync_to_async
from django.db import Error

from accounts import realtime
from accounts.access import sessions_ended_lately
from accounts.models import SessionsEnded
from accounts.services import suspend_user
from messaging import endings
from messaging.services.tidying import forget_what_has_run_out
from tests.accounts.listing import PATH, add_device, body_of, listed
from tests.messaging.live import live, serving
from tests.messaging.sockets import proved

pytestmark = pytest.mark.django_db(transaction=True)

PROMISED_SECONDS = 5 + 5  # and as much again for a busy machine


@pytest.fixture
def unheard(monkeypatch):
    """Whoever ends a session dies between its commit and its word to the sockets."""
    monkeypatch.setattr(realtime, "_send", lambda *_: None)


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(endings, "LOOK_EVERY_SECONDS", 0.02)


async def revoke(person):
    """Publish a list in which another device takes the place of the person's own."""
    laptop = await sync_to_async(add_device)(person)
    body = body_of(await sync_to_async(listed)(person, laptop))
    answer = await sync_to_async(person.post)(PATH, body)
    assert answer.status_code == 201


async def test_a_revoked_device_is_closed_though_nobody_said_so(alice, bob, unheard, quick):
    async with proved(alice) as lost, proved(bob) as friend:
        await revoke(alice)

        assert await lost.closed_with() == 4001
        assert (await friend.ask("heads"))["event"] == "reply"


async def test_a_suspended_person_is_closed_though_nobody_said_so(alice, mod, unheard, quick):
    async with proved(alice) as socket:
        await sync_to_async(suspend_user)(actor=mod.user, user=alice.user)

        assert await socket.closed_with() == 4001


@pytest.fixture
async def looks(quick, monkeypatch):
    """Each look for endings, as it happens: ``await looks.get()`` waits for the next."""
    happened: asyncio.Queue[dict[int, uuid.UUID]] = asyncio.Queue()
    look = sessions_ended_lately

    def counted():
        found = look()
        loop.call_soon_threadsafe(happened.put_nowait, found)
        return found

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(endings, "sessions_ended_lately", counted)
    return happened


async def test_who_signed_in_again_since_then_stays(alice, mallory, unheard, looks):
    await SessionsEnded.objects.acreate(user_id=alice.id)
    async with proved(alice) as socket, proved(mallory) as stranger:
        while not await looks.get():
            pass
        await looks.get()

        assert (await socket.ask("heads"))["event"] == "reply"
        assert (await stranger.ask("heads"))["event"] == "reply"


async def test_a_database_that_does_not_answer_closes_nothing_and_is_asked_again(
    alice, unheard, quick, monkeypatch, caplog
):
    look, failed = sessions_ended_lately, threading.Event()

    def away_once():
        if not failed.is_set():
            failed.set()
            raise Error
        return look()

    monkeypatch.setattr(endings, "sessions_ended_lately", away_once)
    async with proved(alice) as socket:
        await asyncio.to_thread(failed.wait, 10)
        assert (await socket.ask("heads"))["event"] == "reply"
        await revoke(alice)

        assert await socket.closed_with() == 4001
    assert "code=session_unchecked error=Error" in caplog.messages


async def test_nobody_looks_while_there_is_no_socket(alice, looks):
    async with proved(alice):
        await looks.get()
    while not looks.empty():  # one may have been on its way
        looks.get_nowait()

    assert endings.this_process()._task is None


@pytest.mark.slow
async def test_a_real_server_closes_within_the_promised_seconds_what_another_process_ended(
    alice, tmp_path
):
    """The other process is this test: no word of it reaches the server, only what it committed."""
    with serving(tmp_path) as server:
        async with live(server.address, alice) as socket:
            begun = time.monotonic()
            await revoke(alice)

            assert await socket.close_code() == 4001
            assert time.monotonic() - begun < PROMISED_SECONDS


def test_what_was_looked_at_by_everybody_is_forgotten(alice):
    fresh = SessionsEnded.objects.create(user_id=alice.id)
    old = SessionsEnded.objects.create(user_id=alice.id)
    SessionsEnded.objects.filter(pk=old.pk).update(ended_at="2026-01-01T00:00:00Z")

    forget_what_has_run_out()

    assert list(SessionsEnded.objects.values_list("pk", flat=True)) == [fresh.pk]
