"""Rooms and messages from the command line, against a real server process."""

import pytest

pytestmark = pytest.mark.slow


def test_two_people_talk_and_read_the_same(alice, bob, garden):
    sent = alice("send", "garden", "안녕, 밥!", "--wait", "stored").row
    assert sent["state"] == "stored"

    assert bob("send", garden, "안녕, 앨리스").row["state"] == "accepted"

    assert alice.reads("garden") == bob.reads("garden") == ["안녕, 밥!", "안녕, 앨리스"]


def test_a_direct_room_is_one_for_the_pair(alice, bob):
    opened = alice("room", "direct", bob.email).row
    assert opened["title"] == "bob"

    assert bob("room", "direct", alice.email).row["room_id"] == opened["room_id"]

    alice("send", bob.email, "only for you")
    assert bob.reads(alice.email) == ["only for you"]


def test_a_stranger_finds_nothing_by_title_or_id(alice, garden, mallory):
    alice("send", "garden", "a secret")

    assert mallory("room", "list").rows == []
    for words in (["send", garden, "let me in"], ["read", garden], ["room", "leave", garden]):
        refused = mallory(*words)
        assert (refused.status, refused.error) == (1, "not_found")
    assert alice.reads("garden") == ["a secret"]


def test_who_left_reads_what_they_had_and_nothing_after(alice, bob, carol, garden):
    alice("room", "invite", "garden", carol.email)
    carol("send", garden, "carol was here")
    assert bob.reads("garden") == ["carol was here"]

    assert carol("room", "leave", garden).row == {"left": True}
    assert bob("send", "garden", "carol has left", "--wait", "stored").row["state"] == "stored"

    refused = carol("send", garden, "am I still in?")
    assert (refused.status, refused.error) == (1, "forbidden")
    assert carol.reads(garden) == ["carol was here"]
    assert alice.reads("garden") == ["carol was here", "carol has left"]


def test_who_joins_sees_from_their_joining(alice, carol, garden):
    alice("send", "garden", "before carol")
    alice("room", "invite", "garden", carol.email)
    alice("send", "garden", "with carol")

    assert carol.reads("garden") == ["with carol"]


def test_who_was_removed_sees_nothing_sealed_afterwards(alice, bob, carol, garden):
    alice("room", "invite", "garden", carol.email)
    alice("send", "garden", "with carol")
    assert carol.reads(garden) == ["with carol"]

    alice("room", "remove", "garden", carol.email)
    bob("send", "garden", "without carol")

    assert carol.reads(garden) == ["with carol"]
    assert carol("send", garden, "still?").error == "forbidden"
    assert bob.reads("garden") == ["with carol", "without carol"]


def test_who_comes_back_reads_both_stays_and_not_the_time_between(alice, carol, garden):
    alice("room", "invite", "garden", carol.email)
    alice("send", "garden", "first stay")
    carol.reads(garden)
    alice("room", "remove", "garden", carol.email)
    alice("send", "garden", "in between")

    alice("room", "invite", "garden", carol.email)
    alice("send", "garden", "second stay")

    assert carol.reads(garden) == ["first stay", "second stay"]


def test_a_new_title_reaches_everybody_and_only_an_admin_gives_it(alice, bob, garden):
    assert alice("room", "rename", "garden", "정원").row["title"] == "정원"
    assert bob("room", "list").row["title"] == "정원"

    refused = bob("room", "rename", garden, "bob's")
    assert (refused.status, refused.error) == (1, "commit_refused")
    assert alice("room", "list").row["title"] == "정원"


def test_deleting_for_everybody_leaves_nothing_to_anybody(alice, bob, garden):
    alice("send", "garden", "soon gone")
    assert bob("room", "delete", "garden", "--for-all").error == "forbidden"

    assert alice("room", "delete", garden, "--for-all").row == {"deleted": True}

    assert bob("room", "list").rows == []
    assert bob("read", garden).status == 1


def test_deleting_for_oneself_leaves_it_to_the_others(alice, bob):
    alice("room", "direct", bob.email)
    alice("send", bob.email, "before")

    assert bob("room", "delete", alice.email).row == {"deleted": True}

    assert bob("room", "list").rows == []
    alice("send", bob.email, "after")
    assert bob("room", "list").row["title"] == "alice"


def test_listening_shows_each_new_message_once(alice, bob, garden):
    alice("send", "garden", "one")
    alice("send", "garden", "two")

    assert bob("listen", "--count", "2").texts == ["one", "two"]

    nothing = bob("listen", "--count", "1", timeout=0.5)
    assert (nothing.status, nothing.error) == (5, "timeout")


def test_a_safety_number_is_the_same_on_both_sides(alice, bob):
    number = alice("verify", bob.email).row["safety_number"]

    assert len(number.replace(" ", "")) == 60
    assert bob("verify", alice.email).row["safety_number"] == number
