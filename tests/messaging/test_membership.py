"""What changes for people when they join, leave and are removed."""

from datetime import timedelta
from uuid import UUID

import pytest
from asgiref.sync import async_to_sync
from django.utils import timezone

from accounts.protocol import digest, from_base64url
from accounts.refusals import Refused
from crypto_client.committing import commit_role
from crypto_client.encoding import lp
from crypto_client.statements import Subject, make_leave, make_remove_intent
from messaging import runtime, services
from messaging.models import LogRecord
from rooms.access import may_know, rooms_of
from rooms.models import EpochCommit
from rooms.outcomes import CommitRefused
from tests.rooms.garden import (
    another_device,
    befriend,
    commit_json,
    id_bytes,
    make_direct,
    make_group,
    relist,
)


@pytest.fixture
def told(monkeypatch):
    """Personal news, as (user, event)."""
    news = []
    monkeypatch.setattr(
        "accounts.realtime._send",
        lambda user_id, message: news.append((user_id, message["frame"]["event"])),
    )
    return news


def leave_as(garden, name, statement):
    person = garden.cast[name]
    return async_to_sync(services.leave_room)(
        actor=person.user, device_id=person.device_id, room_id=garden.id, statement=statement
    )


def kinds(garden, name):
    return [item["kind"] for item in garden.items(name)]


# Leaving


def test_a_leaver_reads_nothing_new_at_once(garden):
    garden.commit("alice", garden.add("alice", "carol"))
    garden.leave("carol")
    before = garden.items("carol")
    assert before[-1]["kind"] == "leave"

    garden.commit("alice", garden.remove("alice", "carol"))
    garden.say("alice", "carol is gone")

    assert garden.items("carol") == before
    assert garden.id not in rooms_of(garden.cast.carol.id)


def test_a_leave_stands_in_the_log_as_the_protocol_writes_it(garden):
    event = from_base64url(next(i for i in garden.items("alice") if i["kind"] == "leave")["event"])
    dave = garden.chain.keys["dave"].device

    statement = make_leave(dave, garden.chain.head.room, 0).encode()

    assert event == lp(b"left", b"\1", garden.chain.head.room, dave.user, bytes(8), statement)


def test_whoever_stays_is_told_who_leaves_and_why(garden):
    garden.commit("alice", garden.add("alice", "carol"))
    statement = garden.leave("carol")

    room = garden.cast.bob.get(garden.path).json()

    assert room["stale"] is True
    assert [row["user_id"] for row in room["leaving"]] == [str(garden.cast.carol.id)]
    assert from_base64url(room["leaving"][0]["statement"]) == statement.encode()
    assert str(garden.cast.carol.id) not in [row["user_id"] for row in room["members"]]


def test_leaving_twice_is_leaving_once(garden):
    garden.commit("alice", garden.add("alice", "carol"))
    statement = garden.leave("carol")

    leave_as(garden, "carol", statement.encode())

    assert kinds(garden, "alice").count("leave") == 2


def test_a_leave_counts_before_the_log_has_it_and_is_completed_by_repeating_it(garden, monkeypatch):
    class BrokenQueue:
        async def publish(self, record):
            raise Refused("unavailable", retry_after_ms=1000)

    statement = garden.leave_statement("bob").encode()
    with monkeypatch.context() as patch:
        patch.setattr(runtime, "queue", BrokenQueue)
        with pytest.raises(Refused, match="unavailable"):
            leave_as(garden, "bob", statement)
    assert garden.id not in rooms_of(garden.cast.bob.id)

    leave_as(garden, "bob", statement)

    assert kinds(garden, "alice").count("leave") == 2


@pytest.mark.parametrize(
    ("make", "outcome"),
    [
        (lambda g: b"", "parse"),
        (lambda g: make_leave(g.chain.keys["bob"].device, bytes(16), 0).encode(), "signature"),
        (
            lambda g: make_leave(g.chain.keys["bob"].device, g.chain.head.room, 5).encode(),
            "signature",
        ),
        (lambda g: g.leave_statement("alice").encode(), "signature"),
    ],
    ids=["empty", "other-room", "other-stay", "somebody-else"],
)
def test_a_leave_that_is_not_ones_own_ends_nothing(garden, make, outcome):
    with pytest.raises(CommitRefused) as refused:
        leave_as(garden, "bob", make(garden))

    assert refused.value.outcome == outcome
    assert garden.id in rooms_of(garden.cast.bob.id)


def test_a_wish_that_somebody_goes_is_no_leave(garden):
    bob = garden.chain.keys["bob"].device
    subject = Subject(garden.chain.head.room, bob.user, bob.amk_pub, 0)

    with pytest.raises(CommitRefused):
        leave_as(garden, "bob", make_remove_intent(bob, subject).encode())
    assert garden.id in rooms_of(garden.cast.bob.id)


def test_a_direct_room_cannot_be_left(cast):
    direct = make_direct(cast, "alice", "bob")

    with pytest.raises(Refused, match="forbidden"):
        leave_as(direct, "bob", direct.leave_statement("bob").encode())


def test_somebody_removed_cannot_leave_any_more(garden):
    statement = garden.leave_statement("bob").encode()
    garden.commit("alice", garden.remove("alice", "bob"))

    with pytest.raises(Refused, match="forbidden"):
        leave_as(garden, "bob", statement)


def test_a_device_that_the_roster_does_not_name_waits_for_its_refresh(garden):
    tablet = another_device(garden, "bob")
    relist(garden, "bob", garden.chain.keys["bob"].device, tablet)
    statement = make_leave(tablet, garden.chain.head.room, 0)

    with pytest.raises(Refused, match="stale_epoch"):
        async_to_sync(services.leave_room)(
            actor=garden.cast.bob.user,
            device_id=UUID(bytes=tablet.device),
            room_id=garden.id,
            statement=statement.encode(),
        )


# Admins


def test_the_last_admin_hands_the_role_on_before_leaving(garden):
    with pytest.raises(Refused, match="last_admin"):
        garden.leave("alice")

    garden.commit(
        "alice", commit_role(garden.chain.head, id_bytes("bob"), 2, garden.chain.by("alice"))
    )
    garden.leave("alice")
    assert garden.id not in rooms_of(garden.cast.alice.id)


def test_of_two_admins_only_one_can_leave(garden):
    garden.commit(
        "alice", commit_role(garden.chain.head, id_bytes("bob"), 2, garden.chain.by("alice"))
    )
    garden.leave("alice")

    with pytest.raises(Refused, match="last_admin"):
        garden.leave("bob")


def test_an_admin_who_is_leaving_cannot_be_the_only_one_left(garden):
    garden.commit(
        "alice", commit_role(garden.chain.head, id_bytes("bob"), 2, garden.chain.by("alice"))
    )
    garden.leave("alice")
    demotion = commit_role(garden.chain.head, id_bytes("bob"), 1, garden.chain.by("bob"))

    with pytest.raises(CommitRefused) as refused:
        garden.commit("bob", demotion)
    assert refused.value.outcome == "op_forbidden"


def test_nobody_leaves_while_a_commit_is_on_its_way(garden):
    row = EpochCommit.objects.get(epoch=1)
    row.pk, row.epoch, row.status = None, 2, EpochCommit.Status.PENDING
    row.created_at = timezone.now() - timedelta(hours=1)
    row.save()

    with pytest.raises(Refused, match="commit_pending"):
        garden.leave("bob")


# News


def test_people_are_told_of_their_rooms(cast, told, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        garden = make_group(cast, "alice", "bob", "carol")
    assert set(told) == {(cast[name].id, "room.added") for name in ("alice", "bob", "carol")}
    told.clear()

    with django_capture_on_commit_callbacks(execute=True):
        garden.commit("alice", garden.remove("alice", "bob"))
        garden.leave("carol")
    assert set(told) == {(cast[name].id, "room.removed") for name in ("bob", "carol")}


def test_rooms_hear_of_commits_and_leaves_and_drop_who_is_gone(garden, monkeypatch):
    heard = []

    async def room_event(room_id, event, **members):
        heard.append((event, members))

    async def membership_changed(room_id, removed):
        heard.append(("dropped", {"removed": set(removed)}))

    monkeypatch.setattr("messaging.announce.room_event", room_event)
    monkeypatch.setattr("messaging.announce.membership_changed", membership_changed)

    garden.commit("alice", garden.remove("alice", "bob"))

    assert heard[0] == ("dropped", {"removed": {garden.cast.bob.id}})
    assert (heard[1][0], heard[1][1]["epoch"]) == ("commit.accepted", 2)


# Who knows whom


def test_fellow_members_may_see_each_others_keys_and_who_left_nobody_new(garden):
    alice, bob, carol, dave, mallory = (
        garden.cast[name].id for name in ("alice", "bob", "carol", "dave", "mallory")
    )
    garden.commit("alice", garden.add("alice", "carol"))
    assert may_know(bob, carol)
    assert may_know(carol, dave)

    assert may_know(dave, bob)
    assert not may_know(dave, carol)
    assert not may_know(mallory, alice)
    assert not may_know(alice, mallory)


def test_a_newcomer_fetches_the_keys_of_a_member_who_is_no_friend(garden):
    path = f"/api/users/{garden.cast.bob.id}/keys"
    assert garden.cast.carol.get(path).status_code == 404

    garden.commit("alice", garden.add("alice", "carol"))

    assert garden.cast.carol.get(path).status_code == 200


# Over REST


def test_a_commit_over_rest_answers_with_epoch_and_hash(garden):
    commit = garden.rotate("alice")

    answer = garden.cast.alice.prove().post(f"{garden.path}/commits", commit_json(commit))

    assert answer.status_code == 201
    assert answer.json()["epoch"] == 2
    assert from_base64url(answer.json()["hash"]) == commit.hash


def test_a_refused_commit_names_its_outcome(garden):
    befriend(garden.cast.bob, garden.cast.carol)

    answer = garden.cast.bob.prove().post(
        f"{garden.path}/commits", commit_json(garden.add("bob", "carol"))
    )

    assert (answer.status_code, answer.json()["outcome"]) == (400, "op_forbidden")


def test_the_hash_of_a_leave_is_the_hash_of_its_event(garden):
    event = from_base64url(next(i for i in garden.items("alice") if i["kind"] == "leave")["event"])

    assert bytes(LogRecord.objects.get(kind=LogRecord.Kind.LEAVE).eid) == digest("event", event)
