"""What is not sent yet outlives the network, the server and the tab; each text arrives once."""

import contextlib
import signal

from playwright.sync_api import Error, expect

PROFILES = ("solo",)
UNTIL_A_DRAFT_IS_KEPT = """async () => {
  const [{ name }] = (await indexedDB.databases()).filter(({ name }) => name.startsWith('gamrae:'));
  const answer = (asked) =>
    new Promise((resolve) => (asked.onsuccess = () => resolve(asked.result)));
  const database = await answer(indexedDB.open(name));
  const drafts = () => answer(database.transaction('drafts').objectStore('drafts').count());
  while ((await drafts()) === 0) await new Promise(requestAnimationFrame);
  database.close();
}"""


def crash(person):
    """Let the tab's process end as the system ends it: nothing of the page runs any more."""
    with person.page.expect_event("crash"), contextlib.suppress(Error):
        person.page.goto("chrome://crash", timeout=5_000)
    person.page.close()


def test_cut_network_killed_server_and_killed_tab_lose_and_double_nothing(friends, own_site):
    alice, bob = friends
    with alice.watch.cut_off(), bob.watch.cut_off():
        alice.context.set_offline(True)
        alice.say("in a tunnel")
        own_site.end(signal.SIGKILL)
        alice.context.set_offline(False)
        alice.say("nobody listens")
        expect(alice.bubble("nobody listens")).to_have_attribute("data-state", "waiting")
        alice.composer.fill("half a thou")
        alice.page.evaluate(UNTIL_A_DRAFT_IS_KEPT)
        crash(alice)
        own_site.start()

        again = alice.new_tab(f"/rooms/{alice.room_id}")

    again.expect_stored("in a tunnel")
    again.expect_stored("nobody listens")
    expect(again.composer).to_have_value("half a thou")
    again.composer.press_sequentially("ght")
    again.composer.press("Enter")
    again.expect_stored("half a thought")
    expect(bob.bubble("half a thought")).to_have_count(1, timeout=40_000)
    bob.expect_reads("before", "in a tunnel", "nobody listens", "half a thought")
    again.page.reload()
    again.expect_reads("before", "in a tunnel", "nobody listens", "half a thought")
    expect(again.composer).to_have_value("")


def test_what_waits_is_changed_or_deleted_before_it_leaves(friends, own_site):
    alice, bob = friends
    with alice.watch.cut_off(), bob.watch.cut_off():
        own_site.end(signal.SIGKILL)
        alice.say("nobody listens")
        expect(alice.bubble("nobody listens")).to_have_attribute("data-state", "waiting")
        alice.say("see you at sevn")
        alice.say("never mind")
        alice.bubble("never mind").get_by_role("button", name="Delete").click()
        alice.confirm("Delete this message?", "Delete")
        expect(alice.bubble("never mind")).to_have_count(0)
        alice.bubble("see you at sevn").get_by_role("button", name="Edit").click()
        expect(alice.composer).to_have_value("see you at sevn")
        alice.say("see you at seven")
        own_site.start()

        for person in (alice, bob):
            expect(person.bubble("see you at seven")).to_have_count(1, timeout=40_000)
    alice.expect_stored("see you at seven")
    bob.expect_reads("before", "nobody listens", "see you at seven")
