"""Rooms in two and three browsers: opened, named, joined, left and deleted, live for everybody."""

from playwright.sync_api import expect


def test_there_is_one_room_for_a_pair_whoever_opens_it(alice, bob):
    alice.open_direct("bob")
    bob.open_direct("alice")

    assert alice.room_id == bob.room_id
    alice.say("is this the one?")
    expect(bob.bubble("is this the one?")).to_be_visible()


def test_a_group_appears_with_its_title_at_everybody_who_was_chosen(alice, bob, carol):
    bob.show("Chats")
    carol.show("Chats")

    alice.make_group("여름 정원", "bob", "carol")

    expect(bob.room("여름 정원")).to_be_visible()
    expect(carol.room("여름 정원")).to_be_visible()
    bob.enter("여름 정원")
    expect(bob.facts().first).to_contain_text("alice started the chat")


def test_a_new_title_is_seen_live_by_the_others(alice, bob):
    alice.make_group("garden", "bob")
    bob.enter("garden")

    alice.open_details().get_by_role("button", name="Rename").click()
    dialog = alice.dialog("Rename the chat")
    dialog.get_by_role("textbox").fill("텃밭")
    dialog.get_by_role("textbox").press("Enter")

    bob.expect_room("텃밭")
    alice.expect_room("텃밭")


def test_who_is_invited_later_reads_from_then_on(alice, bob, carol):
    alice.make_group("garden", "bob")
    alice.say("before carol")
    alice.expect_stored("before carol")
    carol.show("Chats")

    alice.open_details().get_by_role("button", name="Add friends").click()
    dialog = alice.dialog("Add friends")
    dialog.get_by_role("checkbox", name="carol").check()
    dialog.get_by_role("button", name="Add", exact=True).click()
    carol.enter("garden")
    alice.say("welcome carol")

    expect(carol.bubble("welcome carol")).to_be_visible()
    carol.expect_reads("welcome carol")
    bob.enter("garden")
    bob.expect_reads("before carol", "welcome carol")


def test_who_leaves_reads_what_they_had_and_nothing_after(alice, bob, carol):
    alice.make_group("garden", "bob", "carol")
    carol.enter("garden")
    alice.say("carol hears this")
    expect(carol.bubble("carol hears this")).to_be_visible()

    carol.open_details().get_by_role("button", name="Leave").click()
    carol.confirm("Leave this chat?", "Leave")
    expect(carol.page.get_by_text("You left this chat.")).to_be_visible()
    bob.enter("garden")
    expect(bob.facts().last).to_contain_text("carol left")
    bob.say("carol is gone")
    bob.expect_stored("carol is gone")

    carol.page.reload()
    carol.expect_reads("carol hears this")
    answer = carol.fetch(f"/api/rooms/{carol.room_id}/items?after=0")
    assert answer["status"] == 200
    assert '"last_epoch":0' in carol.fetch(f"/api/rooms/{carol.room_id}")["body"].replace(" ", "")


def test_who_is_removed_sees_it_at_once_and_nothing_after(alice, bob):
    alice.make_group("garden", "bob")
    bob.enter("garden")
    alice.say("with bob")
    expect(bob.bubble("with bob")).to_be_visible()

    alice.open_details().get_by_role("button", name="bob").click()
    alice.dialog("Actions for bob").get_by_role("button", name="Remove").click()
    alice.confirm("Remove bob?", "Remove")

    expect(bob.page.get_by_text("You were removed from this chat.")).to_be_visible()
    alice.say("without bob")
    alice.expect_stored("without bob")
    bob.page.reload()
    bob.expect_reads("with bob")


def test_a_room_deleted_for_oneself_stays_with_the_others_and_comes_back(alice, bob):
    alice.open_direct("bob")
    alice.say("first")
    alice.expect_stored("first")
    bob.enter("alice")
    expect(bob.bubble("first")).to_be_visible()

    bob.open_details().get_by_role("button", name="Delete for me").click()
    bob.confirm("Delete it for yourself?", "Delete for me")

    expect(bob.page.get_by_text("Start your first chat")).to_be_visible()
    alice.expect_reads("first")
    alice.say("second")
    expect(bob.room("alice")).to_be_visible()


def test_a_room_deleted_for_everybody_is_gone_from_every_screen(alice, bob):
    alice.make_group("garden", "bob")
    bob.enter("garden")
    alice.say("soon gone")
    expect(bob.bubble("soon gone")).to_be_visible()
    address = f"/api/rooms/{bob.room_id}"
    assert bob.fetch(address)["status"] == 200

    alice.open_details().get_by_role("button", name="Delete for everybody").click()
    alice.confirm("Delete it for everybody?", "Delete for everybody")

    expect(alice.page.get_by_text("Start your first chat")).to_be_visible()
    expect(bob.page.locator("gamrae-rooms").get_by_text("Start your first chat")).to_be_visible()
    bob.watch.expect("status of 410")
    assert bob.fetch(address)["status"] == 410
    expect(bob.bubble("soon gone")).to_have_count(0)


def test_the_last_admin_names_another_before_leaving(alice, bob):
    alice.make_group("garden", "bob")
    details = alice.open_details()
    details.get_by_role("button", name="Leave").click()
    expect(alice.page.get_by_text("You are the last admin.")).to_be_visible()

    details.get_by_role("button", name="bob").click()
    alice.dialog("Actions for bob").get_by_role("button", name="Make admin").click()
    alice.confirm("Make bob an admin?", "Make admin")
    expect(alice.facts().last).to_contain_text("bob is an admin now")
    details.get_by_role("button", name="Leave").click()
    alice.confirm("Leave this chat?", "Leave")

    expect(alice.page.get_by_text("You left this chat.")).to_be_visible()
