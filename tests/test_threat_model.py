"""The table of attacks in docs/threat-model.md names tests that are there, in both languages."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def rows() -> list[tuple[str, str, str]]:
    """(attack, its test in TypeScript, its test in Python) of each row."""
    text = (ROOT / "docs/threat-model.md").read_text(encoding="utf-8")
    _, _, table = text.partition("| attack | what happens | in TypeScript | in Python |\n")
    lines = table[: table.index("\n\n")].splitlines()[1:]
    cells = [line.strip("|").split(" | ") for line in lines]
    return [(attack.strip(), theirs.strip(), ours.strip()) for attack, _, theirs, ours in cells]


ROWS = rows()


def vector_exists(cell: str) -> bool:
    name = cell.removeprefix("vector ").strip("`")
    return (ROOT / f"crypto_client/vectors/{name}.json").exists()


def title_exists(cell: str) -> bool:
    found = re.fullmatch(r"`(engine/[a-z_]+)` (.+)", cell)
    assert found, cell
    source = (ROOT / f"frontend/tests/{found[1]}.test.ts").read_text(encoding="utf-8")
    return f'"{found[2]}"' in source


def function_exists(cell: str) -> bool:
    found = re.fullmatch(r"`([a-z_/]+)` `(test_[a-z0-9_]+)`", cell)
    assert found, cell
    source = (ROOT / f"tests/{found[1]}.py").read_text(encoding="utf-8")
    return f"def {found[2]}(" in source


def test_there_is_a_table() -> None:
    assert len(ROWS) > 30


@pytest.mark.parametrize("row", ROWS, ids=[attack for attack, _, _ in ROWS])
def test_an_attack_has_a_test_in_both_languages(row: tuple[str, str, str]) -> None:
    _, theirs, ours = row
    assert vector_exists(theirs) if theirs.startswith("vector ") else title_exists(theirs)
    assert vector_exists(ours) if ours.startswith("vector ") else function_exists(ours)
