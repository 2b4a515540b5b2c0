"""A phrase that nobody else says: passed through everything that carries words, and looked for."""

import base64
import uuid
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import expect

from tests.cli.terminal import Terminal
from tests.e2e.person import Person


def new_phrase() -> str:
    """A phrase that is said for the first time."""
    return f"kanarienvogel-{uuid.uuid4().hex}-카나리아"


def forms(phrase: str) -> list[bytes]:
    """The phrase as it could lie somewhere: three encodings, and base64 at each of its offsets."""
    found = [phrase.encode(), phrase.encode("utf-16-le"), phrase.encode().hex().encode()]
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + phrase.encode())
        # The first and the last group also depend on the neighbours.
        inner = whole[4 * (shift > 0) : -4]
        found += [inner, inner.replace(b"+", b"-").replace(b"/", b"_")]
    return found


def files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below a folder."""
    for path in folder.rglob("*"):
        if path.is_file():
            yield str(path.relative_to(folder)), path.read_bytes()


def places_of(phrase: str, places: Iterator[tuple[str, bytes]]) -> set[str]:
    """Where the phrase lies in any of its forms."""
    wanted = forms(phrase)
    return {name for name, content in places if any(form in content for form in wanted)}


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
