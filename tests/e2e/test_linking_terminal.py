"""A browser links a terminal's home, and a terminal links a browser: one protocol, two readings."""

import uuid

import pytest
from playwright.sync_api import expect

from tests.cli.homes import another_home
from tests.cli.linking import accept, show_and
from tests.cli.terminal import Terminal

PROFILES = ("solo",)  # a terminal's way through the proxy has tests of its own


@pytest.fixture
def terminal(site, tmp_path, capsys):
    """Make somebody at a terminal of the module's server."""

    def make(name, email=None):
        email = email or f"{name}.{uuid.uuid4().hex[:10]}@example.org"
        return Terminal(name, email, site.address, tmp_path / name, capsys)

    return make


def test_a_browser_is_linked_by_a_terminal(terminal, visitor):
    home = terminal("alice").sign_up()
    bob = terminal("bob").sign_up()
    home.befriend(bob)
    room = home("room", "direct", bob.email).row["room_id"]
    assert home("send", room, "typed in a terminal", "--wait", "stored").status == 0
    browser = visitor("alice")
    browser.email, browser.password = home.email, home.password
    browser.sign_in()
    browser.button("Show a code").click()
    digits = browser.page.locator(".link-compare").inner_text()
    code = browser.page.locator(".link-code").inner_text()

    assert accept(home, code, "--compare", digits).status == 0

    browser.expect_chat()
    browser.enter("bob")
    browser.expect_reads("typed in a terminal")


def test_a_terminal_is_linked_by_a_browser(terminal, alice, bob, monkeypatch):
    alice.open_direct(bob.name)
    alice.say("typed in a browser")
    alice.expect_stored("typed in a browser")
    room = alice.room_id
    words = alice.write_down()
    first = terminal("alice", alice.email)
    first.password = alice.password
    home = another_home(first)

    def link(code, digits):
        alice.show("Me")
        alice.button("Link a device").click()
        dialog = alice.dialog("Link a new device")
        dialog.get_by_label("Link code").fill(code)
        dialog.get_by_role("button", name="Next").click()
        expect(dialog.locator(".link-compare")).to_have_text(f"{digits[:3]} {digits[3:]}")
        dialog.get_by_label("Recovery key").fill(words)
        dialog.get_by_role("button", name="Link", exact=True).click()
        expect(dialog).to_have_count(0)

    assert show_and(home, link, monkeypatch).row["refused"] == {}

    assert home.reads(room) == ["typed in a browser"]
