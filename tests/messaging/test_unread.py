"""What lies unread before a busy application is bounded, under both servers."""

import asyncio
from typing import Any

import pytest

from messaging.serving import FRAME_COST, MAX_UNREAD, Unread
from messaging.serving.with_daphne import _BoundedSocket as DaphneSocket
from messaging.serving.with_uvicorn import _BoundedSocket as UvicornSocket

LARGE = b"x" * 64 * 1024


class Busy:
    """One server's end of a socket whose application takes nothing; ``code`` once it was closed."""

    def __init__(self) -> None:
        self.code: int | None = None
        self.queue: asyncio.Queue[Any] = asyncio.Queue()

    def close(self, code: int) -> None:
        self.code = self.code or code


class OnDaphne(Busy):
    def __init__(self, monkeypatch):
        super().__init__()
        self.socket = DaphneSocket()
        self.socket.application_queue = self.queue
        self.socket.client_addr = None
        monkeypatch.setattr(self.socket, "sendClose", lambda code: self.close(code))

    def receive(self, payload):
        self.socket.onMessage(payload, False)


class OnUvicorn(Busy):
    def __init__(self, monkeypatch):
        super().__init__()
        self.socket = UvicornSocket.__new__(UvicornSocket)
        self.socket.queue, self.socket.close_sent, self.socket._unread = self.queue, False, Unread()
        self.socket.curr_msg_data_type, self.socket.read_paused = "text", True
        monkeypatch.setattr(self.socket, "_refuse", self.close)

    def receive(self, payload):
        self.socket.frames = [payload]
        self.socket.close_sent = self.code is not None
        self.socket.send_receive_event_to_app()


@pytest.fixture(params=[OnDaphne, OnUvicorn])
def busy(request, monkeypatch):
    return request.param(monkeypatch)


async def test_a_megabyte_waits_and_what_is_more_closes_with_4029(busy):
    for _ in range(15):
        busy.receive(LARGE)
    assert (busy.code, busy.queue.qsize()) == (None, 15)

    for _ in range(100):
        busy.receive(LARGE)

    assert (busy.code, busy.queue.qsize()) == (4029, 15)


async def test_small_ones_count_for_what_it_costs_to_keep_them(busy):
    for _ in range(100_000):
        busy.receive(b"1")

    assert busy.code == 4029
    assert busy.queue.qsize() <= MAX_UNREAD // FRAME_COST


async def test_who_is_read_may_send_for_ever(busy):
    for _ in range(100):
        busy.receive(LARGE)
        busy.queue.get_nowait()

    assert busy.code is None
