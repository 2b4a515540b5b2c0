"""What a hostile client sends, byte by byte, to both servers in processes of their own."""

import re
import socket
from pathlib import Path

import pytest

from tests.messaging.bad_frames import ANSWERS
from tests.messaging.live import serving
from tests.messaging.raw import PING, TEXT, RawSocket, frame, head

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

ROOT = Path(__file__).resolve().parent.parent.parent
WIRE = (ROOT / "docs" / "wire.md").read_text()
FLOOD = 5_000
# What the words of the page stand for, where one server says more than the other.
MEANT = {
    "a close in return": {"close 1000", "close 4999", "close"},
    "the end": {"ends", "close 1002", "close 1007"},
    "a pong with the same bytes": {"pong 125"},
}


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def server(request, django_db_setup, tmp_path_factory):
    with serving(tmp_path_factory.mktemp("serve"), "--server", request.param) as running:
        yield running


def goes_on(answer):
    """Whether the socket is good for more after this answer."""
    return not answer.startswith(("close", "a close", "the end"))


def what_comes_back(server, alice, answer, sent):
    """The first answer to these bytes, or how the connection ended."""
    with RawSocket(server.port, alice) as raw:
        raw.send(sent)
        if goes_on(answer):
            raw.send_last()
        *before, last = raw.hears()
    if not goes_on(answer):
        return last
    assert last == "goes on", (answer, sent[:80], before, last)
    return before[0] if before else "nothing"


def test_every_frame_is_answered_as_the_page_says(alice, server):
    others = {
        (answer, name): came
        for answer, cases in ANSWERS.items()
        for name, sent in cases.items()
        if (came := what_comes_back(server, alice, answer, sent))
        not in MEANT.get(answer, {answer.strip("`")})
    }

    assert others == {}


def test_the_page_lists_these_frames_and_no_others():
    section = WIRE.split("### Frames as nobody should send them\n")[1].split("\n### ")[0]
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", section, re.MULTILINE)[2:]

    listed = {answer: sorted(cases.split("; ")) for answer, cases in rows}
    assert listed == {answer: sorted(cases) for answer, cases in ANSWERS.items()}


def test_a_flood_of_pings_gets_no_more_pongs_than_frames_are_let_in(alice, server):
    with RawSocket(server.port, alice) as raw:
        raw.send(frame(PING, bytes(100)) * FLOOD)
        raw.send_last()
        *pongs, last = raw.hears()

    assert last == "goes on"
    # 40 at once and 20 a second: a server that needs a minute for them is slow, not wrong.
    assert 40 <= len(pongs) < 40 + 20 * 60


HALVES = {
    "a byte": b"\x81",
    "a head": head(TEXT, 100),
    "half of what it says": frame(TEXT, bytes(100))[:50],
}


@pytest.mark.parametrize("half", HALVES.values(), ids=HALVES)
def test_half_a_frame_ends_with_its_connection_and_disturbs_nobody(alice, server, half):
    with RawSocket(server.port, alice) as raw, RawSocket(server.port, alice) as other:
        raw.send(half)
        other.send_last()
        assert other.hears() == ["goes on"]

        raw.wire.shutdown(socket.SHUT_WR)
        assert raw.hears()[-1] == "ends"
