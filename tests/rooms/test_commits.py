"""What a commit needs beside the chain: wraps, friends, patience; and what it does to people."""

from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.utils import timezone

from accounts.models import Prekey
from accounts.refusals import Refused
from crypto_client.commit import NO_PREKEY, PrekeyRow
from messaging import services
from rooms.access import rooms_of
from rooms.models import EpochCommit, EpochWrap, Membership, Room
from rooms.outcomes import CommitRefused
from tests.rooms.forging import WRAP, forge, prekey_rows
from tests.rooms.garden import (
    Chain,
    befriend,
    create,
    make_group,
    sent_of,
    wraps_of,
)


def commit_as(garden, name, forged):
    sent, wraps = forged
    person = garden.cast[name]
    return async_to_sync(services.commit_epoch)(
        actor=person.user,
        device_id=person.device_id,
        room_id=garden.id,
        sent=sent,
        wraps=wraps,
    )


def outcome_of(garden, name, forged):
    with pytest.raises(CommitRefused) as refused:
        commit_as(garden, name, forged)
    return refused.value.outcome


# Wraps and prekeys


def without(wraps, person):
    return {device: wrap for device, wrap in wraps.items() if device != person.device_id}


def test_a_commit_without_a_wrap_for_a_member_is_refused(garden):
    sent, wraps = forge(garden.chain, "alice", [])
    assert garden.cast.bob.device_id in wraps

    assert outcome_of(garden, "alice", (sent, without(wraps, garden.cast.bob))) == "epoch_unusable"


def test_a_wrap_for_somebody_else_is_refused(garden):
    sent, wraps = forge(garden.chain, "alice", [])
    more = {**wraps, garden.cast.dave.device_id: WRAP}

    assert outcome_of(garden, "alice", (sent, more)) == "epoch_unusable"


@pytest.mark.parametrize("size", [1167, 1169])
def test_a_wrap_of_another_length_is_refused(garden, size):
    sent, wraps = forge(garden.chain, "alice", [])
    wraps[garden.cast.bob.device_id] = bytes(size)

    assert outcome_of(garden, "alice", (sent, wraps)) == "epoch_unusable"


def test_a_device_without_a_usable_prekey_stops_no_commit(garden):
    alice, bob = garden.cast.alice, garden.cast.bob
    rows = prekey_rows(garden.chain, garden.chain.head.roster)
    rows = [
        r if r.device == alice.device.device else PrekeyRow(r.device, 0, NO_PREKEY) for r in rows
    ]
    sent, wraps = forge(garden.chain, "alice", [], rows=rows)
    assert bob.device_id not in wraps

    assert commit_as(garden, "alice", (sent, wraps)).epoch == 2


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows[:1],
        lambda rows: [*rows, PrekeyRow(b"\xff" * 16, 0, NO_PREKEY)],
        lambda rows: [PrekeyRow(r.device, 2, r.prekey_hash) for r in rows],
        lambda rows: [PrekeyRow(r.device, r.seq, b"\1" * 32) for r in rows],
    ],
    ids=["device-missing", "device-too-many", "seq-not-published", "other-hash"],
)
def test_only_published_prekeys_of_the_rosters_devices_are_named(garden, change):
    rows = change(prekey_rows(garden.chain, garden.chain.head.roster))

    assert outcome_of(garden, "alice", forge(garden.chain, "alice", [], rows=rows)) == "prekey"


def test_a_prekey_never_falls_back(garden):
    bob = garden.cast.bob
    Prekey.objects.create(
        device_id=bob.device_id,
        seq=2,
        body=b"",
        sig=b"",
        prekey_hash=b"\2" * 32,
        expires_ms=2**50,
    )
    older = prekey_rows(garden.chain, garden.chain.head.roster)
    newer = [
        PrekeyRow(r.device, 2, b"\2" * 32) if r.device == bob.device.device else r for r in older
    ]
    commit_as(garden, "alice", forge(garden.chain, "alice", [], rows=newer))
    head = Room.objects.get()
    again = forge(garden.chain, "alice", [], rows=older, epoch=3, prev_hash=bytes(head.head_hash))

    assert outcome_of(garden, "alice", again) == "prekey"


def test_no_wrap_is_made_for_an_expired_prekey(garden):
    Prekey.objects.filter(device_id=garden.cast.bob.device_id).update(expires_ms=1)

    assert outcome_of(garden, "alice", forge(garden.chain, "alice", [])) == "prekey"


# Friends, members, strangers


def test_only_friends_of_the_committer_are_added(garden):
    with pytest.raises(Refused, match="not_friends"):
        garden.commit("alice", garden.add("alice", "mallory"))

    garden.commit("alice", garden.add("alice", "carol"))
    assert garden.id in rooms_of(garden.cast.carol.id)


def test_a_group_begins_with_friends_alone(cast):
    chain = Chain()

    with pytest.raises(Refused, match="not_friends"):
        create(cast, "alice", chain.group("alice", "bob", "mallory"))
    assert not Room.objects.exists()


def test_somebody_without_keys_cannot_be_added(garden):
    garden.cast.carol.user.account_key.delete()

    with pytest.raises(Refused, match="keys_missing"):
        garden.commit("alice", garden.add("alice", "carol"))


@pytest.mark.parametrize(("name", "code"), [("mallory", "not_found"), ("dave", "forbidden")])
def test_who_is_not_in_the_room_commits_nothing(garden, name, code):
    assert garden.id in rooms_of(garden.cast.bob.id)

    with pytest.raises(Refused, match=code):
        commit_as(garden, name, forge(garden.chain, name, []))


def test_a_removed_member_cannot_walk_back_in_by_an_old_head(garden):
    chain = garden.chain
    garden.commit("alice", garden.remove("alice", "bob"))
    assert garden.id not in rooms_of(garden.cast.bob.id)

    with pytest.raises(Refused, match="forbidden"):
        commit_as(garden, "bob", forge(chain, "bob", []))


# Limits


def test_a_member_rotates_once_a_minute_and_an_admin_at_will(garden):
    garden.commit("bob", garden.rotate("bob"))

    with pytest.raises(Refused, match="rate_limited") as refused:
        garden.commit("bob", garden.rotate("bob"))
    assert 0 < refused.value.extra["retry_after_ms"] <= 60_000
    garden.commit("alice", garden.rotate("alice"))
    garden.commit("alice", garden.rotate("alice"))


def test_a_member_rotates_twenty_times_a_day(garden):
    garden.commit("bob", garden.rotate("bob"))
    hours_ago = timezone.now() - timedelta(hours=2)
    row = EpochCommit.objects.get(epoch=2)
    EpochCommit.objects.filter(pk=row.pk).update(created_at=hours_ago)
    for epoch in range(100, 119):
        row.pk, row.epoch = None, epoch
        row.save()
        EpochCommit.objects.filter(pk=row.pk).update(created_at=hours_ago)

    with pytest.raises(Refused, match="rate_limited"):
        garden.commit("bob", garden.rotate("bob"))


def test_the_limit_does_not_hold_a_removal_back(garden):
    garden.commit("alice", garden.add("alice", "carol"))
    garden.commit("bob", garden.rotate("bob"))
    statement = garden.leave("carol")

    garden.commit("bob", garden.remove("bob", "carol", statement))
    assert not Membership.objects.filter(user=garden.cast.carol.user, removed_epoch=None).exists()


# What a commit does to people


def test_wraps_are_there_for_every_device_of_the_new_roster(garden):
    commit = garden.add("alice", "carol")
    garden.commit("alice", commit)

    found = EpochWrap.objects.filter(commit__epoch=2).values_list("device_id", "wrap")
    assert {device: bytes(wrap) for device, wrap in found} == wraps_of(commit)


def test_whoever_is_removed_reads_up_to_the_epoch_before(garden):
    garden.commit("alice", garden.remove("alice", "bob"))

    stay = Membership.objects.get(user=garden.cast.bob.user)
    assert (stay.last_epoch, stay.removed_epoch) == (1, 2)


def test_whoever_is_added_again_has_a_second_stay(garden):
    befriend(garden.cast.alice, garden.cast.dave)

    garden.commit("alice", garden.add("alice", "dave"))

    stays = Membership.objects.filter(user=garden.cast.dave.user).order_by("joined_epoch")
    assert [(stay.joined_epoch, stay.last_epoch) for stay in stays] == [(0, 0), (2, None)]


def test_a_group_has_at_most_two_hundred_members(cast, monkeypatch):
    monkeypatch.setattr("rooms.chain.MAX_MEMBERS", 1)

    with pytest.raises(CommitRefused, match="commit_refused"):
        make_group(cast, "alice", "bob")


def test_a_first_commit_names_its_own_origin(cast):
    commit, other = Chain().group("alice", "bob"), Chain().group("alice", "bob")
    person = cast.alice

    with pytest.raises(CommitRefused) as refused:
        async_to_sync(services.create_room)(
            actor=person.user,
            device_id=person.device_id,
            genesis=other.ops[-150:],
            sent=sent_of(commit),
            wraps=wraps_of(commit),
        )
    assert refused.value.outcome == "reference"
