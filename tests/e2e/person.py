"""Somebody in front of a browser: what a person can do, in the words of the English screens."""

import re
from dataclasses import dataclass, field
from typing import Any, Protocol

from playwright.sync_api import Browser, BrowserContext, Locator, Page, ViewportSize, expect

from tests.e2e.watch import Watch

DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}


class Entrance(Protocol):
    """By which way somebody reaches a server; ``address`` is what they type."""

    address: str


@dataclass
class Person:
    """One person with one browser profile; ``page`` is the tab in front."""

    name: str
    email: str
    context: BrowserContext
    site: Entrance
    watch: Watch
    page: Page
    password: str = field(default="the long way home")

    # Account pages

    def sign_up(self) -> "Person":
        """Make the account; returns when the chat is open with its keys made."""
        self.go("/accounts/signup/")
        self.page.get_by_label(re.compile("E-?mail")).fill(self.email)
        self.page.get_by_label("Name").fill(self.name)
        self.page.get_by_label("Password").fill(self.password)
        self.page.get_by_role("button", name="Create an account").click()
        self.expect_chat()
        return self

    def sign_in(self, password: str | None = None) -> None:
        """Fill in the sign-in page; where it leads is for the test to say."""
        self.go("/accounts/login/")
        self.page.get_by_label(re.compile("E-?mail")).fill(self.email)
        self.page.get_by_label("Password").fill(password or self.password)
        self.page.get_by_role("button", name="Sign in").click()

    def go(self, path: str) -> None:
        """Type an address of this site."""
        self.page.goto(self.site.address + path)

    def new_tab(self, path: str = "/") -> "Person":
        """The same person in another tab of the same browser."""
        page = self.context.new_page()
        page.goto(self.site.address + path)
        return Person(
            self.name, self.email, self.context, self.site, self.watch, page, self.password
        )

    def expect_chat(self) -> None:
        """The keys are made or loaded, and the list is drawn."""
        expect(self.page.locator("gamrae-app[data-phase=ready]")).to_have_count(1)
        expect(self.page.locator(".list-body")).to_be_visible()
        expect(self.page.locator(".skeleton")).to_have_count(0)

    # The frame

    def tab(self, name: str) -> Locator:
        """One of Friends, Chats, Me; with news its name goes on."""
        return self.page.get_by_role("navigation").get_by_role("link", name=re.compile(f"^{name}"))

    def show(self, tab: str) -> None:
        """Go to a tab of the chat."""
        self.tab(tab).click()
        expect(self.page.get_by_role("heading", level=1, name=tab)).to_be_visible()

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def dialog(self, name: str) -> Locator:
        return self.page.get_by_role("dialog", name=name)

    # The recovery key

    def write_down(self) -> str:
        """Look at the six words and type them once again; gives them."""
        self.show("Me")
        self.button("Show").click()
        dialog = self.dialog("Recovery key")
        six = dialog.locator(".recovery-words li")
        expect(six).to_have_count(6)
        words = " ".join(six.all_inner_texts())
        dialog.get_by_role("button", name="I have written it down").click()
        dialog.get_by_label("Recovery key").fill(words)
        dialog.get_by_role("button", name="Check").click()
        expect(dialog).to_have_count(0)
        expect(self.page.locator(".reminder")).to_have_count(0)
        return words

    def give_recovery_key(self, words: str) -> None:
        """Type it on the page of a browser without keys."""
        self.page.get_by_label("Recovery key").fill(words)
        self.button("Get my chats back").click()

    def restore(self, words: str) -> None:
        """Make this browser a device; returns when the chat is open."""
        self.give_recovery_key(words)
        self.expect_chat()

    # Friends

    def ask_friend(self, email: str) -> str:
        """Send a request; gives the answer on screen."""
        self.show("Friends")
        self.button("Add friend").first.click()
        dialog = self.dialog("Add friend")
        dialog.get_by_label("E-mail").fill(email)
        dialog.get_by_role("button", name="Send request").click()
        answer = dialog.get_by_role("status")
        expect(answer).not_to_be_empty()
        said = answer.inner_text()
        self.page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        return said

    def accept(self, name: str) -> None:
        self.show("Friends")
        self.button(f"Accept the request of {name}").click()
        expect(self.friend(name)).to_be_visible()

    def befriend(self, other: "Person") -> None:
        self.ask_friend(other.email)
        other.accept(self.name)
        expect(self.friend(other.name)).to_be_visible()

    def friend(self, name: str) -> Locator:
        """The row of a friend in the list of friends."""
        rows = self.page.get_by_role("region", name=re.compile(r"^\d+ friends?$"))
        return rows.get_by_role("button", name=name)

    # Rooms

    def open_direct(self, other: str) -> None:
        """Open the room of two from the friend's profile."""
        self.show("Friends")
        self.friend(other).click()
        self.dialog(f"Profile of {other}").get_by_role("button", name="Chat").click()
        self.expect_room(other)

    def make_group(self, title: str, *names: str, keeps_history: bool = True) -> None:
        """Start a group with these friends; the switch for its past is on by itself."""
        self.show("Chats")
        self.button("New chat").first.click()
        dialog = self.dialog("New chat")
        dialog.get_by_role("button", name="Group").click()
        dialog.get_by_label("Name of the chat").fill(title)
        for name in names:
            dialog.get_by_role("checkbox", name=name).check()
        history = dialog.get_by_role("switch", name="Keep past messages")
        expect(history).to_be_checked()
        if not keeps_history:
            history.click()
        dialog.get_by_role("button", name="Create").click()
        self.expect_room(title)

    def room(self, title: str) -> Locator:
        """The row of a room in the list of rooms."""
        rows = self.page.locator("a.room-row")
        return rows.filter(
            has=self.page.locator(".name", has_text=re.compile(f"^{re.escape(title)}$"))
        )

    def enter(self, title: str) -> None:
        """Open a room from the list."""
        if "/rooms" not in self.page.url:
            self.show("Chats")
        self.room(title).click()
        self.expect_room(title)

    def expect_room(self, title: str) -> None:
        expect(self.page.locator("gamrae-room h1")).to_have_text(title)
        expect(self.page.locator("gamrae-timeline")).to_be_visible()

    @property
    def room_id(self) -> str:
        return self.page.url.rsplit("/", 1)[1]

    # Messages

    @property
    def composer(self) -> Locator:
        return self.page.get_by_role("textbox", name="Message", exact=True)

    def say(self, text: str) -> None:
        """Write and press Enter; does not wait for anything but the bubble."""
        self.composer.fill(text)
        self.composer.press("Enter")
        expect(self.bubble(text)).to_have_count(1)

    def bubble(self, text: str) -> Locator:
        """The lines of the open room with exactly this text."""
        exact = self.page.locator(".text", has_text=re.compile(f"^{re.escape(text)}$"))
        return self.page.locator(".line").filter(has=exact)

    def expect_stored(self, text: str) -> None:
        expect(self.bubble(text)).to_have_attribute("data-state", "stored")

    def expect_reads(self, *texts: str) -> None:
        """The open room shows these messages, in this order, and no others."""
        expect(self.page.locator(".line .text")).to_have_text(list(texts))

    def page_up_to(self, text: str) -> None:
        """Press Home, page after page, until this message is in the list."""
        timeline = self.page.get_by_role("log")
        first = self.page.locator(".line .text").first
        before = first.inner_text()
        while self.bubble(text).count() == 0:
            timeline.press("Home")
            expect(first).not_to_have_text(before)
            before = first.inner_text()

    def facts(self) -> Locator:
        return self.page.locator(".fact")

    # Details of the open room

    def open_details(self) -> Locator:
        details = self.page.get_by_role("complementary", name="About this chat")
        if details.count() == 0:
            self.button("About this chat").click()
        expect(details).to_be_visible()
        return details

    def confirm(self, title: str, action: str) -> None:
        self.dialog(title).get_by_role("button", name=action, exact=True).click()

    # Asking the server past the screens

    def fetch(self, path: str, **options: Any) -> dict[str, Any]:
        """What this person's own browser gets from the server for an address."""
        script = """async ([path, options]) => {
          const answer = await fetch(path, options);
          return { status: answer.status, body: await answer.text() };
        }"""
        found: dict[str, Any] = self.page.evaluate(script, [path, options])
        return found


def new_person(browser: Browser, site: Entrance, name: str, email: str, **options: Any) -> Person:
    """A fresh browser profile on the site's door, nothing signed up yet."""
    options = {"locale": "en-US", "viewport": DESKTOP, "timezone_id": "Asia/Seoul", **options}
    context = browser.new_context(**options)
    context.set_default_timeout(15_000)
    return Person(name, email, context, site, Watch(context, site.address), context.new_page())
