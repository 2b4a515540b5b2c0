"""A room that keeps no history, from the command line, against a real server."""

import uuid

import pytest

from crypto_client.client.session import Session
from tests.cli.homes import restored, say

pytestmark = pytest.mark.slow


@pytest.fixture
def quiet(alice, bob):
    """The room id of a group of alice and bob that keeps no history."""
    made = alice("room", "group", "quiet", bob.email, "--history", "off").row
    assert made["history"] == "off"
    return made["room_id"]


def records_of(person, room):
    """The history records that the server has of a person's room."""
    with Session.open(person.home, None, 20) as session:
        return session.server.get(f"/api/rooms/{uuid.UUID(room)}/history-records")["records"]


def read(person, room):
    """What stands in a room: a text, or why there is none."""
    rows = person("read", room).rows
    return [
        row.get("text", (row.get("unreadable"), row.get("history")))
        for row in rows
        if "event" not in row
    ]


def test_a_restored_home_is_told_why_nothing_older_is_there_and_goes_on(alice, bob, quiet):
    say(alice, quiet, "before the second home")
    assert bob.reads(quiet) == ["before the second home"]
    assert (records_of(alice, quiet), records_of(bob, quiet)) == ([], [])

    second = restored(alice)

    assert read(second, quiet) == [("epoch_unusable", "off")]
    assert second("room", "list").row["title"] == ""
    say(bob, quiet, "welcome")
    say(second, quiet, "thanks")
    assert read(second, quiet) == [("epoch_unusable", "off"), "welcome", "thanks"]
    assert second("room", "list").row["title"] == "quiet"
    everything = ["before the second home", "welcome", "thanks"]
    assert alice.reads(quiet) == bob.reads(quiet) == everything
    assert records_of(second, quiet) == []


def test_history_ends_for_good_by_its_admin_alone(alice, bob, garden):
    say(alice, garden, "kept")
    assert bob.reads(garden) == ["kept"]
    refused = bob("room", "history", garden, "off")
    assert (refused.status, refused.error) == (1, "commit_refused")
    assert bob("room", "list").row["history"] == "on"

    assert alice("room", "history", garden, "off").row["history"] == "off"

    say(alice, garden, "not kept")
    events = [row["event"] for row in bob("read", garden).rows if "event" in row]
    assert events == ["created", "history_off"]
    assert bob("room", "list").row["history"] == "off"
    assert [row["epoch"] for row in records_of(alice, garden)] == [0]
    second = restored(alice)
    assert read(second, garden) == ["kept", ("epoch_unusable", "off")]
    assert second("room", "list").row["title"] == "garden"


def test_in_a_direct_room_either_ends_it_and_an_existing_one_stays_as_it_is(alice, bob):
    room = alice("room", "direct", bob.email).row
    assert room["history"] == "on"
    assert alice("room", "direct", bob.email, "--history", "off").row["history"] == "on"

    assert bob("room", "history", room["room_id"], "off").row["history"] == "off"

    assert alice("room", "list").row["history"] == "off"


def test_who_joins_later_reads_from_then_on_whether_history_is_kept_or_not(
    alice, bob, carol, garden, quiet
):
    for room in (garden, quiet):
        say(alice, room, "before carol")
        alice("room", "invite", room, carol.email)
        say(alice, room, "with carol")
    assert read(carol, garden) == read(carol, quiet) == ["with carol"]

    second = restored(carol)

    assert read(second, garden) == ["with carol"]
    assert read(second, quiet) == [("epoch_unusable", "off")]


def test_who_left_and_a_stranger_end_nothing(alice, bob, carol, mallory, garden):
    dave = carol
    alice("room", "invite", garden, dave.email)
    assert dave.reads(garden) == []
    assert dave("room", "leave", garden).row == {"left": True}
    say(alice, garden, "without dave")

    assert dave("room", "history", garden, "off").status == 1
    assert mallory("room", "history", garden, "off").error == "not_found"

    assert alice("room", "list").row["history"] == "on"
