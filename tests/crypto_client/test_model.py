"""A room's life drawn at random, and both languages come to the same about it.

Hypothesis draws for Python, fast-check for TypeScript; what each writes down the other replays.
MODEL_RUNS=500 draws more.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.crypto_client.model import Model
from tests.crypto_client.model_reader import Trace, replay
from tests.crypto_client.typescript import bundled, run_lines

pytestmark = pytest.mark.slow

RUNS = int(os.environ.get("MODEL_RUNS", "12"))
STEPS = 30
numbers = st.integers(0, 29)


class Drawn(RuleBasedStateMachine):
    """Whatever Hypothesis draws; each finished run leaves its trace."""

    traces: ClassVar[list[Trace]] = []

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()

    @rule(who=numbers)
    def send(self, who: int) -> None:
        self.model.send(who)

    @rule(who=numbers)
    def rotate(self, who: int) -> None:
        self.model.rotate(who)

    @rule(who=numbers)
    def add(self, who: int) -> None:
        self.model.add(who)

    @rule(who=numbers)
    def remove(self, who: int) -> None:
        self.model.remove(who)

    @rule(who=numbers)
    def leave(self, who: int) -> None:
        self.model.leave(who)

    @rule(who=numbers)
    def link(self, who: int) -> None:
        self.model.link(who)

    @rule(who=numbers)
    def revoke(self, who: int) -> None:
        self.model.revoke(who)

    @rule(one=numbers, other=numbers)
    def race(self, one: int, other: int) -> None:
        self.model.race(one, other)

    @rule(who=numbers, at=numbers)
    def deliver(self, who: int, at: int) -> None:
        self.model.deliver(who, at)

    @rule(who=numbers, at=numbers)
    def repeat(self, who: int, at: int) -> None:
        self.model.repeat(who, at)

    @rule(who=numbers, at=numbers)
    def drop(self, who: int, at: int) -> None:
        self.model.drop(who, at)

    @rule(who=numbers)
    def keep(self, who: int) -> None:
        self.model.keep(who)

    @rule(who=numbers, at=numbers)
    def restart(self, who: int, at: int) -> None:
        self.model.restart(who, at)

    @invariant()
    def what_must_hold(self) -> None:
        self.model.check()

    def teardown(self) -> None:
        self.model.finish()
        self.traces.append(self.model.finished_trace())


def test_what_python_lived_through_typescript_sees_alike(tmp_path: Path) -> None:
    Drawn.traces.clear()
    run_state_machine_as_test(
        Drawn,
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    judge = bundled("model_judge", tmp_path)
    judged = run_lines(judge, Drawn.traces)
    expected = [[step["came"] for step in trace["steps"]] for trace in Drawn.traces]
    assert sum(map(len, expected)) > 10 * RUNS
    assert judged == expected


def test_what_typescript_lived_through_python_sees_alike(tmp_path: Path) -> None:
    scribe = bundled("model_scribe", tmp_path)
    drawn = subprocess.run(
        ["node", scribe, str(RUNS)], capture_output=True, text=True, check=True
    ).stdout
    traces = [json.loads(line) for line in drawn.splitlines()]
    assert len(traces) == RUNS
    for trace in traces:
        assert [step["came"] for step in trace["steps"]] == replay(trace)
