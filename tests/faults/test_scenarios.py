"""Eight ways in which a cluster breaks under people who talk: nothing is lost, doubled or moved.

The others, and a soak, are played by `bin/faults`; docs/faults.md holds what they gave.
"""

import random

import pytest

from tests.faults.bench import benched
from tests.faults.scenarios.table import ALWAYS, SCENARIOS
from tests.faults.stage import Stage

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    with benched(tmp_path_factory.mktemp("bench"), seed=0) as made:
        yield made


@pytest.mark.parametrize("name", ALWAYS)
def test_whatever_breaks_nothing_is_lost_doubled_or_moved(bench, name):
    bench.heal()

    outcome = Stage(bench, SCENARIOS[name], seed=random.getrandbits(16)).play()

    assert outcome.verdict.attempted > 10
    assert outcome.is_clean, outcome
