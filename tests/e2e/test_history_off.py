"""A room that keeps no history: the browser says so where it is made, read, and missed."""

from playwright.sync_api import expect

PROFILES = ("solo",)  # what is kept is decided by the browsers


def test_a_room_without_history_is_read_by_who_was_there_and_explained_to_a_new_device(
    alice, bob, elsewhere
):
    alice.make_group("Quiet", bob.name, keeps_history=False)
    alice.say("only for today")
    alice.expect_stored("only for today")
    expect(alice.page.locator(".room-title")).to_contain_text("Keeps no past messages")
    bob.enter("Quiet")
    bob.expect_reads("only for today")
    words = alice.write_down()
    laptop = elsewhere(alice)

    laptop.restore(words)
    laptop.enter("Chat without a name")

    expect(laptop.page.locator(".unreadable")).to_contain_text("keeps no past messages")
    expect(laptop.page.locator(".line")).to_have_count(0)
    bob.say("welcome back")
    laptop.expect_room("Quiet")
    laptop.expect_reads("welcome back")
    laptop.say("thank you")
    laptop.expect_stored("thank you")
    bob.expect_reads("only for today", "welcome back", "thank you")
    asked = f"/api/rooms/{bob.room_id}/history-records?after=-1"
    assert bob.fetch(asked)["body"].replace(" ", "") == '{"records":[]}'
