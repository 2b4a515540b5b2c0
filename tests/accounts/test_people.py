"""Who sees whose profile and keys, and what one may change of one's own."""

import pytest

from accounts.models import AccountKey, Device, Prekey
from accounts.protocol import to_base64url
from accounts.services import now_ms
from accounts.throttles import ProfileThrottle
from crypto_client.prekeys import new_prekey
from tests.news import News


def refusal(answer):
    return answer.status_code, answer.json()["code"]


def test_me_is_what_the_server_knows_of_me(alice):
    assert alice.get("/api/me").json() == {
        "user_id": str(alice.id),
        "email": "alice@example.org",
        "nickname": "Alice",
        "status_message": "",
        "account_key": to_base64url(alice.keys.account.public),
        "list_version": 1,
        "recovery_version": 1,
        "device_id": None,
    }


def test_somebody_without_keys_is_told_so_by_nulls(newcomer):
    me = newcomer.get("/api/me").json()
    assert (me["account_key"], me["list_version"], me["recovery_version"]) == (None, None, None)


def test_a_profile_can_be_changed_in_part(alice):
    answer = alice.patch("/api/me", {"status_message": "산책 중"})

    assert answer.json()["status_message"] == "산책 중"
    assert alice.get("/api/me").json()["nickname"] == "Alice"


BAD_PROFILES = [
    {"nickname": ""},
    {"nickname": "   "},
    {"nickname": "\u200d"},
    {"nickname": "x" * 41},
    {"nickname": "ali\u202ece"},
    {"nickname": "ali\nce"},
    {"nickname": 7},
    {"nickname": None},
    {"status_message": "x" * 121},
    {"status_message": "a\u0000b"},
    {"email": "mallory@example.org"},
    {"is_staff": True},
]


@pytest.mark.parametrize("body", BAD_PROFILES, ids=str)
def test_a_profile_that_would_mislead_or_grant_is_refused(alice, body):
    assert refusal(alice.patch("/api/me", body)) == (400, "invalid")

    alice.user.refresh_from_db()
    assert (alice.user.nickname, alice.user.status_message) == ("Alice", "")


def test_friends_hear_that_a_profile_changed_and_strangers_do_not(alice, bob, mallory, committed):
    own, friend, stranger = News(alice), News(bob), News(mallory)

    with committed():
        alice.patch("/api/me", {"nickname": "앨리스"})

    assert own.events() == friend.events() == ["profile.changed"]
    assert stranger.heard() == []


def test_friends_see_each_other_and_nobody_else_does(alice, bob, carol, dave, mallory, mod):
    path = f"/api/users/{bob.id}"
    expected = {"user_id": str(bob.id), "nickname": "Bob", "status_message": ""}
    assert alice.get(path).json() == bob.get(path).json() == expected

    for person in (carol, dave, mallory, mod):
        assert refusal(person.get(path)) == (404, "not_found")


def test_an_absent_person_and_a_stranger_give_the_same_answer(mallory, bob):
    absent = mallory.get("/api/users/00000000-0000-4000-8000-000000000000/keys")
    stranger = mallory.get(f"/api/users/{bob.id}/keys")
    assert (absent.status_code, absent.content) == (stranger.status_code, stranger.content)


def test_keys_are_given_as_they_were_published(alice, bob):
    bundle = alice.get(f"/api/users/{bob.id}/keys").json()

    keys = bob.keys.enrolment()
    signed_list = {"version": 1, "device_list": keys["device_list"], "list_sig": keys["list_sig"]}
    prekey = {"prekey": keys["prekey"], "prekey_sig": keys["prekey_sig"]}
    assert bundle == {
        "user_id": str(bob.id),
        "account_key": keys["account_key"],
        "lists": [signed_list],
        "prekeys": [{"device_id": str(bob.device_id), "seq": 1, **prekey}],
        "former": [],
    }


def test_only_lists_above_a_version_are_given(alice, bob):
    assert alice.get(f"/api/users/{bob.id}/keys?after_version=1").json()["lists"] == []


@pytest.mark.parametrize("query", ["after_version=-1", "after_version=x", "after=1"])
def test_a_strange_query_is_refused(alice, bob, query):
    assert refusal(alice.get(f"/api/users/{bob.id}/keys?{query}")) == (400, "invalid")


def test_the_newest_prekey_of_a_device_is_given(alice, bob):
    _, signed = new_prekey(bob.device, seq=2, created=now_ms())
    Prekey.objects.create(
        device=Device.objects.get(pk=bob.device_id),
        seq=2,
        body=signed.data,
        sig=signed.sig,
        prekey_hash=signed.prekey_hash,
        expires_ms=now_ms() + 1000,
    )

    prekeys = alice.get(f"/api/users/{bob.id}/keys").json()["prekeys"]

    assert [(row["seq"], row["prekey"]) for row in prekeys] == [(2, to_base64url(signed.data))]


def test_a_friend_without_keys_is_told_apart_from_a_stranger(alice, bob):
    AccountKey.objects.filter(user=bob.user).delete()
    assert refusal(alice.get(f"/api/users/{bob.id}/keys")) == (409, "keys_missing")


def test_changing_a_profile_is_limited_and_reading_it_is_not(alice, monkeypatch):
    monkeypatch.setattr(ProfileThrottle, "rate", "1/hour")
    assert alice.patch("/api/me", {"nickname": "once"}).status_code == 200

    assert refusal(alice.patch("/api/me", {"nickname": "twice"})) == (429, "rate_limited")
    assert alice.get("/api/me").json()["nickname"] == "once"
