"""A recovery key is renewed at once and whole, by the account key's signature on a device."""

from dataclasses import replace

import pytest
from django.test import Client

from accounts.models import AccountKey, BackupCarry, DeviceList
from accounts.protocol import from_base64url, to_base64url
from accounts.services import now_ms
from accounts.throttles import RecoveryThrottle, RenewalThrottle
from crypto_client.device_list import (
    SignedDeviceList,
    list_with_backup,
    parse_device_list,
    sign_device_list,
)
from crypto_client.errors import RecoveryError
from crypto_client.recovery import SignedBlob, backup_public, encode_code, open_recovery
from crypto_client.recovery import seal_recovery as seal
from tests.accounts.listing import (
    PATH as LISTS,
)
from tests.accounts.listing import (
    add_device,
    body_of,
    body_of_renewal,
    first_prekey,
    fresh_device,
    listed,
    newest,
    prove_as,
    renewal_body,
    renewal_of,
)
from tests.accounts.resetting import start_again
from tests.cast import JSON, SECRET, prove

PATH = "/api/me/recovery"


def refusal(answer):
    return answer.status_code, answer.json()["code"]


def kept(person):
    """Everything that a renewal changes."""
    account = AccountKey.objects.get(user=person.user)
    lists = DeviceList.objects.filter(user=person.user).count()
    carries = list(BackupCarry.objects.filter(user=person.user).values_list("bk_version"))
    return account.recovery_version, bytes(account.recovery_blob), lists, carries


def blob_at(person):
    answer = person.get(PATH).json()
    return SignedBlob(
        from_base64url(answer["recovery_blob"]), from_base64url(answer["recovery_sig"])
    )


# Renewing


def test_backup_keys_are_counted_from_one_again_after_starting_again(alice):
    lost = Client()
    lost.force_login(alice.user)
    prove(lost, alice)
    assert lost.post(PATH, renewal_body(alice.keys), JSON).status_code == 201

    started = start_again(alice)
    assert alice.get(PATH).json()["carries"] == []
    prove_as(alice.client, started.keys.device)
    renewal = renewal_of(started.keys)
    answer = alice.post(PATH, body_of_renewal(renewal))

    assert answer.status_code == 201, answer.content
    assert alice.get(PATH).json()["carries"] == [
        {"bk_version": 1, "carry": to_base64url(renewal.carry)}
    ]


def test_list_blob_and_carried_seed_change_together(alice):
    renewal = renewal_of(alice.keys)

    answer = alice.prove().post(PATH, body_of_renewal(renewal))

    assert answer.status_code == 201, answer.content
    assert (answer.json()["recovery_version"], answer.json()["list_version"]) == (2, 2)
    assert kept(alice) == (2, renewal.blob.data, 2, [(1,)])
    served = alice.get(PATH).json()
    assert served["carries"] == [{"bk_version": 1, "carry": to_base64url(renewal.carry)}]
    opened = open_recovery(blob_at(alice), user=alice.id.bytes, secret=renewal.words)
    assert opened.account.public == alice.keys.account.public
    assert opened.bk_version == 2


def test_the_former_words_open_what_the_server_has_no_more(alice):
    user = alice.id.bytes
    assert open_recovery(blob_at(alice), user=user, secret=SECRET).version == 1

    alice.prove().post(PATH, renewal_body(alice.keys))

    with pytest.raises(RecoveryError):
        open_recovery(blob_at(alice), user=user, secret=SECRET)
    with pytest.raises(RecoveryError):
        open_recovery(blob_at(alice), user=user, code=encode_code(alice.keys.recovery_key))


def test_a_device_learns_the_backup_key_that_the_list_names(alice, mallory):
    renewal = renewal_of(alice.keys)
    before = alice.get("/api/me/backup-key").json()
    assert before["bk_version"] == 1

    alice.prove().post(PATH, body_of_renewal(renewal))

    now = alice.get("/api/me/backup-key").json()
    expected = backup_public(renewal.recovery_key, alice.id.bytes, 2)
    assert now == {"bk_version": 2, "bk_pub": to_base64url(expected)}
    assert mallory.get("/api/me/backup-key").json()["bk_pub"] != now["bk_pub"]


def test_friends_see_the_list_that_names_the_next_backup_key(alice, bob):
    alice.prove().post(PATH, renewal_body(alice.keys))

    keys = bob.get(f"/api/users/{alice.id}/keys?after_version=1").json()

    (row,) = keys["lists"]
    assert parse_device_list(from_base64url(row["device_list"])).bk_version == 2


# What is refused, and changes nothing


def test_mallory_with_the_session_but_no_device_renews_nothing(alice):
    thief = Client()
    thief.force_login(alice.user)
    body = renewal_body(alice.keys)
    before = kept(alice)

    assert refusal(thief.post(PATH, body, JSON)) == (403, "device_required")

    assert kept(alice) == before
    assert alice.prove().post(PATH, body).status_code == 201


def test_mallory_and_dave_cannot_renew_for_alice(alice, mallory, dave):
    body = renewal_body(alice.keys)

    for person in (mallory, dave):
        assert refusal(person.prove().post(PATH, body)) == (400, "invalid")

    assert kept(alice)[0] == 1
    assert alice.prove().post(PATH, body).status_code == 201


def test_a_second_renewal_on_top_of_the_same_list_is_too_late(alice):
    first, second = renewal_body(alice.keys), renewal_body(alice.keys)
    assert alice.prove().post(PATH, first).status_code == 201
    before = kept(alice)

    assert refusal(alice.post(PATH, second)) == (409, "list_version")
    assert refusal(alice.post(PATH, first)) == (409, "list_version")

    assert kept(alice) == before


def test_a_renewal_that_a_new_device_overtook_is_too_late(alice):
    body = renewal_body(alice.keys)
    add_device(alice)
    before = kept(alice)

    assert refusal(alice.prove().post(PATH, body)) == (409, "list_version")

    assert kept(alice) == before


def changed_list(alice, **changes):
    content = parse_device_list(renewal_of(alice.keys).devices.data)
    return sign_device_list(alice.keys.account, replace(content, **changes))


def with_list(alice, signed: SignedDeviceList):
    listing = {"device_list": to_base64url(signed.data), "list_sig": to_base64url(signed.sig)}
    return {**renewal_body(alice.keys), **listing}


def with_blob(alice, **changes):
    renewal = renewal_of(alice.keys)
    values = {"version": 2, "bk_version": 2, **changes}
    blob = seal(alice.keys.account, renewal.recovery_key, renewal.words, **values)
    sealed = {"recovery_blob": to_base64url(blob.data), "recovery_sig": to_base64url(blob.sig)}
    return {**body_of_renewal(renewal), **sealed}


MIXED_UP = {
    "another-lists-key": lambda alice: with_list(alice, renewal_of(alice.keys).devices),
    "same-backup-version": lambda alice: with_list(alice, changed_list(alice, bk_version=1)),
    "backup-version-skipped": lambda alice: with_list(alice, changed_list(alice, bk_version=3)),
    "blob-version-repeated": lambda alice: with_blob(alice, version=1),
    "blob-version-skipped": lambda alice: with_blob(alice, version=3),
    "blob-of-another-backup-version": lambda alice: with_blob(alice, bk_version=1),
    "blob-unsigned": lambda alice: {
        **renewal_body(alice.keys),
        "recovery_sig": to_base64url(bytes(64)),
    },
    "list-unsigned": lambda alice: {
        **renewal_body(alice.keys),
        "list_sig": to_base64url(bytes(64)),
    },
    "carry-too-short": lambda alice: {**renewal_body(alice.keys), "carry": to_base64url(bytes(9))},
    "without-a-carry": lambda alice: {
        name: value for name, value in renewal_body(alice.keys).items() if name != "carry"
    },
}


@pytest.mark.parametrize("name", MIXED_UP)
def test_what_does_not_go_together_is_refused_whole(name, alice):
    before = kept(alice)

    assert refusal(alice.prove().post(PATH, MIXED_UP[name](alice))) == (400, "invalid")

    assert kept(alice) == before


def test_no_device_enters_or_leaves_with_a_renewal(alice):
    entries = parse_device_list(alice.keys.device_list.data).entries
    other = (*entries, fresh_device(alice).entry())
    rows = tuple(sorted(other, key=lambda entry: entry.device))

    answer = alice.prove().post(PATH, with_list(alice, changed_list(alice, entries=rows)))

    assert refusal(answer) == (400, "invalid")


def test_a_list_alone_names_no_other_backup_key(alice):
    key = backup_public(bytes(32), alice.id.bytes, 2)
    signed = list_with_backup(alice.keys.account, newest(alice), key, time=now_ms())

    assert refusal(alice.post(LISTS, body_of(signed))) == (400, "invalid")


def test_devices_enter_after_a_renewal_as_before(alice):
    alice.prove().post(PATH, renewal_body(alice.keys))
    device = fresh_device(alice)

    answer = alice.post(LISTS, body_of(listed(alice, alice.device, device), [first_prekey(device)]))

    assert answer.status_code == 201, answer.content
    assert parse_device_list(newest(alice).data).bk_version == 2


def test_renewals_are_limited_and_do_not_use_up_the_blobs_limit(alice, monkeypatch):
    monkeypatch.setattr(RenewalThrottle, "rate", "1/hour")
    monkeypatch.setattr(RecoveryThrottle, "rate", "1/hour")
    alice.prove().post(PATH, renewal_body(alice.keys))

    assert refusal(alice.post(PATH, renewal_body(alice.keys))) == (429, "rate_limited")
    assert alice.get(PATH).status_code == 200
    assert refusal(alice.get(PATH)) == (429, "rate_limited")
