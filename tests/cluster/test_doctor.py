"""What an operator sees of the services."""

import json
import os
import subprocess
import sys

import pytest

from tests.cluster.gateway import Gateway
from tests.e2e.site import ROOT

pytestmark = pytest.mark.slow


def findings(settings, folder):
    """part → what `manage.py doctor --json` says of it."""
    own = {"GAMRAE_PROFILE": "cluster", "SECRET_KEY": "k" * 40, "GAMRAE_DATA": str(folder)}
    ran = subprocess.run(
        [sys.executable, "manage.py", "doctor", "--json"],
        cwd=ROOT,
        env={**os.environ, **settings, **own},
        capture_output=True,
        text=True,
    )
    rows = [json.loads(line) for line in ran.stdout.splitlines()]
    return {row["part"]: row for row in rows}


def test_the_doctor_names_the_version_of_each_service(addresses, tmp_path):
    found = findings(addresses, tmp_path)

    for part in ("database", "queue", "log", "cache"):
        assert found[part]["ok"], found[part]
        assert found[part]["version"][0].isdigit(), found[part]


def test_the_doctor_says_which_service_does_not_answer(addresses, tmp_path):
    doors = {name: Gateway(addresses[name]) for name in ("BROKER_URL", "REDIS_URL")}
    for door in doors.values():
        door.shut()

    found = findings({**addresses, **{name: door.url for name, door in doors.items()}}, tmp_path)

    assert (found["queue"]["ok"], found["log"]["ok"]) == (False, True)
    assert (found["cache"]["ok"], found["database"]["ok"]) == (False, True)
