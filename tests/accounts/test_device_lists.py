"""A device enters or leaves an account's list by the account key's signature, by nothing else."""

from dataclasses import replace

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from accounts.models import Device, DeviceList, Prekey
from accounts.protocol import to_base64url
from accounts.refusals import Refused
from accounts.services import now_ms, publish_prekey
from accounts.throttles import DeviceListThrottle
from crypto_client.device_list import parse_device_list, sign_device_list
from crypto_client.identity import new_device
from crypto_client.prekeys import new_prekey, parse_prekey, sign_prekey
from tests.accounts.listing import (
    PATH,
    add_device,
    body_of,
    first_prekey,
    fresh_device,
    id_of_device,
    listed,
    prove_as,
)
from tests.cast import JSON


def refusal(answer):
    return answer.status_code, answer.json()["code"]


def lists_of(person):
    return DeviceList.objects.filter(user=person.user).count()


def second_session(person):
    client = Client()
    client.force_login(person.user)
    client.get("/api/me")
    return client


@pytest.fixture
def laptop(alice):
    return fresh_device(alice)


@pytest.fixture
def entering(alice, laptop):
    """The list with alice's first device and the laptop, and the body that publishes it."""
    return body_of(listed(alice, alice.device, laptop), [first_prekey(laptop)])


# A device enters


def test_a_device_enters_by_the_account_keys_signature(alice, laptop, entering):
    answer = alice.post(PATH, entering)

    assert answer.status_code == 201, answer.content
    assert (answer.json()["list_version"], answer.json()["device_id"]) == (2, None)
    named = {row["device_id"] for row in alice.get("/api/devices").json()["devices"]}
    assert named == {str(alice.device_id), id_of_device(laptop)}


def test_a_device_that_has_entered_proves_itself_like_any_other(alice, laptop, entering):
    assert refusal(prove_as(alice.client, laptop)) == (403, "device_proof")
    alice.post(PATH, entering)

    assert prove_as(alice.client, laptop).status_code == 204
    rows = alice.get("/api/devices").json()["devices"]
    assert [row["device_id"] for row in rows if row["current"]] == [id_of_device(laptop)]


def test_friends_fetch_the_new_list_and_the_new_prekey(alice, bob, laptop, entering):
    alice.post(PATH, entering)

    keys = bob.get(f"/api/users/{alice.id}/keys?after_version=1").json()

    assert [row["version"] for row in keys["lists"]] == [2]
    assert id_of_device(laptop) in {row["device_id"] for row in keys["prekeys"]}


def test_a_person_without_keys_has_no_list_to_follow(newcomer, alice, entering):
    assert refusal(newcomer.post(PATH, entering)) == (409, "keys_missing")


def test_lists_are_limited_for_each_person(alice, bob, entering, monkeypatch):
    monkeypatch.setattr(DeviceListThrottle, "rate", "1/hour")
    assert alice.post(PATH, entering).status_code == 201

    assert refusal(alice.post(PATH, entering)) == (429, "rate_limited")
    device = fresh_device(bob)
    body = body_of(listed(bob, bob.device, device), [first_prekey(device)])
    assert bob.post(PATH, body).status_code == 201


# Who may not


def test_mallory_with_a_stolen_session_but_no_account_key_adds_nothing(alice, mallory, laptop):
    thief = second_session(alice)
    content = parse_device_list(listed(alice, alice.device, laptop).data)
    own = sign_device_list(mallory.keys.account, replace(content, **owner(mallory)))
    forged = {
        **body_of(own, [first_prekey(laptop)]),
        "device_list": to_base64url(content.encode()),
    }

    assert refusal(thief.post(PATH, forged, JSON)) == (400, "invalid")
    assert refusal(thief.post(PATH, body_of(own, [first_prekey(laptop)]), JSON)) == (400, "invalid")
    assert lists_of(alice) == 1


def owner(person):
    return {"user": person.id.bytes, "amk_pub": person.keys.account.public}


def test_mallory_and_dave_cannot_publish_the_list_of_alice(mallory, dave, alice, entering):
    assert refusal(mallory.post(PATH, entering)) == (400, "invalid")
    assert refusal(dave.post(PATH, entering)) == (400, "invalid")

    assert alice.post(PATH, entering).status_code == 201


def test_another_persons_device_is_nobody_elses(alice, bob):
    stolen = bob.device.entry()
    content = parse_device_list(listed(alice, alice.device).data)
    rows = tuple(sorted((*content.entries, stolen), key=lambda entry: entry.device))
    signed = sign_device_list(alice.keys.account, replace(content, entries=rows))

    assert refusal(alice.post(PATH, body_of(signed, [bob.keys.prekey]))) == (400, "invalid")


def test_a_device_that_agreed_to_two_accounts_stays_with_the_first(alice, bob):
    device = fresh_device(bob)
    assert bob.post(PATH, body_of(listed(bob, bob.device, device), [first_prekey(device)]))
    both = replace(
        device, user=alice.id.bytes, amk_pub=alice.keys.account.public, **again_for(alice, device)
    )

    body = body_of(listed(alice, alice.device, both), [first_prekey(both)])

    assert refusal(alice.post(PATH, body)) == (400, "invalid")


def again_for(person, device):
    """The same signing key's id and consent for another account."""
    made = same_key(person, device.dsk_seed)
    return {"device": made.device, "accept": made.accept}


def same_key(person, seed):
    return new_device(person.id.bytes, person.keys.account.public, 1, lambda size: seed)


# Which lists do not follow


def changed(alice, laptop, **parts):
    content = parse_device_list(listed(alice, alice.device, laptop).data)
    signed = sign_device_list(alice.keys.account, replace(content, **parts))
    return body_of(signed, [first_prekey(laptop)])


@pytest.mark.parametrize("version", [2**53 - 1, 3])
def test_a_version_that_was_skipped_is_refused(alice, laptop, version):
    body = changed(alice, laptop, version=version)
    assert refusal(alice.post(PATH, body)) == (409, "list_version")


def test_a_list_that_names_another_predecessor_is_refused(alice, laptop):
    body = changed(alice, laptop, prev_list_hash=bytes(31) + b"\x01")
    assert refusal(alice.post(PATH, body)) == (409, "list_version")


def test_the_same_list_again_is_no_next_list(alice, entering):
    assert alice.post(PATH, entering).status_code == 201
    assert refusal(alice.post(PATH, entering)) == (409, "list_version")


def test_of_two_lists_for_one_version_the_second_is_refused(alice, laptop, entering):
    other = fresh_device(alice)
    late = body_of(listed(alice, alice.device, other), [first_prekey(other)])
    assert alice.post(PATH, entering).status_code == 201

    assert refusal(alice.post(PATH, late)) == (409, "list_version")


@pytest.mark.parametrize("parts", [{"bk_version": 2}, {"bk_hash": bytes(32)}])
def test_the_backup_key_stays_as_it_is(alice, laptop, parts):
    assert refusal(alice.post(PATH, changed(alice, laptop, **parts))) == (400, "invalid")


def test_the_entry_of_a_device_that_stays_is_not_changed(alice, laptop):
    touched = replace(alice.device, created=alice.device.created + 1)
    body = body_of(listed(alice, touched, laptop), [first_prekey(laptop)])

    assert refusal(alice.post(PATH, body)) == (400, "invalid")


@pytest.mark.parametrize(
    ("prekeys", "code"),
    [
        (lambda alice, laptop: [], "invalid"),
        (lambda alice, laptop: [first_prekey(laptop)] * 2, "invalid"),
        (lambda alice, laptop: [first_prekey(laptop), alice.keys.prekey], "invalid"),
        (lambda alice, laptop: [alice.keys.prekey], "invalid"),
        (lambda alice, laptop: [replace(first_prekey(laptop), sig=bytes(64))], "prekey"),
        (lambda alice, laptop: [replace(first_prekey(laptop), data=b"x")], "prekey"),
        (lambda alice, laptop: [unusable(laptop)], "prekey"),
    ],
)
def test_each_new_device_brings_exactly_one_good_prekey(alice, laptop, prekeys, code):
    signed = listed(alice, alice.device, laptop)

    answer = alice.post(PATH, body_of(signed, prekeys(alice, laptop)))

    assert refusal(answer) == (400, code)
    assert (lists_of(alice), Device.objects.filter(user=alice.user).count()) == (1, 1)
    assert alice.post(PATH, body_of(signed, [first_prekey(laptop)])).status_code == 201


def unusable(device):
    """A prekey to which nobody can wrap, well signed."""
    prekey = parse_prekey(first_prekey(device).data)
    return sign_prekey(device, replace(prekey, public=b"\xff" * 1216))


# A device leaves


def test_a_dropped_device_is_no_device_and_its_session_has_ended(alice):
    laptop = add_device(alice)
    lost = second_session(alice)
    assert prove_as(lost, alice.device).status_code == 204
    assert prove_as(alice.client, laptop).status_code == 204

    assert alice.post(PATH, body_of(listed(alice, laptop))).status_code == 201

    assert refusal(lost.get("/api/me")) == (401, "not_signed_in")
    assert lost.get("/accounts/email/").status_code == 302
    assert alice.get("/api/me").json()["device_id"] == id_of_device(laptop)
    revoked = Device.objects.get(pk=alice.device_id)
    assert revoked.revoked_at is not None
    assert not revoked.prekeys.exists()


def test_a_browser_that_lost_its_keys_takes_its_own_place_and_stays_signed_in(alice, laptop):
    alice.prove()
    elsewhere = second_session(alice)
    assert prove_as(elsewhere, alice.device).status_code == 204

    answer = alice.post(PATH, body_of(listed(alice, laptop), [first_prekey(laptop)]))

    assert (answer.status_code, answer.json()["device_id"]) == (201, None)
    assert refusal(alice.get("/api/me/former-recovery")) == (403, "device_required")
    assert prove_as(alice.client, laptop).status_code == 204
    assert alice.get("/api/me").json()["device_id"] == id_of_device(laptop)
    assert refusal(elsewhere.get("/api/me")) == (401, "not_signed_in")


def test_sessions_of_other_devices_and_of_none_go_on(alice):
    laptop = add_device(alice)
    assert prove_as(alice.client, laptop).status_code == 204
    unproved = second_session(alice)
    before = Session.objects.count()

    alice.post(PATH, body_of(listed(alice, laptop)))

    assert (unproved.get("/api/me").status_code, Session.objects.count()) == (200, before)


def test_a_revoked_device_never_returns(alice):
    laptop = add_device(alice)
    assert alice.post(PATH, body_of(listed(alice, laptop))).status_code == 201

    back = body_of(listed(alice, laptop, alice.device), [alice.keys.prekey])

    assert refusal(alice.post(PATH, back)) == (400, "invalid")
    assert refusal(prove_as(alice.client, alice.device)) == (403, "device_proof")


def test_a_device_replaces_another_in_one_list(alice, laptop):
    body = body_of(listed(alice, laptop), [first_prekey(laptop)])

    assert alice.post(PATH, body).status_code == 201

    assert [row["device_id"] for row in alice.get("/api/devices").json()["devices"]] == [
        id_of_device(laptop)
    ]


def test_a_prekey_that_arrives_with_the_revocation_is_not_kept(alice):
    laptop, first = add_device(alice), Device.objects.get(pk=alice.device_id)
    alice.post(PATH, body_of(listed(alice, laptop)))

    with pytest.raises(Refused, match="device_required"):
        publish_next(alice, first)
    assert not Prekey.objects.filter(device=first).exists()


def publish_next(person, device):
    _, signed = new_prekey(person.device, seq=2, created=now_ms())
    publish_prekey(person.user, device, prekey=signed.data, prekey_sig=signed.sig)


def test_what_is_logged_is_ids(alice, laptop, entering, committed, caplog):
    with caplog.at_level("INFO", "gamrae.accounts"), committed():
        alice.post(PATH, entering)
    with caplog.at_level("INFO", "gamrae.accounts"), committed():
        alice.post(PATH, body_of(listed(alice, laptop)))

    assert [record.getMessage() for record in caplog.records if "device_" in record.message] == [
        f"code=device_added user={alice.id} device={id_of_device(laptop)}",
        f"code=device_revoked user={alice.id} device={alice.device_id}",
    ]
