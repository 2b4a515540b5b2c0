"""The canary: a phrase goes through everything that carries words, and lies nowhere afterwards."""

import base64
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.cli.terminal import Terminal
from tests.e2e.conftest import SWITCHES, chromium
from tests.e2e.person import DESKTOP, Person
from tests.e2e.watch import Watch
from tests.flows.canary import files, new_phrase, places_of, speak_of

pytestmark = pytest.mark.slow


def rows(database: Path) -> Iterator[tuple[str, bytes]]:
    """Every value of every table, with the table's name."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        for (table,) in tables.fetchall():
            for row in connection.execute(f'SELECT * FROM "{table}"'):  # noqa: S608
                for value in row:
                    text = value if isinstance(value, bytes) else str(value).encode()
                    yield f"table {table}", text


@pytest.fixture
def alice(playwright, site, tmp_path):
    """alice in a browser whose profile is kept on disk."""
    context = playwright.chromium.launch_persistent_context(
        tmp_path / "profile",
        executable_path=chromium(),
        args=list(SWITCHES),
        locale="en-US",
        viewport=DESKTOP,
    )
    context.set_default_timeout(20_000)
    watch = Watch(context, site.address)
    alice = Person("alice", "alice@example.org", context, site, watch, context.pages[0])
    yield alice.sign_up()
    context.close()
    assert watch.problems == []


@pytest.fixture
def bob(site, alice, tmp_path, capsys):
    """bob at a terminal, a friend of alice."""
    bob = Terminal("bob", "bob@example.org", site.address, tmp_path / "bob", capsys).sign_up()
    alice.ask_friend(bob.email)
    assert bob("friend", "accept", alice.email).status == 0
    expect(alice.friend("bob")).to_be_visible()
    return bob


def test_what_was_said_lies_nowhere_on_the_server_nor_in_the_browsers_files(
    alice, bob, site, tmp_path
):
    phrase = new_phrase()

    speak_of(phrase, alice, bob)
    alice.context.close()
    site.end(signal.SIGTERM)

    # The search itself works: bob's own folder, which may be read by its owner, has the phrase.
    assert places_of(phrase, files(bob.home)) != set()
    database = site.data / "gamrae.sqlite3"
    assert places_of(alice.email, rows(database)) != set()
    assert places_of(phrase, rows(database)) == set()
    assert b"GET" in site.complained_to.read_bytes()
    assert places_of(phrase, files(tmp_path / "server")) == set()
    profile = tmp_path / "profile"
    assert any("IndexedDB" in name for name, _ in files(profile))
    assert places_of(phrase, files(profile)) == set()


@pytest.mark.parametrize("shift", [b"", b"x", b"xy"])
def test_the_search_finds_a_phrase_in_every_form(shift):
    phrase = "kanarienvogel"
    contents = [
        b"before " + phrase.encode() + b" after",
        phrase.encode("utf-16-le"),
        base64.b64encode(shift + phrase.encode() + b"rest"),
        base64.urlsafe_b64encode(shift + phrase.encode() + b"rest"),
        phrase.encode().hex().encode(),
    ]
    for content in contents:
        assert places_of(phrase, iter([("here", content)])) == {"here"}
    assert places_of(phrase, iter([("here", b"a silent bird")])) == set()
