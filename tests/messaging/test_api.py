"""The Room object and the REST of rooms, as docs/wire.md writes them."""

import re
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync
from django.urls import reverse

from accounts.models import random_id
from accounts.protocol import from_base64url, to_base64url
from messaging.record import NO_DEVICE
from messaging.serializers import Room as RoomShape
from messaging.services import list_rooms
from rooms.models import EpochCommit, Membership, Room
from rooms.serializers import Commit as CommitShape
from rooms.throttles import NewRoomThrottle
from tests.rooms.garden import (
    Chain,
    commit_json,
    genesis_of,
    make_direct,
    make_group,
    parts_json,
    wraps_json,
)

WIRE = (Path(__file__).parents[2] / "docs" / "wire.md").read_text()


def rooms_of(person):
    answer = person.get("/api/rooms")
    assert answer.status_code == 200, answer.content
    return answer.json()["rooms"]


def names(text):
    """The members of an object as docs/wire.md writes it, without those of objects inside."""
    flat = re.sub(r"\[?\{[^{}]*\}\]?", "", text[1:-1])
    return {part.split(":")[0].strip() for part in flat.split(",") if part.strip()}


# Shapes


def test_a_room_has_the_members_that_the_documentation_names(garden):
    documented = re.search(r"A \*\*Room\*\* is\n`(\{room_id.*\})`", WIRE)
    assert documented

    room = garden.cast.bob.get(garden.path).json()

    assert names(documented[1]) == set(room) == set(RoomShape().fields)


def test_a_commit_has_the_members_that_the_documentation_names(garden):
    documented = re.search(r"A \*\*Commit\*\* is `(\{.*?\})`", WIRE)
    assert documented

    commit = garden.cast.bob.get(f"{garden.path}/commits").json()["commits"][0]

    assert names(documented[1]) == set(commit) == set(CommitShape().fields)


# Creating


def test_a_new_direct_room_is_on_both_lists(cast):
    commit = Chain().direct("alice", "bob")
    body = {
        "genesis": to_base64url(genesis_of(commit)),
        "commit": parts_json(commit),
        "wraps": wraps_json(commit),
    }

    answer = cast.alice.prove().post("/api/rooms", body)

    assert answer.status_code == 201, answer.content
    assert answer.json()["kind"] == "direct"
    assert [room["room_id"] for room in rooms_of(cast.bob)] == [answer.json()["room_id"]]
    assert rooms_of(cast.bob)[0]["genesis"] == body["genesis"]


def test_beginning_rooms_is_limited_for_each_person(cast, monkeypatch):
    monkeypatch.setattr(NewRoomThrottle, "rate", "1/hour")
    alice, bob = cast.alice.prove(), cast.bob.prove()
    assert alice.post("/api/rooms", {}).status_code == 400

    refused = alice.post("/api/rooms", {})

    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert bob.post("/api/rooms", {}).status_code == 400
    assert alice.get("/api/rooms").status_code == 200


def test_the_second_direct_room_of_a_pair_is_answered_with_the_first(cast):
    direct = make_direct(cast, "alice", "bob")
    commit = Chain().direct("bob", "alice")
    body = {
        "genesis": to_base64url(genesis_of(commit)),
        "commit": parts_json(commit),
        "wraps": wraps_json(commit),
    }

    answer = cast.bob.prove().post("/api/rooms", body)

    assert answer.status_code == 409
    assert (answer.json()["code"], answer.json()["room_id"]) == ("room_exists", str(direct.id))


@pytest.mark.parametrize(
    "change",
    [
        {"wraps": [{"device_id": "x", "wrap": ""}]},
        {"tag": "AA"},
        {"sig": None},
        {"core": "not base64url!"},
        {"extra": 1},
        {"wraps": "none"},
    ],
    ids=["bad-wrap", "short-tag", "no-sig", "bad-core", "unknown-member", "wraps-no-list"],
)
def test_a_malformed_commit_body_is_invalid(garden, change):
    body = {**commit_json(garden.rotate("alice")), **change}

    answer = garden.cast.alice.prove().post(f"{garden.path}/commits", body)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert garden.cast.bob.get(garden.path).json()["head_epoch"] == 1


def test_a_device_named_twice_among_the_wraps_is_invalid(garden):
    body = commit_json(garden.rotate("alice"))
    body["wraps"].append(body["wraps"][0])

    answer = garden.cast.alice.prove().post(f"{garden.path}/commits", body)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_a_commit_that_is_far_too_large_is_refused(garden):
    body = {**commit_json(garden.rotate("alice")), "ops": "A" * 5_000_000}

    answer = garden.cast.alice.prove().post(f"{garden.path}/commits", body)

    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_a_commit_may_weigh_what_its_devices_need(garden):
    body = {**commit_json(garden.rotate("alice")), "ops": to_base64url(bytes(80_000))}

    answer = garden.cast.alice.prove().post(f"{garden.path}/commits", body)

    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


# Looking


def test_a_member_sees_the_room_as_it_is(garden):
    room = garden.cast.bob.get(garden.path).json()

    assert (room["kind"], room["head_epoch"], room["head_seq"]) == ("group", 1, 5)
    assert from_base64url(room["head_hash"]) == garden.chain.head.head
    assert room["me"] == {"role": "member", "joined_epoch": 0, "last_epoch": None, "hidden_to": 0}
    people = {row["nickname"]: row["role"] for row in room["members"]}
    assert people == {"Alice": "admin", "Bob": "member"}
    assert (room["stale"], room["leaving"]) == (False, [])


def test_who_has_left_sees_the_room_as_it_was(garden):
    before = garden.cast.dave.get(garden.path).json()
    assert (before["head_epoch"], before["head_seq"]) == (0, 3)
    assert from_base64url(before["head_hash"]) == garden.chain.commits[0].hash
    assert {row["nickname"] for row in before["members"]} == {"Alice", "Bob", "Dave"}

    garden.commit("alice", garden.add("alice", "carol"))
    garden.commit("alice", garden.remove("alice", "bob"))
    garden.say("carol", "only two of us")

    assert garden.cast.dave.get(garden.path).json() == before
    assert rooms_of(garden.cast.dave) == [before]


def test_who_was_removed_sees_the_room_as_it_was(garden):
    garden.commit("alice", garden.remove("alice", "bob"))

    room = garden.cast.bob.get(garden.path).json()

    assert (room["head_epoch"], room["head_seq"], room["me"]["last_epoch"]) == (1, 5, 1)
    assert from_base64url(room["head_hash"]) == garden.chain.commits[1].hash


def test_a_stranger_cannot_tell_a_room_from_none(garden):
    assert garden.cast.alice.get(garden.path).status_code == 200
    nowhere = "/api/rooms/00000000-0000-4000-8000-000000000000"

    there, none = garden.cast.mallory.get(garden.path), garden.cast.mallory.get(nowhere)

    assert (
        (there.status_code, there.content)
        == (none.status_code, none.content)
        == (
            404,
            none.content,
        )
    )


def test_the_list_costs_the_same_for_many_rooms(garden, django_assert_num_queries):
    make_direct(garden.cast, "alice", "bob")
    for _ in range(3):
        make_group(garden.cast, "alice", "bob", "carol")

    with django_assert_num_queries(5):
        assert len(async_to_sync(list_rooms)(actor=garden.cast.alice.user)) == 5


def test_the_list_costs_the_same_for_many_rooms_one_has_left(garden, django_assert_num_queries):
    for _ in range(3):
        group = make_group(garden.cast, "alice", "bob", "carol")
        group.commit("alice", group.remove("alice", "bob"))

    with django_assert_num_queries(7):
        assert len(async_to_sync(list_rooms)(actor=garden.cast.bob.user)) == 4


# Chains


def test_a_newcomer_fetches_the_chain_from_the_beginning(garden):
    garden.commit("alice", garden.add("alice", "carol"))

    answer = garden.cast.carol.get(f"{garden.path}/commits?after=-1").json()

    assert answer["head_epoch"] == 2
    found = [(row["epoch"], from_base64url(row["core"])) for row in answer["commits"]]
    assert found == [(n, commit.core) for n, commit in enumerate(garden.chain.commits)]


def test_who_has_left_gets_the_chain_up_to_their_last_epoch(garden):
    answer = garden.cast.dave.get(f"{garden.path}/commits").json()

    assert (answer["head_epoch"], [row["epoch"] for row in answer["commits"]]) == (0, [0])


def test_commits_come_in_pages(garden):
    answer = garden.cast.bob.get(f"{garden.path}/commits?after=-1&limit=1").json()

    assert (answer["head_epoch"], [row["epoch"] for row in answer["commits"]]) == (1, [0])


@pytest.mark.parametrize("query", ["after=-2", "after=x", "limit=0", "limit=101", "more=1"])
def test_a_malformed_query_is_invalid(garden, query):
    answer = garden.cast.bob.get(f"{garden.path}/commits?{query}")

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_the_schema_is_valid_and_warns_of_nothing(client, capsys):
    answer = client.get(reverse("schema"))

    assert answer.status_code == 200
    assert "/api/rooms/{room_id}/commits" in answer.json()["paths"]
    assert capsys.readouterr().err == ""


def test_who_was_in_more_rooms_than_one_query_can_name_still_gets_their_list(cast):
    """A friend can put somebody into any number of groups and out of them again."""
    rooms = [Room(id=random_id(), kind=1, genesis=b"g", head_epoch=1) for _ in range(1100)]
    Room.objects.bulk_create(rooms)
    parts = {"core": b"", "tag": b"", "sig": b"", "ops": b"", "state": b"", "prekeys": b""}
    EpochCommit.objects.bulk_create(
        EpochCommit(
            room=room,
            epoch=epoch,
            status=EpochCommit.Status.ACCEPTED,
            hash=room.id.bytes * 2,
            committer_device=NO_DEVICE,
            **parts,
        )
        for room in rooms
        for epoch in (0, 1)
    )
    Membership.objects.bulk_create(
        Membership(
            room=room,
            user=cast.mallory.user,
            role=1,
            amk_pub=b"",
            list_version=1,
            list_hash=b"",
            joined_epoch=0,
            last_epoch=0,
            removed_epoch=1,
        )
        for room in rooms
    )

    assert len(rooms_of(cast.mallory)) == len(rooms)
