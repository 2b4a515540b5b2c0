"""A session becomes a device by signing a nonce; prekeys come from proved devices alone."""

import pytest
from django.test import Client

from accounts import services
from accounts.access import device_of, newest_list, newest_prekey
from accounts.models import Device, DeviceList
from accounts.protocol import from_base64url, to_base64url
from accounts.refusals import DeviceProof
from accounts.services import now_ms, verify_device_proof
from accounts.throttles import PrekeyThrottle
from crypto_client.device_list import next_device_list
from crypto_client.identity import new_device
from crypto_client.prekeys import new_prekey
from tests.cast import ORIGIN, prove


def challenge(person):
    return from_base64url(person.post("/api/devices/challenge").json()["nonce"])


def refusal(answer):
    return answer.status_code, answer.json()["code"]


def next_prekey(person, seq=2):
    _, signed = new_prekey(person.device, seq=seq, created=now_ms())
    return {"prekey": to_base64url(signed.data), "prekey_sig": to_base64url(signed.sig)}


def revoke(person):
    """Publish a list without the person's device, as a later version of the protocol will."""
    other = new_device(person.id.bytes, person.keys.account.public, now_ms())
    keys = person.keys
    later = next_device_list(keys.account, keys.device_list, [other.entry()], time=now_ms())
    DeviceList.objects.create(
        user=person.user, version=2, body=later.data, sig=later.sig, list_hash=later.list_hash
    )


def test_a_session_is_no_device_until_it_has_proved_one(alice):
    assert alice.get("/api/me").json()["device_id"] is None

    alice.prove()

    assert alice.get("/api/me").json()["device_id"] == str(alice.device_id)
    devices = alice.get("/api/devices").json()["devices"]
    assert [(row["device_id"], row["current"]) for row in devices] == [(str(alice.device_id), True)]
    assert devices[0]["last_used_ms"] >= devices[0]["created_ms"]


def test_another_session_of_the_same_person_has_to_prove_for_itself(alice):
    alice.prove()
    other = Client()
    other.force_login(alice.user)

    assert other.get("/api/me").json()["device_id"] is None


def test_a_nonce_is_good_for_one_proof(alice):
    body = alice.proof(challenge(alice))
    assert alice.post("/api/devices/proof", body).status_code == 204

    assert refusal(alice.post("/api/devices/proof", body)) == (403, "device_proof")


def test_a_failed_proof_uses_the_nonce_up(alice):
    nonce = challenge(alice)
    wrong = {**alice.proof(nonce), "signature": to_base64url(bytes(64))}
    assert refusal(alice.post("/api/devices/proof", wrong)) == (403, "device_proof")

    assert refusal(alice.post("/api/devices/proof", alice.proof(nonce))) == (403, "device_proof")


def test_a_nonce_is_too_old_after_five_minutes(alice, monkeypatch):
    body = alice.proof(challenge(alice))
    later = now_ms() + 300_001
    monkeypatch.setattr(services, "now_ms", lambda: later)

    assert refusal(alice.post("/api/devices/proof", body)) == (403, "device_proof")


def test_a_nonce_belongs_to_the_session_it_was_given_to(alice):
    nonce = challenge(alice)
    other = Client()
    other.force_login(alice.user)
    other.post("/api/devices/challenge", {}, "application/json")

    answer = other.post("/api/devices/proof", alice.proof(nonce), "application/json")

    assert refusal(answer) == (403, "device_proof")


def test_mallory_cannot_become_the_device_of_alice(alice, mallory):
    nonce = challenge(mallory)
    stolen = {**mallory.proof(nonce), "device_id": str(alice.device_id)}
    assert refusal(mallory.post("/api/devices/proof", stolen)) == (403, "device_proof")

    relayed = alice.proof(challenge(mallory))
    assert refusal(mallory.post("/api/devices/proof", relayed)) == (403, "device_proof")


def test_a_proof_for_another_server_is_not_good_here(alice):
    body = alice.proof(challenge(alice), origin="https://evil.example:443")
    assert refusal(alice.post("/api/devices/proof", body)) == (403, "device_proof")


def test_every_allowed_origin_may_be_named(alice):
    body = alice.proof(challenge(alice), origin="http://localhost:8000")
    assert alice.post("/api/devices/proof", body).status_code == 204


def test_verifying_names_the_device_or_refuses(alice, bob):
    nonce = bytes(32)
    signature = from_base64url(alice.proof(nonce)["signature"])
    proved = verify_device_proof(alice.user, alice.device_id, nonce, signature, ORIGIN)
    assert proved.id == alice.device_id

    with pytest.raises(DeviceProof):
        verify_device_proof(bob.user, alice.device_id, nonce, signature, ORIGIN)
    with pytest.raises(DeviceProof):
        verify_device_proof(alice.user, alice.device_id, bytes(31) + b"1", signature, ORIGIN)


def test_a_device_that_the_newest_list_leaves_out_is_a_device_no_more(alice):
    alice.prove()
    assert alice.post("/api/prekeys", next_prekey(alice)).status_code == 201

    revoke(alice)

    answer = alice.post("/api/prekeys", next_prekey(alice, seq=3))
    assert refusal(answer) == (403, "device_required")
    assert alice.get("/api/me").json()["device_id"] is None
    with pytest.raises(Device.DoesNotExist):
        device_of(alice.user, alice.device_id)


def test_a_device_that_is_marked_revoked_is_a_device_no_more(alice):
    alice.prove()
    Device.objects.filter(pk=alice.device_id).update(revoked_at=alice.user.created_at)

    answer = alice.post("/api/prekeys", next_prekey(alice))

    assert refusal(answer) == (403, "device_required")


def test_signing_out_leaves_no_device_behind(alice):
    alice.prove()
    alice.client.post("/accounts/logout/")
    alice.client.force_login(alice.user)

    assert alice.get("/api/me").json()["device_id"] is None


def test_a_proved_device_publishes_its_next_prekey(alice):
    alice.prove()

    answer = alice.post("/api/prekeys", next_prekey(alice))

    assert (answer.status_code, answer.json()) == (201, {"seq": 2})
    prekey = newest_prekey(device_of(alice.user, alice.device_id))
    assert prekey is not None
    assert prekey.seq == 2
    assert newest_list(alice.user).version == 1


def test_a_prekey_whose_number_does_not_grow_is_refused(alice):
    alice.prove()
    assert alice.post("/api/prekeys", next_prekey(alice, seq=3)).status_code == 201

    assert refusal(alice.post("/api/prekeys", next_prekey(alice, seq=3))) == (400, "prekey")
    assert refusal(alice.post("/api/prekeys", next_prekey(alice, seq=2))) == (400, "prekey")


def test_a_prekey_of_somebody_else_is_refused(alice, bob):
    alice.prove()
    assert refusal(alice.post("/api/prekeys", next_prekey(bob))) == (400, "prekey")


def test_a_publication_forgets_expired_prekeys(alice):
    alice.prove()
    device = device_of(alice.user, alice.device_id)
    device.prekeys.update(expires_ms=1)

    alice.post("/api/prekeys", next_prekey(alice))

    assert [prekey.seq for prekey in device.prekeys.all()] == [2]


def test_proofs_are_limited(alice, settings):
    settings.LIMIT_PROOFS_PER_MINUTE = 2
    prove(alice.client, alice)

    answer = alice.post("/api/devices/challenge")

    assert refusal(answer) == (429, "rate_limited")
    assert 0 < answer.json()["retry_after_ms"] <= 60_000
    assert int(answer.headers["Retry-After"]) <= 60


def test_the_recovery_blob_is_given_five_times_an_hour(alice, bob):
    answers = [alice.get("/api/me/recovery").status_code for _ in range(6)]

    assert answers == [200] * 5 + [429]
    assert bob.get("/api/me/recovery").status_code == 200


def test_publishing_prekeys_is_limited_for_each_person(alice, bob, monkeypatch):
    monkeypatch.setattr(PrekeyThrottle, "rate", "1/hour")
    alice.prove()
    bob.prove()
    assert alice.post("/api/prekeys", next_prekey(alice)).status_code == 201

    assert refusal(alice.post("/api/prekeys", next_prekey(alice))) == (429, "rate_limited")
    assert bob.post("/api/prekeys", next_prekey(bob)).status_code == 201
