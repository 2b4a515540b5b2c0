"""Messages in two browsers: written, confirmed, read, kept and paged."""

import datetime
import re

from playwright.sync_api import expect

WATCH_STATES = """() => {
  window.statesSeen = [];
  const note = () => {
    for (const line of document.querySelectorAll('.group.mine .line')) {
      const state = line.dataset.state;
      if (window.statesSeen.at(-1) !== state) window.statesSeen.push(state);
    }
  };
  new MutationObserver(note).observe(document.querySelector('gamrae-room'),
    { subtree: true, childList: true, attributes: true, attributeFilter: ['data-state'] });
}"""
IN_ORDER = ["waiting", "sending", "accepted", "stored"]


def test_two_friends_write_to_each_other(alice, bob):
    alice.open_direct("bob")
    alice.say("안녕하세요, bob")
    bob.enter("alice")
    expect(bob.bubble("안녕하세요, bob")).to_be_visible()

    bob.say("hello alice")

    alice.expect_reads("안녕하세요, bob", "hello alice")
    bob.expect_reads("안녕하세요, bob", "hello alice")


def test_a_message_goes_from_clock_over_accepted_to_stored(alice, bob):
    alice.open_direct("bob")
    alice.page.evaluate(WATCH_STATES)

    alice.say("on its way")
    alice.expect_stored("on its way")

    seen = alice.page.evaluate("window.statesSeen")
    assert seen == [state for state in IN_ORDER if state in seen]
    assert seen[0] in {"waiting", "sending"}
    assert seen[-1] == "stored"
    expect(alice.bubble("on its way").locator(".state")).to_have_text("Sent")


def test_days_stand_between_the_messages(alice, bob):
    alice.open_direct("bob")
    alice.say("good night")
    alice.say("sleep well")
    alice.expect_stored("sleep well")
    expect(alice.page.locator(".day")).to_have_text(["Today"])

    tomorrow = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)
    alice.page.clock.set_fixed_time(tomorrow)
    alice.page.reload()

    alice.expect_reads("good night", "sleep well")
    expect(alice.page.locator(".day")).to_have_text(["Yesterday"])


def test_unread_messages_are_counted_until_they_are_seen(alice, bob):
    alice.open_direct("bob")
    bob.show("Chats")
    for text in ("one", "two", "three"):
        alice.say(text)

    expect(bob.room("alice")).to_contain_text("3 unread messages")
    expect(bob.tab("Chats")).to_have_accessible_name("Chats, 3 new")
    expect(bob.page).to_have_title(re.compile(r"^\(3\) "))
    expect(alice.bubble("three")).to_contain_text("Unread by 1")
    bob.enter("alice")

    expect(bob.tab("Chats")).to_have_accessible_name("Chats")
    expect(bob.page.get_by_text("Unread from here")).to_be_visible()
    expect(alice.page.get_by_text("Unread by 1")).to_have_count(0)


def test_a_reload_and_a_second_tab_keep_everything(alice, bob):
    alice.open_direct("bob")
    alice.say("to be kept")
    alice.say("this too")
    alice.expect_stored("this too")

    alice.page.reload()
    alice.expect_reads("to be kept", "this too")
    second = alice.new_tab(f"/rooms/{alice.room_id}")

    second.expect_reads("to be kept", "this too")
    second.say("from the second tab")
    expect(alice.bubble("from the second tab")).to_be_visible()


def test_what_is_typed_and_not_sent_is_still_there_later(alice, bob):
    alice.open_direct("bob")
    alice.composer.fill("not yet sent")
    alice.show("Friends")
    alice.page.reload()

    alice.enter("bob")

    expect(alice.composer).to_have_value("not yet sent")
    alice.composer.press("Enter")
    alice.expect_stored("not yet sent")
    alice.page.reload()
    expect(alice.bubble("not yet sent")).to_be_visible()
    expect(alice.composer).to_have_value("")


def test_a_long_history_arrives_whole_and_is_paged_up(alice, bob):
    texts = [f"line {number}" for number in range(130)]
    alice.open_direct("bob")
    for text in texts:
        alice.composer.fill(text)
        alice.composer.press("Enter")
    expect(alice.bubble(texts[-1])).to_have_attribute("data-state", "stored", timeout=60_000)
    expect(bob.tab("Chats")).to_have_accessible_name("Chats, 130 new")
    bob.enter("alice")
    bob.button("To the latest message").or_(bob.page.locator(".jump")).first.click()
    bob.page.reload()
    expect(bob.bubble(texts[-1])).to_be_visible()
    expect(bob.bubble(texts[0])).to_have_count(0)

    bob.page_up_to(texts[0])

    bob.expect_reads(*texts)
