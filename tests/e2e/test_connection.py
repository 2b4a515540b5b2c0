"""Cuts, restarts, closed pages and several tabs: what was typed is sent once."""

import signal

import pytest
from playwright.sync_api import expect


def test_what_is_typed_without_a_network_is_sent_once_when_it_is_back(friends):
    alice, bob = friends
    with alice.watch.cut_off():
        alice.context.set_offline(True)
        alice.say("typed in a tunnel")
        expect(alice.bubble("typed in a tunnel")).to_have_attribute("data-state", "waiting")
        expect(alice.page.get_by_text("1 message to send")).to_be_visible(timeout=25_000)

        alice.context.set_offline(False)

    alice.expect_stored("typed in a tunnel")
    expect(alice.page.get_by_text("1 message to send")).to_have_count(0)
    bob.expect_reads("before", "typed in a tunnel")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_server_that_restarts_gets_what_was_typed_meanwhile_once(friends, own_site, number):
    alice, bob = friends
    with alice.watch.cut_off(), bob.watch.cut_off():
        own_site.end(number)
        alice.say("nobody listens")
        expect(alice.bubble("nobody listens")).not_to_have_attribute("data-state", "stored")

        own_site.start()

        expect(alice.bubble("nobody listens")).to_have_attribute(
            "data-state", "stored", timeout=40_000
        )
        expect(bob.bubble("nobody listens")).to_have_count(1, timeout=40_000)
    bob.expect_reads("before", "nobody listens")
    alice.page.reload()
    alice.expect_reads("before", "nobody listens")


def test_a_page_closed_before_its_message_left_sends_it_when_opened_again(friends, own_site):
    alice, bob = friends
    with alice.watch.cut_off(), bob.watch.cut_off():
        own_site.end(signal.SIGKILL)
        alice.say("lid closed")
        expect(alice.bubble("lid closed")).to_have_attribute("data-state", "waiting")
        alice.page.close()
        own_site.start()

        again = alice.new_tab("/rooms")

    again.enter("bob")
    again.expect_stored("lid closed")
    expect(bob.bubble("lid closed")).to_have_count(1, timeout=40_000)
    bob.expect_reads("before", "lid closed")


def test_two_tabs_write_at_once_and_everything_arrives_once(friends):
    alice, bob = friends
    second = alice.new_tab(f"/rooms/{alice.room_id}")
    second.expect_room("bob")
    texts = [f"{tab} {number}" for number in range(8) for tab in ("first", "second")]

    for text in texts:
        tab = alice if text.startswith("first") else second
        tab.composer.fill(text)
        tab.composer.press("Enter")

    for tab in (alice, second):
        for text in texts:
            tab.expect_stored(text)
    expect(bob.page.locator(".line .text")).to_have_count(len(texts) + 1)
    for text in texts:
        expect(bob.bubble(text)).to_have_count(1)
    expect(bob.page.locator(".unreadable")).to_have_count(0)


def test_when_the_leading_tab_is_closed_the_other_goes_on(friends):
    alice, bob = friends
    second = alice.new_tab(f"/rooms/{alice.room_id}")
    second.expect_room("bob")

    alice.page.close()
    second.say("still here")

    second.expect_stored("still here")
    bob.say("good")
    expect(second.bubble("good")).to_be_visible()
    bob.expect_reads("before", "still here", "good")


def test_the_chat_opens_without_a_server_and_shows_what_was_there(friends, own_site):
    alice, bob = friends
    alice.page.evaluate("navigator.serviceWorker.ready.then(() => undefined)")
    alice.page.reload()
    alice.expect_reads("before")
    with alice.watch.cut_off(), bob.watch.cut_off():
        own_site.end(signal.SIGKILL)

        alice.page.reload()

        alice.expect_reads("before")
        alice.say("written at home")
        expect(alice.bubble("written at home")).to_have_attribute("data-state", "waiting")
