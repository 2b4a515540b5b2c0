"""The relational tests of the solo profile, once more on MariaDB or MySQL."""

import os
import re
import subprocess
import sys

import pytest

from tests.cluster.processes import on_database
from tests.e2e.site import ROOT

pytestmark = pytest.mark.slow

# Those that start processes of their own over SQLite's file: what of them depends on a database
# has its twin in this folder.
OVER_A_FILE = (
    "tests/messaging/test_conformance.py",
    "tests/messaging/test_drain.py",
    "tests/messaging/test_endings.py",
    "tests/messaging/test_metrics.py",
    "tests/messaging/test_serve.py",
)


# As the first suite runs them: the other core would only watch.
BOTH_CORES = ("-n", "2", "--dist", "loadfile")
ONE_BY_ONE = ("-p", "no:xdist")


def run_over(addresses, namespace, *words, how=BOTH_CORES):
    """Run pytest over the database server; gives how many tests passed, and what was said."""
    url = on_database(addresses["DATABASE_URL"], f"{namespace}_rows")
    own = {"DATABASE_URL": url, "GAMRAE_PROFILE": "solo"}
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *how, *words],
        cwd=ROOT,
        env={**os.environ, **own},
        capture_output=True,
        text=True,
    )
    counted = re.search(r"^(\d+) passed", ran.stdout, re.M)
    return int(counted[1]) if counted and ran.returncode == 0 else 0, ran.stdout[-3000:]


def test_people_friends_and_rooms_are_kept_by_the_same_rules(addresses, namespace):
    passed, said = run_over(addresses, namespace, "tests/accounts", "tests/friends", "tests/rooms")

    assert passed > 300, said


def test_what_happens_at_once_ends_as_if_one_after_the_other(addresses, namespace):
    for _ in range(3):
        races = "tests/rooms/test_races.py"
        passed, said = run_over(addresses, namespace, races, how=ONE_BY_ONE)

        assert passed > 0, said


def test_messages_are_accepted_and_read_by_the_same_rules(addresses, namespace):
    ignored = [word for path in OVER_A_FILE for word in ("--ignore", path)]
    passed, said = run_over(addresses, namespace, "tests/messaging", *ignored)

    assert passed > 300, said
