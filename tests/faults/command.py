"""``bin/faults``: break a cluster under people who talk, and count what is lost."""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path

from tests.faults.bench import Bench, benched
from tests.faults.disk import CannotRun
from tests.faults.results import Result, as_result, as_row, write
from tests.faults.scenarios.table import SCENARIOS
from tests.faults.stage import Outcome, Scenario, Stage

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "faults.md"
STAND_IN = "secantusd"
PARTS = {"python", "framework", "database", "queue", "log", "cache"}


def wanted(options: argparse.Namespace) -> Iterator[Scenario]:
    """What to play, in which order; a soak draws by its seed until its time is over."""
    if options.soak:
        draw, ends = random.Random(options.seed), time.monotonic() + 60 * options.soak
        while time.monotonic() < ends:
            yield SCENARIOS[draw.choice(list(SCENARIOS))]
    elif options.all:
        yield from SCENARIOS.values()
    else:
        yield from (SCENARIOS[name] for name in options.names)


def play(bench: Bench, scenario: Scenario, seed: int) -> Outcome | None:
    """One scenario; None when it could not be played, which is a failure and said to be one."""
    bench.heal()
    try:
        return Stage(bench, scenario, seed).play()
    except CannotRun as trouble:
        say(f"{scenario.name}: cannot run here, which counts as failed: {trouble}")
    except Exception as trouble:
        say(f"{scenario.name}: failed: {type(trouble).__name__}: {trouble}")
        traceback.print_exc()
    return None


def about(bench: Bench, options: argparse.Namespace) -> str:
    """What the figures were measured on."""
    rows = [json.loads(line) for line in bench.manage("doctor", "--json").stdout.splitlines()]
    parts = [f"{row['uses']} {row['version']}" for row in rows if row["part"] in PARTS]
    if STAND_IN in " ".join(bench.services["mongodb"].command):
        parts.append(f"the log on SecantusDB {version('secantusdb')} in the place of MongoDB")
    return f"Seed {options.seed}; {os.cpu_count()} cores; {', '.join(parts)}."


def say(text: str) -> None:
    """One line for the person at the terminal."""
    sys.stderr.write(f"bin/faults: {text}\n")
    sys.stderr.flush()


def parsed(words: list[str]) -> argparse.Namespace:
    """What is to be played; ends with 2 when the words do not say it."""
    parser = argparse.ArgumentParser(prog="bin/faults", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(SCENARIOS))
    parser.add_argument("--all", action="store_true", help="every scenario, once")
    parser.add_argument("--soak", type=float, metavar="MINUTES", help="scenarios drawn by the seed")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(16))
    parser.add_argument("--write", action="store_true", help="put the table into docs/faults.md")
    options = parser.parse_args(words)
    if unknown := set(options.names) - SCENARIOS.keys():
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    if not (options.all or options.soak or options.names):
        parser.error("name scenarios, or --all, or --soak MINUTES")
    return options


def run(options: argparse.Namespace) -> int:
    """How many scenarios could not be played or were not clean."""
    results: list[Result] = []
    failed = 0
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="gamrae-faults-"))
        bench = stack.enter_context(benched(Path(folder), options.seed))
        said = about(bench, options)
        for scenario in wanted(options):
            outcome = play(bench, scenario, options.seed)
            failed += outcome is None or not outcome.is_clean
            if outcome is not None:
                results.append(as_result(outcome))
                sys.stdout.write(json.dumps(results[-1]) + "\n")
                sys.stdout.flush()
    if options.write:
        write(PAGE, said, results)
    sys.stderr.write("\n".join([*map(as_row, results), ""]))
    say(f"{len(results)} played, {failed} failed")
    return failed


def main() -> int:
    """0 when everything was played and nothing was lost, doubled or moved."""
    options = parsed(sys.argv[1:])
    say(f"seed {options.seed}")
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # and leave nothing
    return 1 if run(options) else 0
