"""Friends in two and three browsers: asked, accepted and ended, each list live."""

from playwright.sync_api import expect


def test_the_answer_to_a_request_is_the_same_for_an_unknown_address(person, visitor):
    alice, bob = person("alice"), person("bob")

    known = alice.ask_friend(bob.email)
    unknown = alice.ask_friend("nobody.at.all@example.org")

    assert known == unknown
    assert known.startswith("Request sent")


def test_a_request_arrives_live_and_accepting_it_fills_both_lists(person):
    alice, bob = person("alice"), person("bob")
    bob.show("Chats")

    alice.ask_friend(bob.email)

    expect(bob.tab("Friends")).to_have_accessible_name("Friends, 1 new")
    bob.accept("alice")
    expect(alice.friend("bob")).to_be_visible()
    expect(bob.tab("Friends")).to_have_accessible_name("Friends")
    expect(alice.page.get_by_text("1 request sent")).to_have_count(0)


def test_a_declined_request_leaves_both_lists_empty(person):
    alice, bob = person("alice"), person("bob")
    alice.ask_friend(bob.email)
    bob.show("Friends")

    bob.button("Decline the request of alice").click()

    expect(bob.button("Decline the request of alice")).to_have_count(0)
    expect(bob.page.get_by_text("No friends yet")).to_be_visible()
    expect(alice.page.get_by_text("No friends yet")).to_be_visible()


def test_a_request_can_be_withdrawn_before_it_is_answered(person):
    alice, bob = person("alice"), person("bob")
    alice.ask_friend(bob.email)
    expect(bob.tab("Friends")).to_have_accessible_name("Friends, 1 new")

    alice.page.get_by_text("1 request sent").click()
    alice.button(f"Withdraw the request to {bob.email}").click()

    expect(alice.page.get_by_text("1 request sent")).to_have_count(0)
    expect(bob.tab("Friends")).to_have_accessible_name("Friends")


def test_a_removed_friend_disappears_from_both_lists(alice, bob):
    alice.friend("bob").click()
    alice.dialog("Profile of bob").get_by_role("button", name="Remove friend").click()
    alice.confirm("Remove bob?", "Remove friend")

    expect(alice.friend("bob")).to_have_count(0)
    expect(bob.page.get_by_text("No friends yet")).to_be_visible()


def test_a_profile_changes_live_on_the_friends_screen(alice, bob):
    alice.show("Me")
    alice.page.get_by_label("Name", exact=True).fill("Alice Kim")
    alice.page.get_by_label("Status message").fill("정원에 물 주는 중")
    alice.button("Save").click()

    expect(bob.friend("Alice Kim")).to_be_visible()
    expect(bob.friend("Alice Kim")).to_contain_text("정원에 물 주는 중")
    bob.page.reload()
    expect(bob.friend("Alice Kim")).to_be_visible()
