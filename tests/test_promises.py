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


def results() -> dict[str, list[str]]:
    """The cells of docs/faults.md's table, by scenario."""
    text = (ROOT / "docs" / "faults.md").read_text()
    lines = re.findall(r"^\| F\d+ \| `([a-z-]+)`[^|]*\|(.*)\|$", text, re.M)
    return {name: [cell.strip() for cell in cells.split("|")] for name, cells in lines}


def without_a_clean_run() -> set[str]:
    """The scenarios that the page owns up to."""
    text = (ROOT / "docs" / "faults.md").read_text()
    _, _, rest = text.partition("### Open\n")
    return set(re.findall(r"`([a-z-]+)`", rest.partition("\n## ")[0]))


def test_the_page_of_faults_has_a_clean_result_of_every_scenario_or_says_that_there_is_none():
    found = results()

    assert found.keys() | without_a_clean_run() == SCENARIOS.keys()
    assert not found.keys() & without_a_clean_run()
    for name, (attempted, _, stored, *broken) in {n: c[:6] for n, c in found.items()}.items():
        assert int(attempted) > 0, name
        assert (stored, broken) == (attempted, ["0", "0", "0"]), name


def test_the_scenarios_of_every_run_are_eight_of_those_that_there_are():
    assert len(set(ALWAYS)) == 8
    assert set(ALWAYS) <= SCENARIOS.keys()


def test_every_number_of_the_bench_has_a_scenario_but_the_soak():
    assert {each.number for each in SCENARIOS.values()} == {f"F{n}" for n in range(1, 20)}
