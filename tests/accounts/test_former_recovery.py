"""The blob of an account key that a reset ended: for the devices of its owner, and nobody else."""

import pytest

from accounts.protocol import from_base64url
from accounts.throttles import RecoveryThrottle
from crypto_client.errors import RecoveryError
from crypto_client.recovery import SignedBlob, open_recovery
from tests.accounts.listing import prove_as, renewal_body
from tests.accounts.resetting import start_again
from tests.cast import SECRET

PATH = "/api/me/former-recovery"


def refusal(answer):
    return answer.status_code, answer.json()["code"]


def started_again(person):
    """The person's new keys; their client's session is the new device."""
    started = start_again(person)
    person.client.force_login(person.user)  # sessions of the former device have ended
    assert prove_as(person.client, started.keys.device).status_code == 204
    return started.keys


def former(person):
    answer = person.get(PATH)
    assert answer.status_code == 200, answer.content
    return answer.json()["former"]


def opened(row, person, secret=SECRET):
    blob = SignedBlob(from_base64url(row["recovery_blob"]), from_base64url(row["recovery_sig"]))
    return open_recovery(blob, user=person.id.bytes, secret=secret)


def test_its_owner_gets_it_and_the_secret_of_before_opens_it(alice):
    assert former(alice.prove()) == []
    before = from_base64url(alice.get("/api/me/recovery").json()["recovery_blob"])
    started_again(alice)

    [row] = former(alice)

    assert from_base64url(row["recovery_blob"]) == before
    assert from_base64url(row["account_key"]) == alice.keys.account.public
    assert opened(row, alice).account.public == alice.keys.account.public
    assert row["carries"] == []
    with pytest.raises(RecoveryError):
        opened(row, alice, "another secret")


def test_the_seeds_that_a_renewal_carried_come_with_it(alice):
    assert alice.prove().post("/api/me/recovery", renewal_body(alice.keys)).status_code == 201
    carried = alice.get("/api/me/recovery").json()["carries"]
    assert [row["bk_version"] for row in carried] == [1]
    started_again(alice)

    [row] = former(alice)

    assert row["carries"] == carried
    assert alice.get("/api/me/recovery").json()["carries"] == []


def test_a_session_without_a_device_gets_none(alice):
    start_again(alice)

    assert refusal(alice.get(PATH)) == (403, "device_required")


def test_nobody_elses_is_given_out(alice, mallory, dave):
    started_again(alice)
    assert len(former(alice)) == 1

    for other in (mallory, dave):
        assert former(other.prove()) == []


def test_asking_for_blobs_is_limited_whichever_they_are(alice, monkeypatch):
    monkeypatch.setattr(RecoveryThrottle, "rate", "2/hour")
    started_again(alice)

    assert alice.get(PATH).status_code == 200
    assert alice.get("/api/me/recovery").status_code == 200

    assert refusal(alice.get(PATH)) == (429, "rate_limited")
    assert refusal(alice.get("/api/me/recovery")) == (429, "rate_limited")
