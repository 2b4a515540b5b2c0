"""What the benchmarks count, and that nothing of them stays behind."""

import os
import signal
import time

import pytest

from benchmarks.accounting import cpu_seconds, group_cpu_seconds, resident_bytes
from benchmarks.apart import apart
from benchmarks.tally import Tally


@pytest.fixture
def tally():
    """Two messages to two sockets, sent at 10 s and 11 s."""
    return Tally(numbers={"first": 0, "second": 1}, expected=4, sent=[10.0, 11.0])


def test_a_delivery_takes_from_the_sending_to_the_arrival(tally):
    tally.delivered(set(), "second", 11.5)

    assert tally.delivery == [0.5]
    assert tally.lost == 3


def test_a_message_that_comes_again_on_one_socket_makes_up_for_no_lost_one(tally):
    one: set[int] = set()
    other: set[int] = set()
    for seen, envelope in ((one, "first"), (one, "first"), (other, "first"), (other, "second")):
        tally.delivered(seen, envelope, 12.0)

    assert (tally.lost, tally.duplicates) == (1, 1)
    assert not tally.all_delivered.is_set()


def test_all_is_delivered_when_every_socket_has_every_message(tally):
    for _ in ("one socket", "another"):
        seen: set[int] = set()
        for envelope in tally.numbers:
            tally.delivered(seen, envelope, 12.0)

    assert tally.all_delivered.is_set()
    assert (tally.lost, tally.duplicates) == (0, 0)


def test_the_account_of_a_process_is_what_it_says_of_itself():
    before = time.process_time()
    found = cpu_seconds(os.getpid())
    after = time.process_time()

    assert before <= found <= after
    assert group_cpu_seconds([os.getpgrp()]) >= found
    assert resident_bytes(os.getpid()) > 1_000_000


def own_pid():
    return os.getpid()


def told_to_end():
    os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.slow
def test_a_case_runs_in_a_process_of_its_own():
    assert apart(own_pid) != os.getpid()


@pytest.mark.slow
def test_a_case_that_is_told_to_end_unwinds_what_is_open():
    with pytest.raises(SystemExit):
        apart(told_to_end)
