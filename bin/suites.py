"""Runs the test suites one after the other and adds up what they report.

    bin/suites.py [--fast] [-k EXPRESSION]

Started by bin/test. Each suite writes a JUnit report; a suite that ends without one, without a
test or with a skipped test has failed. Every process that a suite leaves behind is ended.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
LAST_CALL_SECONDS = 5
PR_SET_CHILD_SUBREAPER = 36
PYTEST_FOUND_NO_TEST = 5
BROKEN = ("failure", "error")

PARALLEL = ("-n", "2", "--dist", "loadfile")
ONE_BY_ONE = ("-p", "no:xdist")


@dataclass(frozen=True)
class Suite:
    """One run of a test program; ``folders`` that are missing make it a failure."""

    name: str
    command: tuple[str, ...]
    folders: tuple[str, ...]


@dataclass(frozen=True)
class Count:
    """How many tests passed and how many did not."""

    passed: int = 0
    failed: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(self.passed + other.passed, self.failed + other.failed)

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed"


def pytest_suite(name: str, folder: str, *options: str) -> Suite:
    return Suite(name, (sys.executable, "-m", "pytest", folder, *options), (folder,))


def suites(fast: bool, expression: str | None) -> list[Suite]:
    """Choose the suites of a run, quick ones first."""
    narrowed = ("-k", expression) if expression else ()
    heavy = ("--ignore", "tests/cluster", "--ignore", "tests/e2e", "--ignore", "tests/faults")
    quick = ("-m", "not slow") if fast else ()
    chosen = [pytest_suite("python", "tests", *PARALLEL, *heavy, *quick, *narrowed)]
    if not expression:
        # The engine's tests play several people against a server in memory: most of vitest's time.
        played = ("--exclude", "tests/engine/**") if fast else ()
        frontend = (sys.executable, "bin/frontend.py", "npx", "vitest", "run", *played)
        chosen.insert(0, Suite("typescript", frontend, ("frontend",)))
    if not fast:
        chosen.append(pytest_suite("faults", "tests/faults", *ONE_BY_ONE, *narrowed))
        # Each worker of these has servers of its own, and mostly waits for them.
        chosen.append(pytest_suite("cluster", "tests/cluster", *PARALLEL, *narrowed))
        chosen.append(pytest_suite("browser", "tests/e2e", *PARALLEL, *narrowed))
    return chosen


def report_options(suite: Suite, report: Path) -> list[str]:
    """Name the options that make this suite's program write its JUnit report."""
    if suite.name == "typescript":
        return ["--reporter=default", "--reporter=junit", f"--outputFile.junit={report}"]
    return ["--junit-xml", str(report)]


def read_report(report: Path) -> tuple[Count, list[str]]:
    """Count a JUnit report's cases; skipped ones have failed, and are returned by name."""
    cases = list(ElementTree.parse(report).iter("testcase"))  # noqa: S314  (our own tools wrote it)
    skipped = [case for case in cases if case.find("skipped") is not None]
    broken = [case for case in cases if any(case.find(tag) is not None for tag in BROKEN)]
    failed = len(skipped) + len(broken)
    names = [f"{case.get('classname')}: {case.get('name')}" for case in skipped]
    return Count(len(cases) - failed, failed), names


def judge(suite: Suite, code: int, report: Path, narrowed: bool) -> Count:
    """Turn an exit status and a report into a count that never looks better than it was."""
    if narrowed and code == PYTEST_FOUND_NO_TEST:
        return Count()
    if not report.is_file() or report.stat().st_size == 0:
        say(f"{suite.name}: ended with status {code} and without a report")
        return Count(failed=1)
    count, skipped = read_report(report)
    for name in skipped:
        say(f"{suite.name}: skipped, which counts as failed: {name}")
    if count == Count():
        say(f"{suite.name}: found no test")
        return Count(failed=1)
    if code and not count.failed:
        say(f"{suite.name}: ended with status {code} though every test passed")
        return count + Count(failed=1)
    return count


def run_suite(suite: Suite, scratch: Path, narrowed: bool) -> Count:
    missing = [folder for folder in suite.folders if not (ROOT / folder).is_dir()]
    if missing:
        say(f"{suite.name}: {missing[0]} is not there")
        return Count(failed=1)
    report = scratch / f"{suite.name}.xml"
    say(f"{suite.name}: starting")
    started = time.monotonic()
    try:
        process = subprocess.Popen(
            [*suite.command, *report_options(suite, report)],
            cwd=ROOT,
            env=environment(scratch),
            stdin=subprocess.DEVNULL,
        )
        code = process.wait()
    finally:
        end_descendants(suite.name)
    count = judge(suite, code, report, narrowed)
    say(f"{suite.name}: {count} in {time.monotonic() - started:.0f} s")
    return count


def environment(scratch: Path) -> dict[str, str]:
    """Give the suites a data folder of their own, away from the one bin/run uses."""
    return {**os.environ, "GAMRAE_DATA": str(scratch / "data"), "TMPDIR": str(scratch)}


def adopt_orphans() -> None:
    """Become the parent of every process whose own parent ends (Linux), so none can slip away."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants() -> dict[int, str]:
    """Map the living processes below this one to their command lines (Linux only)."""
    parents: dict[int, int] = {}
    commands: dict[int, str] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            command = (folder / "cmdline").read_text().replace("\0", " ").strip()
        except OSError:
            continue
        parents[int(folder.name)] = int(parent)
        if state != "Z":
            commands[int(folder.name)] = command
    return {pid: commands[pid] for pid in commands if _is_below(pid, parents)}


def _is_below(pid: int, parents: dict[int, int]) -> bool:
    while pid in parents:
        pid = parents[pid]
        if pid == os.getpid():
            return True
    return False


def end_descendants(name: str) -> None:
    """End what a suite left running: first wait a moment, then ask, then insist."""
    wait_until_alone()
    for number in (signal.SIGTERM, signal.SIGKILL):
        left = descendants()
        for pid, command in left.items():
            say(f"{name}: ending what it left behind: {pid} {command[:100]}")
        send(number, left)
        if left:
            wait_until_alone()


def send(number: signal.Signals, pids: Iterable[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def wait_until_alone() -> None:
    deadline = time.monotonic() + LAST_CALL_SECONDS
    while descendants() and time.monotonic() < deadline:
        time.sleep(0.05)
    reap()


def reap() -> None:
    """Collect the adopted processes that have ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue
    except ChildProcessError:
        return


def say(text: str) -> None:
    print(f"bin/test: {text}", flush=True)


def stop(number: int, _frame: FrameType | None) -> NoReturn:
    """End at once when told to, and take everything along."""
    send(signal.SIGTERM, descendants())
    sys.exit(128 + number)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bin/test", description=__doc__)
    parser.add_argument(
        "--fast", action="store_true", help="without browser, faults, cluster, slow tests"
    )
    parser.add_argument("-k", metavar="EXPRESSION", help="only Python tests that match")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    adopt_orphans()
    total = Count()
    with tempfile.TemporaryDirectory(prefix="gamrae-test-", ignore_cleanup_errors=True) as scratch:
        for suite in suites(options.fast, options.k):
            total += run_suite(suite, Path(scratch), narrowed=bool(options.k))
    if total == Count():
        say("no test matched")
        total = Count(failed=1)
    print(total, flush=True)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
