"""People live through their accounts, and nothing of them is in the server's log."""

import json
import re
import sqlite3

import pytest

from tests.cli.homes import another_home
from tests.cli.linking import linked
from tests.cli.terminal import Terminal
from tests.e2e.site import Site
from tests.flows.canary import new_phrase

pytestmark = pytest.mark.slow

OCCURRED = {"device_added", "reset_begun", "reset_vetoed"}


@pytest.fixture
def site(tmp_path):
    """A server that writes its log for programs, as deployers run it."""
    made = Site(tmp_path / "server", LOG_FORMAT="json", LOG_LEVEL="INFO")
    made.manage("migrate", "--verbosity", "0")
    yield made.start()
    made.stop()


@pytest.fixture
def terminal(site, tmp_path, capsys):
    def make(name):
        email = f"{name}-{new_phrase()[:30]}@example.org"
        return Terminal(name, email, site.address, tmp_path / name, capsys).sign_up()

    return make


def of_the_database(site):
    """Secrets and private things as the server has them."""
    with sqlite3.connect(f"file:{site.data / 'gamrae.sqlite3'}?mode=ro", uri=True) as rows:
        sessions = rows.execute("SELECT session_key FROM django_session").fetchall()
        passwords = rows.execute("SELECT password FROM accounts_user").fetchall()
    return {value for (value,) in (*sessions, *passwords)}


def test_a_log_says_what_happened_and_nothing_of_anybody(site, terminal, monkeypatch):
    phrase = new_phrase()
    alice, bob = terminal("alice"), terminal("bob")
    alice("profile", "--name", f"nick {phrase}"[:40], "--status", phrase)
    alice.befriend(bob)
    room = alice("room", "group", f"title {phrase}", bob.email).row["room_id"]
    assert alice("send", room, f"text {phrase}", "--wait", "stored").row["state"] == "stored"
    assert bob.reads(room) == [f"text {phrase}"]
    linked(alice, monkeypatch)
    lost = another_home(bob)
    begun = lost("account", "reset", "begin", "--password", bob.password)
    assert begun.row["state"] == "waiting"
    assert bob("account", "reset", "veto").status == 0
    assert alice("sign-in", alice.email, "--password", "a wrong guess").status == 1

    lines = [json.loads(line) for line in site.complained_to.read_text().splitlines()]
    said = site.complained_to.read_text() + site.said_to.read_text()

    codes = {line.get("code") for line in lines}
    assert codes >= OCCURRED
    assert {line["code"] for line in lines if "request" in line} >= {"device_added", "reset_begun"}
    private = {phrase, alice.email, bob.email, alice.password, bob.password, "a wrong guess"}
    private |= of_the_database(site)
    assert len(private) > 8
    assert [each for each in private if each in said] == []
    assert not re.search(r"@example|/api/|/accounts/|kanarienvogel", said)
