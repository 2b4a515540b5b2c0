"""Wraps for devices, and history records that an account keeps for itself."""

from dataclasses import replace
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from accounts.protocol import from_base64url, to_base64url
from crypto_client.commit import PrekeySource
from crypto_client.history import EpochName, HistoryWriter, seal_history
from crypto_client.ops import ChangeState
from crypto_client.recovery import backup_public
from rooms.models import EpochCommit, EpochWrap, HistoryRecord
from tests.accounts.listing import prove_as, renewal_body
from tests.accounts.resetting import start_again
from tests.cast import keys_of
from tests.rooms.forging import forge
from tests.rooms.judging import commit_of


def wraps(garden, name, after=-1):
    answer = garden.cast[name].prove().get(f"{garden.path}/wraps?after={after}")
    assert answer.status_code == 200, answer.content
    return {row["epoch"]: from_base64url(row["wrap"]) for row in answer.json()["wraps"]}


# Wraps


def test_a_device_fetches_its_own_wraps_and_they_open(garden):
    bob = garden.chain.keys["bob"]
    source = PrekeySource(
        bob.device.user, bob.device.device, {bob.prekey.prekey_hash: bob.prekey_seed}
    )
    found = wraps(garden, "bob")
    assert set(found) == {0, 1}

    for epoch, commit in enumerate(garden.chain.commits):
        served = replace(commit, wraps={bob.device.device: found[epoch]})
        assert len(source.secret(served)) == 32


def test_who_has_left_gets_no_later_wraps(garden):
    assert set(wraps(garden, "alice")) == {0, 1}

    assert set(wraps(garden, "dave")) == {0}


def test_a_leaver_gets_no_wrap_even_while_the_roster_still_names_them(garden):
    garden.commit("alice", garden.add("alice", "carol"))
    garden.leave("carol")
    garden.commit("alice", garden.rotate("alice"))
    assert EpochWrap.objects.filter(device=garden.cast.carol.device_id, commit__epoch=3).exists()

    assert set(wraps(garden, "carol")) == {2}


def test_a_wrap_that_nobody_fetched_for_sixty_days_is_forgotten_but_not_the_heads(garden):
    day = timedelta(days=1)
    for epoch, age in ((0, 61 * day), (1, 90 * day)):
        commits = EpochCommit.objects.filter(room=garden.id, epoch=epoch)
        commits.update(created_at=timezone.now() - age)
    assert set(wraps(garden, "alice")) == {0, 1}

    call_command("tidy", stdout=StringIO())

    assert set(wraps(garden, "alice")) == {1}


def test_a_wrap_of_a_closed_epoch_waits_for_sixty_days(garden):
    commits = EpochCommit.objects.filter(room=garden.id, epoch=0)
    commits.update(created_at=timezone.now() - timedelta(days=59))

    call_command("tidy", stdout=StringIO())

    assert set(wraps(garden, "alice")) == {0, 1}


def test_an_acknowledged_wrap_is_deleted_and_nobody_elses(garden):
    bob = garden.cast.bob.prove()

    answer = bob.post(f"{garden.path}/wraps/ack", {"epochs": [0]})

    assert answer.status_code == 204
    assert (set(wraps(garden, "bob")), set(wraps(garden, "alice"))) == ({1}, {0, 1})


@pytest.mark.parametrize("epochs", [[], ["0"], [-1], [0.5], "0", list(range(101))])
def test_a_malformed_acknowledgement_is_invalid(garden, epochs):
    answer = garden.cast.bob.prove().post(f"{garden.path}/wraps/ack", {"epochs": epochs})

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_committers_see_which_prekeys_the_head_used(garden):
    answer = garden.cast.bob.prove().get(f"{garden.path}/prekeys").json()

    assert from_base64url(answer["prekeys"]) == garden.chain.prekeys


# History records


def record_of(garden, name, epoch, *, bk_version=1, keys=None):
    keys = keys or keys_of(name)
    backup = backup_public(keys.recovery_key, keys.account.user, bk_version)
    epoch_name = EpochName(garden.chain.head.room, epoch, garden.chain.commits[epoch].hash)
    writer = HistoryWriter(keys.device, bk_version, backup)
    made = seal_history(writer, epoch_name, bytes(32))
    return {
        "epoch": epoch,
        "commit_hash": to_base64url(epoch_name.commit_hash),
        "bk_version": bk_version,
        "record": to_base64url(made.record),
        "sig": to_base64url(made.sig),
    }


def put(garden, name, *records):
    path = f"{garden.path}/history-records"
    return garden.cast[name].prove().put(path, {"records": list(records)})


def test_an_account_reads_back_its_own_history_and_nobody_elses(garden):
    record = record_of(garden, "bob", 0)
    assert put(garden, "bob", record).status_code == 204

    mine = garden.cast.bob.get(f"{garden.path}/history-records?after=-1").json()["records"]

    assert mine == [{**record, "writer_device": str(garden.cast.bob.device_id)}]
    assert garden.cast.alice.get(f"{garden.path}/history-records").json() == {"records": []}


def test_who_has_left_keeps_history_of_their_own_epochs_alone(garden):
    assert put(garden, "dave", record_of(garden, "dave", 0)).status_code == 204

    answer = put(garden, "dave", record_of(garden, "dave", 1))

    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_a_newcomer_writes_no_history_of_epochs_before_joining(garden):
    garden.commit("alice", garden.add("alice", "carol"))
    assert put(garden, "carol", record_of(garden, "carol", 2)).status_code == 204

    assert put(garden, "carol", record_of(garden, "carol", 0)).status_code == 403


@pytest.mark.parametrize(
    "change",
    [
        {"sig": to_base64url(bytes(64))},
        {"bk_version": 2},
        {"commit_hash": to_base64url(bytes(32))},
        {"record": to_base64url(bytes(1168))},
        {"record": to_base64url(bytes(1167))},
        {"epoch": "0"},
    ],
    ids=["sig", "bk-version", "commit-hash", "other-record", "short-record", "epoch-text"],
)
def test_a_record_that_is_not_sealed_and_signed_as_it_must_be_is_invalid(garden, change):
    good, bad = record_of(garden, "bob", 0), {**record_of(garden, "bob", 1), **change}

    answer = put(garden, "bob", good, bad)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert not HistoryRecord.objects.exists()


def test_at_most_three_devices_write_for_an_epoch(garden):
    assert put(garden, "bob", record_of(garden, "bob", 0)).status_code == 204
    row = HistoryRecord.objects.get()
    HistoryRecord.objects.all().delete()
    for writer in (garden.cast.alice, garden.cast.carol, garden.cast.dave):
        row.pk, row.writer_device = None, writer.device_id
        row.save()

    assert put(garden, "bob", record_of(garden, "bob", 0)).status_code == 204

    assert HistoryRecord.objects.count() == 3
    assert not HistoryRecord.objects.filter(writer_device=garden.cast.bob.device_id).exists()


def test_a_device_may_replace_its_own_record(garden):
    put(garden, "bob", record_of(garden, "bob", 0))
    newer = record_of(garden, "bob", 0)

    put(garden, "bob", newer)

    assert bytes(HistoryRecord.objects.get().record) == from_base64url(newer["record"])


def test_a_room_without_history_keeps_none(garden):
    strict = replace(garden.chain.head.clear, history_policy=0)
    garden.commit("alice", commit_of(*forge(garden.chain, "alice", [ChangeState()], clear=strict)))
    assert put(garden, "bob", record_of(garden, "bob", 1)).status_code == 204

    refused = put(garden, "bob", record_of(garden, "bob", 2))

    assert (refused.status_code, refused.json()["code"]) == (409, "history_off")
    assert not HistoryRecord.objects.filter(epoch=2).exists()


# After the recovery key was renewed


def renew(garden, name):
    """A new recovery key, and with it backup key 2."""
    body = renewal_body(keys_of(name))
    assert garden.cast[name].prove().post("/api/me/recovery", body).status_code == 201


def versions(garden):
    """What is kept of history, of everybody, as (epoch, backup version)."""
    return sorted(HistoryRecord.objects.values_list("epoch", "bk_version"))


def test_a_record_for_the_new_backup_key_takes_the_place_of_the_own_older_ones(garden):
    put(garden, "bob", record_of(garden, "bob", 0), record_of(garden, "bob", 1))
    assert put(garden, "alice", record_of(garden, "alice", 0)).status_code == 204
    renew(garden, "bob")
    assert versions(garden) == [(0, 1), (0, 1), (1, 1)]

    assert put(garden, "bob", record_of(garden, "bob", 0, bk_version=2)).status_code == 204

    assert versions(garden) == [(0, 1), (0, 2), (1, 1)]
    assert HistoryRecord.objects.get(epoch=0, bk_version=1).user == garden.cast.alice.user


def test_a_device_that_has_not_heard_of_the_new_key_may_still_write(garden):
    renew(garden, "bob")

    assert put(garden, "bob", record_of(garden, "bob", 0)).status_code == 204

    assert versions(garden) == [(0, 1)]


def test_an_older_record_never_comes_back_in_the_place_of_a_newer_one(garden):
    renew(garden, "bob")
    put(garden, "bob", record_of(garden, "bob", 0, bk_version=2))

    assert put(garden, "bob", record_of(garden, "bob", 0)).status_code == 204

    assert versions(garden) == [(0, 2)]


def test_three_old_records_do_not_keep_the_new_one_out(garden):
    put(garden, "bob", record_of(garden, "bob", 0))
    row = HistoryRecord.objects.get()
    for writer in (garden.cast.alice, garden.cast.carol):
        row.pk, row.writer_device = None, writer.device_id
        row.save()
    renew(garden, "bob")
    assert versions(garden) == [(0, 1)] * 3

    put(garden, "bob", record_of(garden, "bob", 0, bk_version=2))

    assert versions(garden) == [(0, 2)]


def test_a_backup_key_that_is_not_yet_listed_is_not_written_for(garden):
    renew(garden, "bob")

    answer = put(garden, "bob", record_of(garden, "bob", 0, bk_version=3))

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_mallory_and_dave_seal_nothing_again_for_epochs_that_are_not_theirs(garden):
    renew(garden, "dave")
    assert put(garden, "dave", record_of(garden, "dave", 0, bk_version=2)).status_code == 204

    assert put(garden, "dave", record_of(garden, "dave", 1, bk_version=2)).status_code == 403
    assert put(garden, "mallory", record_of(garden, "mallory", 0)).status_code == 404
    assert versions(garden) == [(0, 2)]


# After the account was started again


def started_again(garden, name):
    """The new keys of one of the cast, whose client is the new device from now on."""
    person = garden.cast[name]
    started = start_again(person)
    person.client.force_login(person.user)  # sessions of the former device have ended
    assert prove_as(person.client, started.keys.device).status_code == 204
    return started.keys


def put_as_proved(garden, name, record):
    path = f"{garden.path}/history-records"
    return garden.cast[name].put(path, {"records": [record]}).status_code


def test_a_record_of_before_keeps_none_of_the_new_key_out(garden):
    renew(garden, "bob")
    put(garden, "bob", record_of(garden, "bob", 0, bk_version=2))
    keys = started_again(garden, "bob")

    assert put_as_proved(garden, "bob", record_of(garden, "bob", 0, keys=keys)) == 204

    assert versions(garden) == [(0, 1), (0, 2)]


def test_a_record_of_the_new_key_takes_the_place_of_none_of_before(garden):
    put(garden, "bob", record_of(garden, "bob", 0))
    keys = started_again(garden, "bob")
    assert put_as_proved(garden, "bob", record_of(garden, "bob", 0, keys=keys)) == 204
    assert garden.cast.bob.post("/api/me/recovery", renewal_body(keys)).status_code == 201

    renewed = record_of(garden, "bob", 0, bk_version=2, keys=keys)
    assert put_as_proved(garden, "bob", renewed) == 204

    assert versions(garden) == [(0, 1), (0, 2)]
    [former] = HistoryRecord.objects.filter(bk_version=1)
    assert former.writer_device == garden.cast.bob.device_id
