"""Every vector, replayed: the outcome and every output must be exactly the stored ones."""

import json
from pathlib import Path

import pytest

import crypto_client.vectors
from crypto_client.errors import OUTCOMES
from crypto_client.vectors.replay import OPS, replay

FOLDER = Path(crypto_client.vectors.__file__).parent
FILES = sorted(FOLDER.glob("*/*.json"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_vector_has_exactly_its_outcome(path: Path) -> None:
    vector = json.loads(path.read_text(encoding="utf-8"))
    assert replay(vector["op"], vector["in"]) == (vector["expect"], vector["out"])


def test_every_outcome_of_this_version_has_a_vector() -> None:
    seen = {json.loads(path.read_text(encoding="utf-8"))["expect"] for path in FILES}
    assert seen == OUTCOMES | {"ok"}


def test_every_operation_is_used_and_described() -> None:
    used = {json.loads(path.read_text(encoding="utf-8"))["op"] for path in FILES}
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert used == set(OPS)
    assert all(f"`{op}`" in readme for op in OPS)
