"""How frames leave when the reader is slow: kept up to the caps, then cut off."""

import asyncio
from typing import Any

import pytest
from websockets.frames import Frame, Opcode

from messaging import transport
from messaging.transport import (
    MAX_WAITING_BYTES,
    MAX_WAITING_FRAMES,
    AsgiOutlet,
    DaphneOutlet,
    UvicornOutlet,
    encode_text,
    fast_send_works,
    outlet_for,
)


class Reader:
    """A plain ASGI peer that takes frames only while it may."""

    def __init__(self):
        self.may_take = asyncio.Event()
        self.taken = []

    async def send(self, message):
        await self.may_take.wait()
        self.taken.append(message["text"])


@pytest.fixture
def reader():
    return Reader()


@pytest.fixture
def cut_off():
    return []


@pytest.fixture
def outlet(reader, cut_off):
    return AsgiOutlet(lambda: cut_off.append(True), reader.send)


async def test_a_slow_reader_gets_everything_in_order_once_it_reads(outlet, reader, cut_off):
    for number in range(100):
        outlet.write([b"%d" % number])

    reader.may_take.set()
    await outlet.finish()

    assert reader.taken == [str(number) for number in range(100)]
    assert not cut_off


async def test_more_frames_than_the_cap_cut_the_reader_off_once(outlet, reader, cut_off):
    for _ in range(MAX_WAITING_FRAMES + 20):
        outlet.write([b"{}"])

    assert cut_off == [True]


async def test_more_bytes_than_the_cap_cut_the_reader_off(outlet, reader, cut_off):
    outlet.write([b"x" * MAX_WAITING_BYTES])
    assert not cut_off

    outlet.write([b"x"])

    assert cut_off


async def test_a_sender_of_many_frames_can_wait_until_little_is_waiting(outlet, reader):
    outlet.write([b"x" * 100_000] * 3)
    waiting = asyncio.create_task(outlet.calm())
    await asyncio.sleep(0)
    assert not waiting.done()

    reader.may_take.set()

    await asyncio.wait_for(waiting, 2)


async def test_nobody_waits_for_ever_for_a_reader_that_was_cut_off(outlet):
    outlet.write([b"x" * 100_000] * 3)

    outlet.shut()

    await asyncio.wait_for(outlet.calm(), 2)


async def test_a_peer_that_is_gone_ends_the_sending(cut_off):
    async def send(message):
        raise ConnectionError

    outlet = AsgiOutlet(lambda: cut_off.append(True), send)
    outlet.write([b"{}"])
    await outlet.finish()

    outlet.write([b"{}"] * (MAX_WAITING_FRAMES + 1))
    assert not cut_off


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536])
def test_our_frames_are_those_of_another_implementation(size):
    payload = b"x" * size

    assert encode_text(payload) == Frame(Opcode.TEXT, payload).serialize(mask=False)
    assert fast_send_works()


async def test_the_setting_turns_the_fast_path_off(settings, reader):
    settings.FAST_SEND = "off"

    assert isinstance(outlet_for(reader.send, lambda: None), AsgiOutlet)


async def test_an_unknown_server_gets_plain_asgi(reader):
    assert isinstance(outlet_for(reader.send, lambda: None), AsgiOutlet)


async def test_a_failed_self_test_turns_the_fast_path_off(monkeypatch, reader):
    monkeypatch.setattr(transport, "fast_send_works", lambda: False)
    monkeypatch.setattr(transport, "_fast_outlet", lambda *_: pytest.fail("not after that"))
    transport.fast_send.cache_clear()

    assert isinstance(outlet_for(reader.send, lambda: None), AsgiOutlet)
    transport.fast_send.cache_clear()


def test_the_servers_we_know_have_what_the_fast_path_needs():
    from daphne.ws_protocol import WebSocketProtocol
    from twisted.internet.abstract import FileDescriptor
    from twisted.internet.tcp import Server
    from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

    assert issubclass(DaphneOutlet, transport.Outlet)
    assert issubclass(UvicornOutlet, transport.Outlet)
    assert hasattr(WebSocketProtocol, "STATE_OPEN")
    assert issubclass(Server, FileDescriptor)
    assert hasattr(Server, "writeSomeData")
    nobody: Any = object()
    empty = FileDescriptor(reactor=nobody)
    assert (empty.dataBuffer, empty._tempDataLen) == (b"", 0)
    assert hasattr(WebSocketsSansIOProtocol, "resume_writing")
