"""The fault proxy does to connections what it says, so that the bench's findings mean something."""

import contextlib
import socket
import threading
import time

import pytest

from tests.faults.proxy import BLACKHOLE, Fault, FaultProxy


class Echo:
    """Answers with what it gets; ``got`` is all that ever reached it."""

    def __init__(self):
        self.got = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                wire, _ = self._listener.accept()
                threading.Thread(target=self._answer, args=(wire,), daemon=True).start()

    def _answer(self, wire):
        with wire, contextlib.suppress(OSError):
            while data := wire.recv(65536):
                self.got += data
                wire.sendall(data)

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def echo():
    made = Echo()
    yield made
    made.close()


@pytest.fixture
def proxy(echo):
    made = FaultProxy(echo.url, seed=1)
    yield made
    made.close()


@pytest.fixture
def wire(proxy):
    """A connection that has worked."""
    with socket.create_connection(("127.0.0.1", proxy.port), 5) as made:
        assert said(made, b"before") == b"before"
        yield made


def said(wire, data, seconds=5.0):
    """What comes back within so long."""
    wire.settimeout(seconds)
    wire.sendall(data)
    got = b""
    with contextlib.suppress(TimeoutError):
        while len(got) < len(data):
            piece = wire.recv(65536)
            if not piece:
                break
            got += piece
    return got


def test_a_delay_is_kept_each_way_and_the_order_with_it(proxy, wire):
    proxy.set(Fault(delay=0.05, jitter=0.02))
    began = time.monotonic()

    assert said(wire, b"1") + said(wire, b"2") == b"12"

    assert time.monotonic() - began > 0.2


def test_a_rate_lets_so_many_bytes_pass_in_a_second(proxy, wire):
    proxy.set(Fault(rate=40_000))
    began = time.monotonic()

    assert said(wire, b"x" * 8_000) == b"x" * 8_000

    assert time.monotonic() - began > 0.2


def test_what_is_sent_into_a_blackhole_comes_out_when_it_heals(proxy, wire, echo):
    proxy.set(BLACKHOLE)
    assert said(wire, b"held", seconds=0.2) == b""
    assert echo.got == b"before"

    proxy.heal()

    wire.settimeout(5)
    assert wire.recv(4) == b"held"


def test_a_half_open_way_delivers_and_brings_no_answer(proxy, wire, echo):
    proxy.set(Fault(blocked=frozenset({"down"})))

    assert said(wire, b"heard", seconds=0.3) == b""

    assert echo.got == b"beforeheard"
    proxy.heal()
    wire.settimeout(5)
    assert wire.recv(5) == b"heard"


def test_a_reset_breaks_connections_and_takes_new_ones(proxy, wire):
    proxy.reset()

    with pytest.raises(ConnectionError):
        wire.recv(1)
    with socket.create_connection(("127.0.0.1", proxy.port), 5) as again:
        assert said(again, b"again") == b"again"


def test_who_is_refused_may_connect_after_the_healing_on_the_same_port(proxy, wire):
    proxy.refuse()
    with pytest.raises(OSError):  # noqa: PT011 (refused or reset: the system's choice)
        said(socket.create_connection(("127.0.0.1", proxy.port), 1), b"no")

    proxy.heal()

    with socket.create_connection(("127.0.0.1", proxy.port), 5) as again:
        assert said(again, b"again") == b"again"


def test_a_connection_is_cut_after_so_many_bytes_and_not_one_more_passes(proxy, wire, echo):
    proxy.set(Fault(cut_after={"up": 4}))

    with contextlib.suppress(ConnectionError):
        said(wire, b"123456")

    assert proxy.passed["up"] == len(b"before1234")
    assert b"before1234".startswith(echo.got)  # a reset may take what was not yet read with it


def is_broken(wire):
    """Whether it has been reset; looked at for a moment."""
    wire.settimeout(0.05)
    try:
        wire.recv(1)
    except TimeoutError:
        return False
    except ConnectionError:
        return True
    raise AssertionError("it was closed, not reset")


def test_an_idle_connection_is_reset_and_one_that_is_used_is_not(proxy, wire):
    with socket.create_connection(("127.0.0.1", proxy.port), 5) as used:
        assert said(used, b"here") == b"here"
        proxy.set(Fault(idle=0.5))
        began = time.monotonic()

        while not is_broken(wire):
            assert said(used, b"here") == b"here"
            assert time.monotonic() - began < 10

        assert said(used, b"here") == b"here"


def test_a_lost_piece_comes_a_retransmission_later(proxy, wire):
    proxy.set(Fault(loss=1.0))
    began = time.monotonic()

    assert said(wire, b"late") == b"late"

    assert time.monotonic() - began > 0.4
