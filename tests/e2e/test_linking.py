"""A second browser linked by the first: the code, the digits, and everything comes along."""

import pytest
from playwright.sync_api import expect


def shown(browser):
    """Ask a browser without keys for a code; gives the code and the six digits."""
    browser.button("Show a code").click()
    code = browser.page.locator(".link-code")
    expect(code).to_have_count(1)
    expect(browser.page.get_by_role("img", name="QR code")).to_be_visible()
    return code.inner_text(), browser.page.locator(".link-compare").inner_text()


def asked_for_a_code(person):
    person.show("Me")
    person.button("Link a device").click()
    return person.dialog("Link a new device")


def read(dialog, code):
    dialog.get_by_label("Link code").fill(code)
    dialog.get_by_role("button", name="Next").click()


@pytest.fixture
def erin(person):
    """alice's part, by a door that both of her browsers use: a code is for one address."""
    return person("erin")


@pytest.fixture
def bob(person, erin):
    """A friend of erin."""
    bob = person("bob")
    erin.befriend(bob)
    return bob


@pytest.fixture
def laptop(erin, elsewhere):
    """erin's second browser, signed in and without keys."""
    return elsewhere(erin)


def test_a_browser_is_linked_by_another_and_reads_the_past(erin, bob, laptop):
    erin.open_direct(bob.name)
    erin.say("before the laptop")
    erin.expect_stored("before the laptop")
    words = erin.write_down()
    code, digits = shown(laptop)

    dialog = asked_for_a_code(erin)
    read(dialog, code.lower())
    expect(dialog.locator(".link-compare")).to_have_text(digits)
    expect(laptop.page.get_by_text("has read the code")).to_be_visible()
    dialog.get_by_label("Recovery key").fill(words)
    dialog.get_by_role("button", name="Link", exact=True).click()

    laptop.expect_chat()
    expect(dialog).to_have_count(0)
    laptop.enter(bob.name)
    laptop.expect_reads("before the laptop")
    laptop.say("from the laptop")
    laptop.expect_stored("from the laptop")
    bob.enter(erin.name)
    expect(bob.bubble("from the laptop")).to_have_count(1)
    expect(erin.page.locator(".device")).to_have_count(2)


def test_a_mistyped_code_and_a_refused_device_each_name_the_next_step(erin, laptop):
    code, _ = shown(laptop)
    dialog = asked_for_a_code(erin)

    read(dialog, ("1" if code[0] == "0" else "0") + code[1:])
    expect(dialog.get_by_role("alert")).to_contain_text("four by four")
    read(dialog, code)
    dialog.get_by_role("button", name="Do not link").click()

    expect(laptop.page.get_by_role("alert")).to_contain_text("show a new code")
    expect(laptop.button("Show a new code")).to_be_visible()
    expect(erin.page.locator(".device")).to_have_count(1)
