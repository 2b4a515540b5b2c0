"""The canary: a phrase goes through everything that carries words, and lies nowhere afterwards."""

import base64
import signal
import sqlite3
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.cli.terminal import Terminal
from tests.e2e.conftest import SWITCHES, chromium
from tests.e2e.person import DESKTOP, Person
from tests.e2e.watch import Watch

pytestmark = pytest.mark.slow


def forms(phrase: str) -> list[bytes]:
    """The phrase as it could lie somewhere: three encodings, and base64 at each of its offsets."""
    found = [phrase.encode(), phrase.encode("utf-16-le"), phrase.encode().hex().encode()]
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + phrase.encode())
        # The first and the last group also depend on the neighbours.
        inner = whole[4 * (shift > 0) : -4]
        found += [inner, inner.replace(b"+", b"-").replace(b"/", b"_")]
    return found


def rows(database: Path) -> Iterator[tuple[str, bytes]]:
    """Every value of every table, with the table's name."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        for (table,) in tables.fetchall():
            for row in connection.execute(f'SELECT * FROM "{table}"'):  # noqa: S608
                for value in row:
                    text = value if isinstance(value, bytes) else str(value).encode()
                    yield f"table {table}", text


def files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below a folder."""
    for path in folder.rglob("*"):
        if path.is_file():
            yield str(path.relative_to(folder)), path.read_bytes()


def places_of(phrase: str, places: Iterator[tuple[str, bytes]]) -> set[str]:
    """Where the phrase lies in any of its forms."""
    wanted = forms(phrase)
    return {name for name, content in places if any(form in content for form in wanted)}


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


def speak_of(phrase: str, alice: Person, bob: Terminal) -> str:
    """Let the phrase pass through titles, messages and drafts in both clients; gives a room."""
    alice.make_group(f"first {phrase}", "bob")
    room = alice.room_id
    alice.say(f"browser says {phrase}")
    alice.expect_stored(f"browser says {phrase}")
    assert bob.reads(room) == [f"browser says {phrase}"]
    bob("send", room, f"terminal says {phrase}", "--wait", "stored")
    expect(alice.bubble(f"terminal says {phrase}")).to_be_visible()
    rename(alice, f"second {phrase}")
    assert bob("room", "list").row["title"] == f"second {phrase}"
    assert bob("room", "group", f"third {phrase}", alice.email).status == 0
    alice.composer.fill(f"not yet sent {phrase}")
    alice.show("Friends")
    alice.enter(f"second {phrase}")
    expect(alice.composer).to_have_value(f"not yet sent {phrase}")
    return room


def rename(person: Person, title: str) -> None:
    """Give the open room another title."""
    person.open_details().get_by_role("button", name="Rename").click()
    field = person.dialog("Rename the chat").get_by_role("textbox")
    field.fill(title)
    field.press("Enter")
    person.expect_room(title)


def test_what_was_said_lies_nowhere_on_the_server_nor_in_the_browsers_files(
    alice, bob, site, tmp_path
):
    phrase = f"kanarienvogel-{uuid.uuid4().hex}-카나리아"

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
