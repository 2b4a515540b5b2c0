"""Passkeys are kept for their owner alone, and end with the recovery key that they hold."""

import os
from dataclasses import replace
from uuid import UUID

import pytest
from django.test import Client

from accounts.passkeys import MAX_PASSKEYS
from accounts.protocol import from_base64url, to_base64url
from accounts.throttles import PasskeyChangeThrottle, PasskeyDownloadThrottle, RecoveryThrottle
from crypto_client.passkey import PasskeyName, open_passkey, passkey_id, seal_passkey
from tests.accounts.listing import renewal_body
from tests.accounts.resetting import start_again
from tests.cast import JSON, Person, prove

PATH = "/api/me/passkeys"
PRF = b"\x07" * 32


def refusal(answer):
    return answer.status_code, answer.json()["code"]


def name_of(person: Person) -> PasskeyName:
    """A passkey that an authenticator has just made for this person."""
    return PasskeyName(person.id.bytes, person.keys.account.public, 1, os.urandom(32))


def path_of(name: PasskeyName) -> str:
    return f"{PATH}/{UUID(bytes=passkey_id(name.user, name.credential))}"


def body_of(person: Person, name: PasskeyName) -> dict[str, str]:
    return {"passkey": to_base64url(seal_passkey(person.keys.recovery_key, PRF, name))}


def add(person: Person) -> PasskeyName:
    name = name_of(person)
    answer = person.prove().put(path_of(name), body_of(person, name))
    assert answer.status_code == 204, answer.content
    return name


def listed(person: Person):
    return person.get(PATH).json()["passkeys"]


def test_a_passkey_is_given_back_as_it_was_kept_and_remembers_when(alice):
    name = add(alice)
    (row,) = listed(alice)
    assert row["credential"] == to_base64url(name.credential)
    assert row["last_used_ms"] is None

    sealed = from_base64url(alice.get(path_of(name)).json()["passkey"])

    assert open_passkey(sealed, PRF, name) == alice.keys.recovery_key
    assert listed(alice)[0]["last_used_ms"] >= row["created_ms"]


def test_a_browser_without_a_device_is_told_of_them_and_adds_none(alice):
    name = add(alice)
    empty = Client()
    empty.force_login(alice.user)
    other = name_of(alice)

    assert empty.get(PATH).json()["passkeys"][0]["credential"] == to_base64url(name.credential)
    assert empty.get(path_of(name)).status_code == 200
    refused = empty.put(path_of(other), body_of(alice, other), JSON)
    assert refusal(refused) == (403, "device_required")
    prove(empty, alice)
    assert empty.put(path_of(other), body_of(alice, other), JSON).status_code == 204


def test_mallory_and_dave_get_nothing_of_alices_passkeys(alice, mallory, dave):
    name = add(alice)
    assert alice.get(path_of(name)).status_code == 200

    for person in (mallory, dave):
        assert listed(person) == []
        assert refusal(person.get(path_of(name))) == (404, "not_found")
        assert refusal(person.delete(path_of(name))) == (404, "not_found")
        put = person.prove().put(path_of(name), body_of(alice, name))
        assert refusal(put) == (400, "invalid")

    assert len(listed(alice)) == 1


MADE_UP = {
    "another-person": lambda name, mallory: replace(name, user=mallory.id.bytes),
    "another-account-key": lambda name, mallory: replace(name, amk_pub=mallory.keys.account.public),
    "another-recovery-key": lambda name, mallory: replace(name, bk_version=2),
    "another-credential": lambda name, mallory: replace(name, credential=b"another"),
}


@pytest.mark.parametrize("kind", MADE_UP)
def test_what_could_not_open_this_account_is_not_kept(kind, alice, mallory):
    name = name_of(alice)
    body = body_of(alice, MADE_UP[kind](name, mallory))

    assert refusal(alice.prove().put(path_of(name), body)) == (400, "invalid")

    assert listed(alice) == []
    assert alice.put(path_of(name), body_of(alice, name)).status_code == 204


@pytest.mark.parametrize("change", [lambda b: b + b"\0", lambda b: b[:-1], lambda b: b[:40]])
def test_what_does_not_parse_is_not_kept(change, alice):
    name = name_of(alice)
    sealed = seal_passkey(alice.keys.recovery_key, PRF, name)

    answer = alice.prove().put(path_of(name), {"passkey": to_base64url(change(sealed))})

    assert refusal(answer) == (400, "invalid")


def test_there_are_eight_at_most_and_one_of_them_may_be_sent_again(alice):
    names = [add(alice) for _ in range(MAX_PASSKEYS)]
    ninth = name_of(alice)

    assert refusal(alice.put(path_of(ninth), body_of(alice, ninth))) == (409, "passkeys_full")
    assert alice.put(path_of(names[0]), body_of(alice, names[0])).status_code == 204

    assert alice.delete(path_of(names[0])).status_code == 204
    assert refusal(alice.get(path_of(names[0]))) == (404, "not_found")
    assert alice.put(path_of(ninth), body_of(alice, ninth)).status_code == 204


def test_a_new_recovery_key_ends_them(alice):
    name = add(alice)

    assert alice.post("/api/me/recovery", renewal_body(alice.keys)).status_code == 201

    assert listed(alice) == []
    assert refusal(alice.get(path_of(name))) == (404, "not_found")
    assert refusal(alice.put(path_of(name), body_of(alice, name))) == (400, "invalid")


def test_starting_again_ends_them_and_no_others(alice, bob):
    add(alice)
    add(bob)

    start_again(alice)
    alice.client.force_login(alice.user)

    assert listed(alice) == []
    assert len(listed(bob)) == 1


def test_handing_out_is_limited_and_does_not_use_up_the_blobs_limit(alice, monkeypatch):
    monkeypatch.setattr(PasskeyDownloadThrottle, "rate", "1/hour")
    monkeypatch.setattr(RecoveryThrottle, "rate", "1/hour")
    name = add(alice)
    assert alice.get(path_of(name)).status_code == 200

    assert refusal(alice.get(path_of(name))) == (429, "rate_limited")
    assert alice.get("/api/me/recovery").status_code == 200
    assert len(listed(alice)) == 1


def test_keeping_and_removing_is_limited(alice, monkeypatch):
    monkeypatch.setattr(PasskeyChangeThrottle, "rate", "1/hour")
    name = add(alice)

    assert refusal(alice.delete(path_of(name))) == (429, "rate_limited")
