"""Everything lost: the account is started again in one browser, or stopped from another."""

import pytest
from playwright.sync_api import expect

from tests.e2e.later import let_resets_pass
from tests.e2e.person import PHONE

# What is looked at is the same on both; the 72 hours pass in the file of the solo profile.
PROFILES = ["solo"]


@pytest.fixture
def lost(visitor, bob):
    """bob in front of a phone that has nothing of his, signed in with his password."""
    other = visitor("bob-phone", viewport=PHONE)
    other.email, other.password = bob.email, bob.password
    other.sign_in()
    expect(other.page.locator("gamrae-app[data-phase=no_keys_here]")).to_have_count(1)
    return other


def begin(person):
    person.page.get_by_text("I have lost the recovery key").click()
    person.button("Start again").click()
    dialog = person.dialog("Start again")
    dialog.get_by_label("Password").fill(person.password)
    dialog.get_by_role("button", name="Announce and wait").click()
    expect(dialog).to_have_count(0)
    expect(person.page.get_by_text("Waiting to start again: 72 hours left.")).to_be_visible()


def test_a_browser_of_the_account_stops_it(bob, lost):
    begin(lost)
    bar = bob.page.get_by_role("alert").filter(has_text="In 72 hours this device may be signed out")
    expect(bar).to_be_visible()

    bob.button("Stop it").click()

    expect(bar).to_have_count(0)
    expect(bob.page.get_by_text("Stopped. Somebody may know your password")).to_be_visible()
    lost.page.reload()
    expect(lost.page.get_by_text("I have lost the recovery key")).to_be_visible()


def test_after_72_hours_it_is_another_party_whom_people_let_in(alice, bob, lost, site):
    alice.make_group("Garden", bob.name)
    alice.say("before")
    alice.expect_stored("before")
    begin(lost)
    let_resets_pass(site)
    lost.page.reload()
    bob.watch.expect("status of 401")
    alice.watch.expect("status of 403")

    lost.button("Start again now").click()
    lost.dialog("Really start again?").get_by_role("button", name="Start again now").click()
    lost.expect_chat()

    expect(bob.page.locator("gamrae-app[data-phase=ready]")).to_have_count(0)
    expect(alice.facts().filter(has_text=f"{bob.name} started again")).to_have_count(1)
    alice.say("without bob")
    alice.expect_stored("without bob")
    alice.show("Friends")
    alice.friend(bob.name).click()
    profile = alice.dialog(f"Profile of {bob.name}")
    changed = profile.get_by_text(f"The account of {bob.name} has changed")
    expect(changed).to_be_visible()
    profile.get_by_role("button", name="Compare safety number").first.click()
    comparing = alice.dialog(f"Compare the safety number with {bob.name}")
    comparing.get_by_role("button", name="Go on without comparing").click()
    question = alice.dialog(f"Go on with the changed account of {bob.name}?")
    question.get_by_role("button", name="Go on", exact=True).click()
    expect(changed).to_have_count(0)
    profile.locator(".button.primary").click()
    alice.say("is it you?")
    alice.expect_stored("is it you?")

    lost.enter(alice.name)
    expect(lost.bubble("is it you?")).to_have_count(1)


def test_the_recovery_key_of_before_opens_the_chats_of_then(alice, bob, lost, site):
    words = bob.write_down()
    alice.make_group("Garden", bob.name)
    alice.say("before")
    alice.expect_stored("before")
    bob.watch.expect("status of 401")
    bob.enter("Garden")
    bob.expect_reads("before")
    begin(lost)
    let_resets_pass(site)
    lost.page.reload()
    lost.button("Start again now").click()
    lost.dialog("Really start again?").get_by_role("button", name="Start again now").click()
    lost.expect_chat()

    lost.show("Me")
    lost.button("Enter the former recovery key").click()
    dialog = lost.dialog("Chats from before you started again")
    dialog.get_by_label("Recovery key").fill(words)
    dialog.get_by_role("button", name="Get those chats back").click()

    expect(dialog).to_have_count(0)
    expect(lost.page.get_by_role("heading", name="Chats from before")).to_have_count(0)
    lost.enter("Garden")
    lost.expect_reads("before")
