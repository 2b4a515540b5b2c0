"""Writing with every hand: hostile texts, Korean input, the keyboard alone, the command line."""

import re
import uuid

import pytest
from playwright.sync_api import expect

from tests.cli.terminal import Terminal

HOSTILE = [
    "<img src=x onerror=window.__xss=1>",
    "<script>window.__xss=1</script>",
    '"><svg onload=window.__xss=1>',
    "${window.__xss=1}",
    "{{constructor.constructor('window.__xss=1')()}}",
    "javascript:window.__xss=1",
    "<a href='javascript:window.__xss=1'>x</a>",
    "</textarea><b onclick=window.__xss=1>b</b>",
    "\u202egnp.exe <i>evil</i>",
    "&lt;b&gt; &amp; ]]>",
]
COMPOSE = """(field) => {
  const key = (type, more) => field.dispatchEvent(
    new KeyboardEvent(type, { bubbles: true, cancelable: true, ...more }));
  const composition = (type, data) => field.dispatchEvent(
    new CompositionEvent(type, { bubbles: true, data }));
  const typed = (text, inputType) => {
    field.value = text;
    field.dispatchEvent(new InputEvent('input', { bubbles: true, inputType, data: text }));
  };
  field.focus();
  const steps = ['ㅎ', '하', '한', '한ㄱ', '한그', '한글'];
  key('keydown', { key: 'Process', code: 'KeyG', keyCode: 229 });
  composition('compositionstart', '');
  for (const step of steps.slice(0, 3)) {
    composition('compositionupdate', step);
    typed(step, 'insertCompositionText');
  }
  composition('compositionend', '한');
  key('keydown', { key: 'Process', code: 'KeyR', keyCode: 229 });
  composition('compositionstart', '');
  for (const step of steps.slice(3)) {
    composition('compositionupdate', step.slice(1));
    typed(step, 'insertCompositionText');
  }
  // As Chromium reports Enter over an open syllable: composing, then the end, then once more.
  const enter = { key: 'Enter', code: 'Enter' };
  key('keydown', { ...enter, keyCode: 229, isComposing: true });
  composition('compositionend', '글');
  key('keydown', { ...enter, keyCode: 13 });
  key('keyup', { ...enter, keyCode: 13 });
}"""


def untouched(person):
    """Whether nothing that was only text has run on this person's page."""
    return person.page.evaluate("window.__xss === undefined")


def test_hostile_texts_are_shown_as_text(alice, bob):
    alice.open_direct("bob")
    bob.enter("alice")

    for text in HOSTILE:
        alice.say(text)

    bob.expect_reads(*HOSTILE)
    expect(bob.page.locator(".timeline").locator("img, script, b, i, a, svg svg")).to_have_count(0)
    assert untouched(alice)
    assert untouched(bob)


@pytest.mark.parametrize("text", ["<img src=x onerror=window.__xss=1>", '"><svg/onload=__xss=1>'])
def test_hostile_names_and_titles_are_shown_as_text(visitor, person, text):
    alice = person("alice")
    eve = visitor("eve")
    eve.name = text[:40]
    eve.sign_up()
    alice.befriend(eve)
    alice.make_group(text, eve.name)
    eve.enter(text)
    eve.say("who am I?")

    expect(alice.page.locator(".sender", has_text=eve.name)).to_be_visible()
    alice.open_details()
    alice.page.keyboard.press("Control+k")
    expect(alice.dialog("Go to").get_by_role("option").first).to_contain_text(text)
    for person_ in (alice, eve):
        expect(person_.page.locator("gamrae-app img")).to_have_count(0)
        assert untouched(person_)


def test_one_enter_over_an_open_syllable_sends_one_whole_message(alice, bob):
    alice.open_direct("bob")
    bob.enter("alice")

    alice.composer.evaluate(COMPOSE)

    alice.expect_stored("한글")
    bob.expect_reads("한글")
    expect(alice.composer).to_have_value("")
    alice.expect_reads("한글")


def test_shift_enter_breaks_the_line_and_enter_sends(alice, bob):
    alice.open_direct("bob")
    alice.composer.press_sequentially("first line")
    alice.composer.press("Shift+Enter")
    alice.composer.press_sequentially("second line")
    alice.composer.press("Enter")

    expect(alice.page.locator(".line .text")).to_have_count(1)
    text = alice.page.locator(".line .text").inner_text()
    assert text == "first line\nsecond line"


FOCUSED = """document.activeElement === document.body ? '' :
  (document.activeElement.ariaLabel ?? '') + document.activeElement.innerText"""


def press_on(person, name, key="Tab"):
    """Move the focus until it stands on what has this name, and press Enter."""
    for _ in range(40):
        if name in person.page.evaluate(FOCUSED):
            person.page.keyboard.press("Enter")
            return
        person.page.keyboard.press(key)
    raise AssertionError(f"{name} cannot be reached")


def sign_up_by_keyboard(person):
    """Fill in the sign-up page without touching the mouse."""
    person.go("/accounts/signup/")
    person.page.get_by_label(re.compile("E-?mail")).focus()
    for words in (person.email, person.name, person.password):
        person.page.keyboard.type(words)
        person.page.keyboard.press("Tab")
    person.page.keyboard.press("Enter")
    person.expect_chat()


def ask_friend_by_keyboard(person, email):
    """Send a friend request without touching the mouse."""
    press_on(person, "Friends")
    expect(person.page).to_have_url(re.compile("/friends$"))
    press_on(person, "Add friend")
    dialog = person.dialog("Add friend")
    expect(dialog.get_by_label("E-mail")).to_be_focused()
    person.page.keyboard.type(email)
    person.page.keyboard.press("Enter")
    expect(dialog.get_by_role("status")).not_to_be_empty()
    person.page.keyboard.press("Escape")


def test_everything_can_be_done_by_keyboard(visitor, person):
    bob, alice = person("bob"), visitor("alice")
    keyboard = alice.page.keyboard
    sign_up_by_keyboard(alice)
    ask_friend_by_keyboard(alice, bob.email)
    bob.accept("alice")
    expect(alice.friend("bob")).to_be_visible()

    keyboard.press("Control+k")
    expect(alice.dialog("Go to").get_by_role("combobox")).to_be_focused()
    keyboard.type("bo")
    keyboard.press("Enter")
    alice.expect_room("bob")
    expect(alice.composer).to_be_focused()
    keyboard.type("by keyboard alone")
    keyboard.press("Enter")
    alice.expect_stored("by keyboard alone")

    press_on(alice, "About this chat", key="Shift+Tab")
    details = alice.page.get_by_role("complementary", name="About this chat")
    expect(details).to_be_visible()
    keyboard.press("Escape")
    expect(details).to_have_count(0)
    keyboard.press("Control+/")
    expect(alice.dialog("Keyboard shortcuts")).to_be_visible()


@pytest.fixture
def terminal(site, tmp_path, capsys, certificates, monkeypatch):
    """dana at her terminal, signed up on the same server."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates / "ca.pem"))
    email, address = f"dana.{uuid.uuid4().hex[:10]}@example.org", site.entrance_of("dana").address
    return Terminal("dana", email, address, tmp_path / "dana", capsys).sign_up()


def test_a_browser_and_the_command_line_talk_to_each_other(alice, terminal):
    alice.ask_friend(terminal.email)
    assert terminal("friend", "accept", alice.email).row["nickname"] == "alice"
    expect(alice.friend("dana")).to_be_visible()

    alice.open_direct("dana")
    alice.say("hello terminal")
    alice.expect_stored("hello terminal")
    assert terminal.reads(alice.email) == ["hello terminal"]
    assert terminal("send", alice.email, "안녕 브라우저", "--wait", "stored").row["seq"] > 0

    alice.expect_reads("hello terminal", "안녕 브라우저")


def test_a_group_made_on_the_command_line_opens_in_the_browser(alice, terminal):
    alice.ask_friend(terminal.email)
    terminal("friend", "accept", alice.email)
    expect(alice.friend("dana")).to_be_visible()
    alice.show("Chats")

    assert terminal("room", "group", "터미널", alice.email).status == 0
    terminal("send", "터미널", "첫 글")
    alice.enter("터미널")
    alice.expect_reads("첫 글")
    terminal("room", "rename", "터미널", "창문")

    alice.expect_room("창문")
    alice.say("보여요")
    alice.expect_stored("보여요")
    assert terminal.reads("창문") == ["첫 글", "보여요"]
