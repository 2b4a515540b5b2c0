"""What bin/faults plays, and the table that it writes."""

import argparse
from itertools import islice

import pytest

from tests.faults.checker import Verdict
from tests.faults.command import parsed, wanted
from tests.faults.results import BEGIN, END, as_result, write
from tests.faults.scenarios.table import SCENARIOS
from tests.faults.stage import Outcome

CLEAN = Verdict(9, 8, 9, 0, 0, 0, 0, 0)


def options(*words):
    return parsed(list(words))


def played(given: argparse.Namespace, count: int = 100):
    return [scenario.name for scenario in islice(wanted(given), count)]


def outcome(name, verdict=CLEAN, noticed=None):
    return Outcome(SCENARIOS[name], 7, 12.0, verdict, noticed, 3.0, 4, 1, 160.4, ())


def test_all_are_played_once_in_the_order_of_their_numbers():
    assert played(options("--all")) == list(SCENARIOS)


def test_only_those_that_are_named_are_played():
    assert played(options("poison", "log-cut")) == ["poison", "log-cut"]


def test_a_soak_is_drawn_by_its_seed():
    first = played(options("--soak", "5", "--seed", "7"), 20)

    assert first == played(options("--soak", "5", "--seed", "7"), 20)
    assert first != played(options("--soak", "5", "--seed", "8"), 20)


@pytest.mark.parametrize("words", [(), ("no-such-scenario",), ("--soak", "long")])
def test_words_that_do_not_say_what_to_play_are_refused(words, capsys):
    with pytest.raises(SystemExit, match="2"):
        options(*words)


def test_only_a_run_without_a_loss_and_without_a_complaint_is_clean():
    lost = Verdict(9, 8, 8, 1, 0, 0, 0, 0)

    assert outcome("poison").is_clean
    assert not outcome("poison", lost).is_clean


def test_the_table_takes_the_place_of_the_old_one(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n\n{BEGIN}\n\nold\n\n{END}\n\nafter\n")

    write(page, "Measured here.", [as_result(outcome("poison", noticed=2.24))])

    text = page.read_text()
    assert text.startswith("before")
    assert text.endswith("after\n")
    assert "old" not in text
    assert "Measured here." in text
    assert "| 9 | 8 | 9 | 0 | 0 | 0 | 2.2 s | 3.0 s | 4 | 1 | 160 | 7 |" in text
