"""A server that drops, reorders or takes back what it stored: it shows in the room."""

import pytest

from crypto_client.log_hash import LOG_START, next_log_hash
from crypto_client.primitives import h
from crypto_client.vectors.cast import NOW
from tests.crypto_client.member import Home, Member, Writer


def log_after(*envelopes: bytes) -> bytes:
    """The rolling hash over messages in these places."""
    log = LOG_START
    for seq, envelope in enumerate(envelopes, 1):
        log = next_log_hash(log, seq, h("envelope", envelope))
    return log


def three(alice: Writer) -> list[bytes]:
    """Two messages, and one whose writer has seen them in this order."""
    one, two = (alice.seal(text, text.encode() * 16).envelope for text in "12")
    return [one, two, alice.seal("3", b"3" * 16, seen=(2, log_after(one, two))).envelope]


def test_what_an_honest_server_stores_raises_nothing(home: Home, alice: Writer) -> None:
    for seq, envelope in enumerate(three(alice), 1):
        home.stored(envelope, seq)
    assert [text for _, text, _ in home.shown()] == ["1", "2", "3"]
    assert home.trouble() == ""


def test_a_message_that_was_left_out_shows_at_the_next_one(home: Home, alice: Writer) -> None:
    one, _, last = three(alice)
    other = alice.seal("4", b"4" * 16).envelope
    for seq, envelope in enumerate([one, other, last], 1):
        home.stored(envelope, seq)
    assert home.trouble() == "log_fork"


def test_a_tail_that_was_cut_off_shows_at_the_next_message(home: Home, alice: Writer) -> None:
    one, _, last = three(alice)
    home.stored(one, 1)
    home.stored(last, 2)
    assert home.trouble() == "log_fork"


def test_two_messages_in_each_other_s_place_show_at_the_next_one(home: Home, alice: Writer) -> None:
    one, two, last = three(alice)
    for seq, envelope in enumerate([two, one, last], 1):
        home.stored(envelope, seq)
    assert home.trouble() == "log_fork"


def test_another_item_in_a_place_that_was_filled_shows_at_once(home: Home, alice: Writer) -> None:
    one, two, _ = three(alice)
    home.stored(one, 1)
    home.stored(one, 1)
    assert home.trouble() == ""
    home.stored(two, 1)
    assert home.trouble() == "log_fork"


@pytest.mark.parametrize(("head", "trouble"), [(5, ""), (7, ""), (4, "log_fork")])
def test_a_log_that_is_shorter_than_before_shows_at_once(
    bob: Member, head: int, trouble: str
) -> None:
    bob.rooms.store.run("UPDATE rooms SET cursor = 5")
    bob.syncs(head)
    assert bob.home.trouble() == trouble


def test_a_message_that_comes_eight_days_late_opens(
    home: Home, alice: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    early, late = alice.seal("early", b"1" * 16), alice.seal("late", b"2" * 16)
    home.stored(late.envelope, 2)
    eight_days = NOW + 8 * 24 * 3600 * 1000
    monkeypatch.setattr("crypto_client.client.keys.now_ms", lambda: eight_days)
    monkeypatch.setattr("crypto_client.client.rooms.now_ms", lambda: eight_days)
    home.stored(early.envelope, 1)
    assert home.shown() == [(1, "early", "ok"), (2, "late", "ok")]
