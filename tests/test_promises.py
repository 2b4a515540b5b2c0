"""The README's promises name tests that exist."""

import re
from pathlib import Path

import pytest

from tests.faults.scenarios.table import ALWAYS, SCENARIOS

ROOT = Path(__file__).resolve().parent.parent
PROMISES = [f"P{number}" for number in range(1, 9)]


def shown_by() -> dict[str, list[str]]:
    """What the table names for each promise."""
    rows = re.findall(r"^\| (P\d) \|[^|]*\|([^|]*)\|$", (ROOT / "README.md").read_text(), re.M)
    return {number: re.findall(r"`([^`]+)`", cell) for number, cell in rows}


def test_all_eight_promises_are_made():
    assert list(shown_by()) == PROMISES


@pytest.mark.parametrize("promise", PROMISES)
def test_what_a_promise_names_is_a_test_or_a_scenario(promise):
    named = shown_by()[promise]
    tests = [name for name in named if "::" in name]

    assert named
    for name in tests:
        path, _, function = name.partition("::")
        assert f"def {function}(" in (ROOT / path).read_text(), name
    assert {*named} - {*tests} <= SCENARIOS.keys()


def test_the_scenarios_of_every_run_are_eight_of_those_that_there_are():
    assert len(set(ALWAYS)) == 8
    assert set(ALWAYS) <= SCENARIOS.keys()


def test_every_number_of_the_bench_has_a_scenario_but_the_soak():
    assert {each.number for each in SCENARIOS.values()} == {f"F{n}" for n in range(1, 20)}
