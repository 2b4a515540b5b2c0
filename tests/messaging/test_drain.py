"""Draining: people move in their own time, nobody new comes, and nobody is cut off."""

import asyncio
import os
import subprocess
import sys

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from messaging import drain
from messaging.drain import Drain
from messaging.serving.pid_file import NotRunning, find, hold
from tests.messaging.live import ROOT, connected, environment, live, serving
from tests.messaging.test_serve import SERVERS, send

pytestmark = pytest.mark.django_db(transaction=True)


def manage_drain(folder, port):
    return subprocess.run(
        [sys.executable, "manage.py", "drain", "--port", str(port)],
        cwd=ROOT,
        env=environment(folder),
        capture_output=True,
        text=True,
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", SERVERS)
async def test_people_move_while_their_server_still_serves_them(garden, tmp_path, name):
    alice, bob = garden.cast.alice, garden.cast.bob
    with serving(tmp_path, "--server", name, DRAIN_SECONDS="60") as server:
        async with live(server.address, alice) as socket:
            asked = await asyncio.to_thread(manage_drain, tmp_path, server.port)
            assert asked.returncode == 0, asked.stderr
            assert (await socket.push("reconnect"))["within_ms"] == 60_000

            assert (await send(garden, socket))["state"] == "accepted"
            async with httpx.AsyncClient(base_url=server.address) as balancer:
                ready = await balancer.get("/healthz/ready")
                live_still = await balancer.get("/healthz/live")
            assert (ready.status_code, ready.json()["status"]) == (503, "draining")
            assert live_still.status_code == 200
            with pytest.raises(InvalidStatus) as refused:
                async with connected(server.address, bob):
                    pass
            assert refused.value.response.status_code == 503

        # Everybody has moved: nothing is waited for any more.
        assert await asyncio.to_thread(server.end, 15) == 0


class Open:
    """A socket that stays until it is ended, and remembers what it was told."""

    def __init__(self, of, *, moves=False):
        self.of, self.moves, self.told = of, moves, []
        of.add(self)

    def hint(self, within_ms):
        self.told.append(within_ms)
        if self.moves:
            asyncio.get_running_loop().call_soon(self.of.remove, self)

    def end(self, code):
        self.told.append(code)
        self.of.remove(self)


class Queue:
    """Remembers how many sockets were open when it was stopped."""

    def __init__(self, sockets):
        self.sockets, self.stopped_with = sockets, None

    async def stop(self):
        self.stopped_with = [len(each.told) for each in self.sockets]


@pytest.fixture
def soon(monkeypatch, settings):
    settings.DRAIN_SECONDS = 1
    monkeypatch.setattr(drain, "LATE_SECONDS", -0.9)


async def test_who_moves_is_not_cut_off_and_who_does_not_is_in_the_end(soon):
    draining = Drain()
    moving, staying = Open(draining, moves=True), Open(draining)
    queue = Queue([moving, staying])

    await draining.run(queue)

    assert (moving.told, staying.told) == ([1000], [1000, 1012])
    assert queue.stopped_with == [1, 1]


async def test_when_all_have_moved_nobody_waits(settings):
    settings.DRAIN_SECONDS = 100
    draining = Drain()
    moving = Open(draining, moves=True)

    async with asyncio.timeout(10):
        await draining.run(Queue([moving]))

    assert moving.told == [100_000]


async def test_draining_twice_tells_everybody_once(settings):
    settings.DRAIN_SECONDS = 0
    draining = Drain()
    staying = Open(draining)

    draining.begin()
    draining.begin()
    await draining.run(Queue([staying]))

    assert staying.told == [drain.RECONNECT_WITHIN_MS, 1012]


def test_only_a_server_that_runs_is_found(tmp_path):
    with pytest.raises(NotRunning):
        find(tmp_path, 8000)
    (tmp_path / "serve-8000.pid").write_text("1")  # left behind, and the number is another's now
    with pytest.raises(NotRunning):
        find(tmp_path, 8000)

    held = hold(tmp_path, 8000)

    assert held is not None
    assert find(tmp_path, 8000) == os.getpid()
    assert hold(tmp_path, 8000) is None
    held.close()
    with pytest.raises(NotRunning):
        find(tmp_path, 8000)


def test_a_folder_that_cannot_be_written_to_stops_no_server():
    assert hold(ROOT / "manage.py" / "nowhere", 8000) is None


@pytest.mark.slow
def test_where_nobody_serves_the_command_says_so(tmp_path):
    ran = manage_drain(tmp_path, 8000)

    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-1].startswith("CommandError: no server with")


async def test_who_passed_the_gate_just_before_is_asked_to_move_and_waited_for(settings):
    settings.DRAIN_SECONDS = 100
    draining = Drain()
    first = Open(draining)
    draining.begin()
    draining.remove(first)
    late = Open(draining)
    assert [0 < each <= 100_000 for each in late.told] == [True]

    ended = asyncio.create_task(draining.run(Queue([late])))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not ended.done()

    draining.remove(late)
    async with asyncio.timeout(10):
        await ended
    assert len(late.told) == 1
