"""The checker finds what it is there for: one message lost, doubled, moved, invented or changed."""

from dataclasses import replace

import pytest

from tests.faults.checker import Row, judge
from tests.faults.journal import Sent

GARDEN = b"garden"
NAMES = ("alice", "bob")
SENT = [Sent(b"m%d" % n, GARDEN, "alice", f"text {n}", 1.0, 2.0, 3.0) for n in (1, 2, 3)]
LOG = [Row(n, b"m%d" % n) for n in (1, 2, 3)]
VIEW = [Row(n, b"m%d" % n, f"text {n}") for n in (1, 2, 3)]


def verdict(sent=SENT, log=LOG, view=VIEW):
    """What is said when bob sees this view and alice sees all."""
    views = {"alice": {GARDEN: VIEW}, "bob": {GARDEN: view}}
    return judge(sent, {GARDEN: log}, views, {GARDEN: set(NAMES)})


def broken(**given):
    """What is not 0 of what should be."""
    found = verdict(**given)
    names = ("lost", "duplicated", "disordered", "unexpected", "unreadable")
    return {name for name in names if getattr(found, name)}


def test_what_everybody_has_in_one_order_is_clean():
    found = verdict()

    assert found.is_clean
    assert (found.attempted, found.accepted, found.stored) == (3, 3, 3)


@pytest.mark.parametrize("accepted", [0.0, 2.0])
def test_what_is_not_in_the_log_is_lost_whatever_its_sender_was_told(accepted):
    gone = [*SENT, Sent(b"m4", GARDEN, "bob", "text 4", 1.0, accepted)]

    assert broken(sent=gone) == {"lost"}


def test_what_one_person_does_not_see_is_lost():
    assert broken(view=VIEW[:2]) == {"lost"}


def test_a_message_twice_in_the_log_is_doubled():
    assert "duplicated" in broken(log=[*LOG, Row(4, b"m3")])


def test_a_message_shown_twice_is_doubled():
    assert "duplicated" in broken(view=[*VIEW, replace(VIEW[2], seq=4)])


def test_two_places_exchanged_are_out_of_order():
    exchanged = [VIEW[1], VIEW[0], VIEW[2]]
    swapped = [replace(VIEW[0], seq=2), replace(VIEW[1], seq=1), VIEW[2]]

    assert broken(view=exchanged) == broken(view=swapped) == {"disordered"}


def test_a_place_taken_twice_in_the_log_is_out_of_order():
    assert "disordered" in broken(log=[LOG[0], LOG[1], replace(LOG[2], seq=2)])


def test_what_is_shown_and_has_no_place_is_out_of_order():
    assert broken(view=[*VIEW[:2], replace(VIEW[2], seq=None)]) == {"disordered"}


def test_a_message_that_nobody_wrote_is_unexpected():
    assert broken(sent=SENT[:2]) == {"unexpected"}


@pytest.mark.parametrize("text", [None, "another text"])
def test_what_does_not_open_or_opens_as_something_else_is_unreadable(text):
    assert broken(view=[*VIEW[:2], replace(VIEW[2], text=text)]) == {"unreadable"}
