"""Every screen, on a phone and on a desktop, in Korean and English: drawn, named, reachable, kept.

The pictures are left in build/screenshots. build/screenshots/readme.png is the one that stands in
the README; docs/development.md says how it gets there.
"""

import json
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.person import DESKTOP, PHONE, Person
from tests.e2e.site import ROOT

PROFILES = ("solo",)  # what a screen looks like does not depend on where rows lie
PICTURES = ROOT / "build" / "screenshots"
AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
RUN_AXE = """async () => {
  const { violations } = await axe.run(document, { resultTypes: ['violations'] });
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 200)}`));
}"""
OVERFLOW = """() => {
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  return wide > 0 ? `${wide} px too wide` : '';
}"""
WORDS = {
    "ko": {"locale": "ko-KR", "add": "친구 추가", "new": "새 대화", "group": "그룹 대화"}
    | {"details": "대화 정보", "switcher": "빠르게 옮기기", "message": "메시지 입력"}
    | {"room": "주말 텃밭", "rename": "이름 바꾸기", "sign_out": "로그아웃", "help": "단축키 보기"},
    "en": {"locale": "en-US", "add": "Add friend", "new": "New chat", "group": "Group"}
    | {"details": "About this chat", "switcher": "Go to", "message": "Message"}
    | {"room": "Weekend garden", "rename": "Rename", "sign_out": "Sign out"}
    | {"help": "Keyboard shortcuts"},
}
NAMES = {"ko": {"alice": "앨리스", "bob": "밥", "carol": "캐럴"}, "en": {}}
TALK = {
    "ko": [
        ("bob", "토요일에 텃밭 가는 거 맞지?"),
        ("alice", "응! 아침 아홉 시에 정문에서 만나자"),
        ("alice", "모종은 내가 챙길게"),
        ("bob", "좋아. 물뿌리개랑 장갑은 내가 가져갈게"),
        ("bob", "비 오면 일요일로 미룰까?"),
        ("alice", "그러자. 금요일 저녁에 다시 얘기해"),
    ],
    "en": [
        ("bob", "We are still on for the garden on Saturday?"),
        ("alice", "Yes! Nine o'clock at the gate"),
        ("alice", "I bring the seedlings"),
        ("bob", "Good. Watering can and gloves are on me"),
        ("bob", "If it rains, Sunday instead?"),
        ("alice", "Let's. We talk again on Friday"),
    ],
}
SIZES = {"phone": PHONE, "desktop": DESKTOP}
OPEN_PAGES = {
    "sign-in": "/accounts/login/",
    "sign-up": "/accounts/signup/",
    "password-reset": "/accounts/password/reset/",
    "password-reset-sent": "/accounts/password/reset/done/",
    "not-found": "/nowhere",
}
OWN_PAGES = {
    "password-change": "/accounts/password/change/",
    "email": "/accounts/email/",
    "sessions": "/accounts/sessions/",
    "sign-out": "/accounts/logout/",
}


@contextmanager
def sized(page: Page, size: str):
    """Give the page the size of a device for a while."""
    page.set_viewport_size(SIZES[size])
    yield
    page.set_viewport_size(DESKTOP)


class Album:
    """Takes pictures in one language and judges each screen while it is there."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.complaints: list[str] = []

    def take(self, page: Page, screen: str) -> None:
        """The screen in both sizes; it must not be wider than the device."""
        for size in SIZES:
            with sized(page, size):
                expect(page.locator(".skeleton")).to_have_count(0)
                name = f"{screen}-{self.language}-{size}"
                page.screenshot(path=PICTURES / f"{name}.png", animations="disabled")
                self._judge(page, name)

    def _judge(self, page: Page, name: str) -> None:
        if wide := page.evaluate(OVERFLOW):
            self.complaints.append(f"{name}: {wide}")
        page.evaluate(AXE.read_text())
        self.complaints += [f"{name}: {found}" for found in page.evaluate(RUN_AXE)]


@pytest.fixture(params=["ko", "en"])
def album(request):
    """Complains at the end, when every picture is taken."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    made = Album(request.param)
    yield made
    assert made.complaints == []


@pytest.fixture
def somebody(visitor, album):
    """Make a person who speaks the album's language."""

    def make(name: str) -> Person:
        made: Person = visitor(name, locale=WORDS[album.language]["locale"])
        made.name = NAMES[album.language].get(name, name)
        return made

    return make


def sign_up(person: Person) -> Person:
    """Sign up whatever the language of the screens."""
    person.go("/accounts/signup/")
    person.page.locator("[name=email]").fill(person.email)
    person.page.locator("[name=nickname]").fill(person.name)
    person.page.locator("[name=password1]").fill(person.password)
    person.page.locator("main button[type=submit]").click()
    person.expect_chat()
    return person


def befriend(asking: Person, asked: Person) -> None:
    """Make two people friends past the screens."""
    script = """async ([path, body]) => {
      const token = document.querySelector('meta[name=csrf-token]').content;
      const headers = { 'Content-Type': 'application/json', 'X-CSRFToken': token };
      const answer = await fetch(path, { method: 'POST', headers, body });
      return answer.status;
    }"""
    body = json.dumps({"email": asked.email})
    assert asking.page.evaluate(script, ["/api/friend-requests", body]) == 202
    received = json.loads(asked.fetch("/api/friends")["body"])["received"]
    path = f"/api/friend-requests/{received[0]['friend_request_id']}/accept"
    assert asked.page.evaluate(script, [path, "{}"]) == 200


def test_pages_for_everybody_look_right(somebody, album):
    stranger = somebody("stranger")
    stranger.watch.expect("status of 404")
    for screen, path in OPEN_PAGES.items():
        stranger.go(path)
        album.take(stranger.page, screen)
    stranger.go(OPEN_PAGES["sign-in"])
    stranger.page.locator("[name=login]").fill("nobody@example.org")
    stranger.page.locator("[name=password]").fill("not the way home")
    stranger.page.locator("main button[type=submit]").click()
    expect(stranger.page.locator(".errorlist")).to_be_visible()
    album.take(stranger.page, "sign-in-refused")


def test_own_pages_look_right(somebody, album):
    alice = sign_up(somebody("alice"))
    for screen, path in OWN_PAGES.items():
        alice.go(path)
        album.take(alice.page, screen)


def test_an_empty_chat_looks_right(somebody, album):
    words = WORDS[album.language]
    alice = sign_up(somebody("alice"))
    page = alice.page
    for screen in ("friends", "rooms", "me"):
        alice.go(f"/{screen}")
        alice.expect_chat()
        album.take(page, f"{screen}-empty")
    alice.go("/friends")
    alice.expect_chat()
    alice.button(words["add"]).first.click()
    expect(page.locator("dialog[open]")).to_be_visible()
    album.take(page, "add-friend")
    alice.watch.expect("status of 404")
    alice.go("/rooms/00000000-0000-4000-8000-000000000000")
    expect(page.locator(".pane .empty")).to_be_visible()
    album.take(page, "room-missing")


def write(
    people: dict[str, Person], album: Album, talk: list[tuple[str, str]] | None = None
) -> None:
    """Let them say their lines, each after the one before has arrived."""
    for name, text in talk or TALK[album.language]:
        field = people[name].page.get_by_role("textbox", name=WORDS[album.language]["message"])
        field.fill(text)
        field.press("Enter")
        for person in people.values():
            expect(person.bubble(text)).to_have_count(1)
        people[name].expect_stored(text)


def start_group(alice: Person, friends: list[Person], album: Album) -> None:
    """Make the album's room, with a picture of the dialog."""
    words = WORDS[album.language]
    alice.go("/rooms")
    alice.expect_chat()
    alice.button(words["new"]).first.click()
    dialog = alice.page.get_by_role("dialog")
    dialog.get_by_role("button", name=words["group"]).click()
    dialog.locator("[name=title]").fill(words["room"])
    for friend in friends:
        dialog.get_by_role("checkbox", name=friend.name).check()
    album.take(alice.page, "new-group")
    dialog.locator("button[type=submit]").click()
    alice.expect_room(words["room"])


def picture_the_room(alice: Person, album: Album) -> None:
    """The open room, its details, and the way to others."""
    words = WORDS[album.language]
    album.take(alice.page, "room")
    alice.button(words["details"]).click()
    expect(alice.page.get_by_role("complementary", name=words["details"])).to_be_visible()
    album.take(alice.page, "room-details")
    alice.page.keyboard.press("Escape")
    alice.page.keyboard.press("Control+k")
    expect(alice.dialog(words["switcher"])).to_be_visible()
    album.take(alice.page, "switcher")
    alice.page.keyboard.press("Escape")


def picture_the_tabs(carol: Person, album: Album) -> None:
    """The three tabs with something in them, and what opens from there."""
    for screen in ("rooms", "friends", "me"):
        carol.go(f"/{screen}")
        carol.expect_chat()
        album.take(carol.page, screen)
    for button, screen in (("help", "keyboard-help"), ("sign_out", "sign-out-question")):
        carol.button(WORDS[album.language][button]).click()
        expect(carol.page.locator("dialog[open]")).to_be_visible()
        album.take(carol.page, screen)
        carol.page.keyboard.press("Escape")
        expect(carol.page.locator("dialog[open]")).to_have_count(0)
    carol.go("/friends")
    carol.expect_chat()
    carol.page.locator(".list-body button.row").first.click()
    compare = carol.page.locator("gamrae-friend-profile .facts .button")
    expect(compare).to_be_visible()
    album.take(carol.page, "friend-profile")
    compare.click()
    expect(carol.page.locator("gamrae-compare .digits")).to_have_count(3)
    album.take(carol.page, "compare")
    carol.page.locator("gamrae-compare summary").click()
    album.take(carol.page, "compare-code")


def test_a_chat_that_is_lived_in_looks_right(somebody, album):
    alice, bob, carol = (sign_up(somebody(name)) for name in ("alice", "bob", "carol"))
    befriend(alice, bob)
    befriend(carol, alice)
    start_group(alice, [bob, carol], album)
    bob.go("/rooms")
    bob.enter(WORDS[album.language]["room"])
    write({"alice": alice, "bob": bob}, album)
    if album.language == "ko":
        bob.page.screenshot(path=PICTURES / "readme.png", animations="disabled")

    picture_the_room(alice, album)
    picture_the_tabs(carol, album)


def test_a_request_and_a_second_browser_look_right(somebody, album):
    alice, bob = sign_up(somebody("alice")), sign_up(somebody("bob"))
    script = """async ([body]) => {
      const token = document.querySelector('meta[name=csrf-token]').content;
      const headers = { 'Content-Type': 'application/json', 'X-CSRFToken': token };
      await fetch('/api/friend-requests', { method: 'POST', headers, body });
    }"""
    alice.page.evaluate(script, [json.dumps({"email": bob.email})])
    bob.go("/friends")
    expect(bob.page.locator(".request")).to_be_visible()
    album.take(bob.page, "friend-request")

    elsewhere = sign_in_elsewhere(alice, somebody)
    album.take(elsewhere.page, "no-keys-here")
    elsewhere.page.locator("summary").click()
    elsewhere.page.locator("[name=secret]").fill("baba baba baba house")
    elsewhere.page.locator("main button[type=submit]").click()
    expect(elsewhere.page.get_by_role("alert")).to_be_visible()
    album.take(elsewhere.page, "no-keys-here-wrong-word")


def sign_in_elsewhere(person: Person, somebody) -> Person:
    """The person in front of a browser that has nothing of theirs."""
    elsewhere: Person = somebody("elsewhere")
    elsewhere.go("/accounts/login/")
    elsewhere.page.locator("[name=login]").fill(person.email)
    elsewhere.page.locator("[name=password]").fill(person.password)
    elsewhere.page.locator("main button[type=submit]").click()
    expect(elsewhere.page.locator("main.phase")).to_be_visible()
    return elsewhere


def write_down(alice: Person, album: Album) -> str:
    """Take pictures of writing the recovery key down; gives the six words."""
    page = alice.page
    alice.go("/me")
    alice.expect_chat()
    page.locator("gamrae-me-recovery .button.primary").click()
    expect(page.locator(".recovery-words li")).to_have_count(6)
    album.take(page, "recovery-key")
    words = " ".join(page.locator(".recovery-words li").all_inner_texts())
    page.locator("gamrae-recovery-paper .button.primary").click()
    page.locator("dialog [name=secret]").fill(words)
    album.take(page, "recovery-key-again")
    page.locator("dialog button[type=submit]").click()
    expect(page.locator("dialog[open]")).to_have_count(0)
    return words


def test_a_recovery_key_and_two_devices_look_right(somebody, album):
    alice, bob = sign_up(somebody("alice")), sign_up(somebody("bob"))
    befriend(alice, bob)
    start_group(alice, [bob], album)
    write({"alice": alice}, album, TALK[album.language][1:3])
    words = write_down(alice, album)
    elsewhere = sign_in_elsewhere(alice, somebody)
    elsewhere.page.locator("[name=secret]").fill(words)
    elsewhere.page.locator("main button[type=submit]").click()
    elsewhere.expect_chat()
    elsewhere.room(WORDS[album.language]["room"]).click()
    elsewhere.expect_room(WORDS[album.language]["room"])
    expect(elsewhere.facts()).to_have_count(2)
    album.take(elsewhere.page, "room-device-added")

    elsewhere.go("/me")
    elsewhere.expect_chat()
    expect(elsewhere.page.locator("li.device")).to_have_count(2)
    album.take(elsewhere.page, "me-devices")
    elsewhere.page.locator("li.device .quiet").first.click()
    expect(elsewhere.page.locator("#device-name")).to_be_visible()
    album.take(elsewhere.page, "device-name")
    elsewhere.page.keyboard.press("Escape")
    expect(elsewhere.page.locator("dialog[open]")).to_have_count(0)
    elsewhere.page.locator("li.device .text-danger").click()
    expect(elsewhere.page.locator("dialog[open]")).to_be_visible()
    album.take(elsewhere.page, "device-revoke")
    for complaint in ("status of 401", "status of 403"):
        alice.watch.expect(complaint)
    elsewhere.page.locator("dialog [name=secret]").fill(words)
    elsewhere.page.locator("dialog button[type=submit]").click()
    expect(elsewhere.page.locator("li.device")).to_have_count(1)
    expect(alice.page.locator("gamrae-app[data-phase=ready]")).to_have_count(0)
    alice.go("/accounts/login/")
    alice.page.locator("[name=login]").fill(alice.email)
    alice.page.locator("[name=password]").fill(alice.password)
    alice.page.locator("main button[type=submit]").click()
    expect(alice.page.locator("gamrae-revoked")).to_be_visible()
    album.take(alice.page, "revoked")
