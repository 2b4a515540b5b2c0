"""A second browser by the recovery key: everything comes back, and one browser may go again."""

import re

from playwright.sync_api import expect

LINES = [f"line {number}" for number in range(1, 61)]


def talk(alice, bob):
    """Sixty messages in the room of two and one in a group; the browsers know them as stored."""
    alice.open_direct(bob.name)
    for text in LINES:
        alice.say(text)
    alice.expect_stored(LINES[-1])
    alice.make_group("Garden", bob.name)
    alice.say("in the garden")
    alice.expect_stored("in the garden")


def test_a_second_browser_has_everything_and_talks_as_the_same_person(alice, bob, elsewhere):
    talk(alice, bob)
    words = alice.write_down()
    laptop = elsewhere(alice)

    laptop.restore(words)
    laptop.enter(bob.name)
    laptop.expect_reads(*LINES)
    laptop.say("from the laptop")
    laptop.expect_stored("from the laptop")
    alice.enter(bob.name)
    expect(alice.bubble("from the laptop")).to_have_count(1)
    alice.say("from the desk")

    expect(laptop.bubble("from the desk")).to_have_count(1)
    bob.enter(alice.name)
    expect(bob.bubble("from the laptop")).to_have_count(1)
    expect(bob.bubble("from the desk")).to_have_count(1)
    expect(bob.facts().filter(has_text="added a device")).to_have_count(1)
    laptop.enter("Garden")
    laptop.expect_reads("in the garden")


def test_a_browser_that_is_revoked_reads_nothing_new_and_says_so(alice, bob, elsewhere):
    alice.open_direct(bob.name)
    alice.say("before")
    alice.expect_stored("before")
    words = alice.write_down()
    laptop = elsewhere(alice)
    laptop.restore(words)
    alice.watch.expect("status of 401")
    alice.watch.expect("status of 403")

    laptop.show("Me")
    laptop.page.get_by_role("button", name=re.compile("^Remove the device")).click()
    dialog = laptop.dialog("Remove this device?")
    dialog.get_by_label("Recovery key").fill(words)
    dialog.get_by_role("button", name="Remove", exact=True).click()
    expect(dialog).to_have_count(0)
    expect(laptop.page.locator("li.device")).to_have_count(1)

    expect(alice.page.locator("gamrae-app[data-phase=ready]")).to_have_count(0)
    bob.enter(alice.name)
    bob.say("after")
    bob.expect_stored("after")
    alice.sign_in()
    expect(alice.page.get_by_role("heading", level=1)).to_have_text(
        "This browser was taken off your devices"
    )
    expect(alice.bubble("after")).to_have_count(0)
    laptop.enter(bob.name)
    expect(laptop.bubble("after")).to_have_count(1)


def test_somebody_who_left_restores_what_was_theirs(alice, bob, elsewhere):
    alice.make_group("Garden", bob.name)
    alice.say("while he was here")
    alice.expect_stored("while he was here")
    bob.enter("Garden")
    expect(bob.bubble("while he was here")).to_have_count(1)
    words = bob.write_down()
    bob.enter("Garden")
    bob.open_details().get_by_role("button", name="Leave").click()
    bob.confirm("Leave this chat?", "Leave")
    expect(alice.facts().filter(has_text=f"{bob.name} left")).to_have_count(1)
    alice.say("after him")
    alice.expect_stored("after him")

    laptop = elsewhere(bob)
    laptop.restore(words)
    laptop.enter("Garden")

    expect(laptop.bubble("while he was here")).to_have_count(1)
    expect(laptop.bubble("after him")).to_have_count(0)
    expect(laptop.composer).to_have_count(0)


def test_a_stranger_with_the_password_and_no_words_gets_nothing(alice, bob, mallory, elsewhere):
    alice.open_direct(bob.name)
    alice.say("not for mallory")
    alice.expect_stored("not for mallory")
    words = mallory.write_down()
    laptop = elsewhere(alice)

    laptop.give_recovery_key("house of cards and paper walls")
    expect(laptop.page.get_by_role("alert")).to_contain_text("This is not a recovery key")
    laptop.give_recovery_key(words.rsplit(" ", 1)[0] + " house")
    expect(laptop.page.get_by_role("alert")).to_contain_text("Word 6: not in the list")
    laptop.give_recovery_key(words)
    expect(laptop.page.get_by_role("alert")).to_contain_text("not the recovery key of this account")

    expect(laptop.page.locator("gamrae-app[data-phase=no_keys_here]")).to_have_count(1)
    for path in ("/api/rooms", "/api/me", "/api/friends", "/api/me/recovery"):
        assert "not for mallory" not in laptop.fetch(path)["body"]
    room = laptop.fetch("/api/rooms")["body"]
    assert bob.name in room
    alice.enter(bob.name)
    alice.say("still only two")
    alice.expect_stored("still only two")
    expect(alice.facts().filter(has_text="device")).to_have_count(0)


def renew(alice, former):
    """Make a new recovery key with the present one; gives the new words, typed again."""
    alice.show("Me")
    alice.button("Make a new one").click()
    dialog = alice.dialog("Make a new recovery key")
    dialog.get_by_label("Recovery key").fill(former)
    dialog.get_by_role("button", name="Show the new key").click()
    six = dialog.locator(".recovery-words li")
    expect(six).to_have_count(6)
    words = " ".join(six.all_inner_texts())
    dialog.get_by_role("button", name="I have written it down").click()
    dialog.get_by_label("Recovery key").fill(words)
    dialog.get_by_role("button", name="Check").click()
    expect(dialog).to_have_count(0)
    return words


def test_a_renewed_recovery_key_opens_everything_and_the_former_one_nothing(alice, bob, elsewhere):
    alice.open_direct(bob.name)
    alice.say("before")
    alice.expect_stored("before")
    former = alice.write_down()

    words = renew(alice, former)
    bob.enter(alice.name)
    bob.say("after")
    bob.expect_stored("after")
    laptop = elsewhere(alice)
    laptop.give_recovery_key(former)
    expect(laptop.page.get_by_role("alert")).to_contain_text("not the recovery key")
    laptop.restore(words)
    laptop.enter(bob.name)

    laptop.expect_reads("before", "after")
    assert words != former


def test_a_new_key_that_was_not_typed_again_is_there_after_a_reload_and_can_be_given_up(alice):
    former = alice.write_down()
    alice.button("Make a new one").click()
    dialog = alice.dialog("Make a new recovery key")
    dialog.get_by_label("Recovery key").fill(former)
    dialog.get_by_role("button", name="Show the new key").click()
    six = dialog.locator(".recovery-words li")
    expect(six).to_have_count(6)
    words = " ".join(six.all_inner_texts())

    alice.page.reload()
    alice.button("Continue").click()
    expect(six).to_have_count(6)
    assert " ".join(six.all_inner_texts()) == words
    dialog.get_by_role("button", name="Close").click()
    alice.button("Give up").click()
    question = alice.dialog("Give up the new recovery key?")
    question.get_by_role("button", name="Give up").click()

    expect(alice.button("Make a new one")).to_be_visible()
