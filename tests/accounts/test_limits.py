"""Limits: exact under a storm, and not to be used up by a thief of the session."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts import rates, tally
from accounts.metrics import RATE_LIMITED
from accounts.models import DeviceList
from accounts.tally import take_place
from accounts.throttles import (
    DeviceListThrottle,
    KeyLogThrottle,
    ManyKeysThrottle,
    OwnerThrottle,
    ProofThrottle,
    RecoveryThrottle,
    ResetEndThrottle,
    ResetThrottle,
)
from tests.accounts.listing import PATH as LISTS
from tests.accounts.listing import body_of, first_prekey, fresh_device, listed
from tests.accounts.resetting import PATH as RESET
from tests.accounts.resetting import VETO, new_start, state_of, veto_by
from tests.cast import JSON

BLOB = "/api/me/recovery"
TOGETHER = OwnerThrottle.sessions


def session_of(person):
    """Another browser in which somebody is signed in as this person."""
    client = Client()
    client.force_login(person.user)
    return client


def statuses(client, tries, ask=lambda client: client.get(BLOB)):
    return [ask(client).status_code for _ in range(tries)]


# The counting


def test_a_place_is_taken_until_its_time_is_over(monkeypatch):
    assert [take_place(cache, "x", 2, 60) for _ in range(2)] == [None, None]

    wait = take_place(cache, "x", 2, 60)

    assert wait is not None
    assert 59 < wait <= 60
    assert take_place(cache, "y", 2, 60) is None
    cache.delete("x:1")
    assert take_place(cache, "x", 2, 60) is None


def test_whoever_asks_at_the_same_moment_shares_the_same_places():
    together = threading.Barrier(8)

    def storm(_):
        together.wait(10)
        return [take_place(cache, "x", 5, 60) for _ in range(20)]

    with ThreadPoolExecutor(8) as pool:
        answers = [answer for answers in pool.map(storm, range(8)) for answer in answers]

    assert answers.count(None) == 5
    assert len(answers) == 160


class Racing:
    """A cache in which somebody else always comes first."""

    def add(self, *_):
        return False

    def get_many(self, names):
        return {}


def test_a_lost_race_is_a_refusal_and_not_an_error():
    assert take_place(Racing(), "x", 3, 60) == pytest.approx(tally.AFTER_A_RACE)


# The owner and the thief


def test_one_session_uses_up_its_own_tries_and_not_those_of_another(alice):
    thief = session_of(alice)
    assert statuses(thief, 6) == [200] * 5 + [429]

    assert alice.get(BLOB).status_code == 200


def test_many_sessions_share_a_wider_limit(alice, monkeypatch):
    monkeypatch.setattr(RecoveryThrottle, "rate", "1/hour")
    answers = [session_of(alice).get(BLOB).status_code for _ in range(TOGETHER + 2)]

    assert answers == [200] * TOGETHER + [429] * 2


def test_a_proved_device_has_a_reserve_that_no_other_session_touches(alice, monkeypatch):
    monkeypatch.setattr(RecoveryThrottle, "rate", "1/hour")
    alice.prove()
    assert [session_of(alice).get(BLOB).status_code for _ in range(TOGETHER + 1)][-1] == 429

    assert alice.get(BLOB).status_code == 200


def test_who_spoils_the_tries_cannot_keep_the_owner_from_a_veto(alice, started):
    thief = session_of(alice)

    def spoil(client):
        return client.post(VETO, {"veto": "AAAA"}, JSON)

    while spoil(thief).status_code != 429:
        pass
    for other in [session_of(alice) for _ in range(TOGETHER)]:
        while spoil(other).status_code != 429:
            pass
    alice.prove()

    assert alice.post(VETO, veto_by(alice.device, started.reset)).status_code == 204
    assert state_of(alice) is None


def test_a_new_password_begins_the_tries_of_unproved_sessions_anew(alice, monkeypatch):
    monkeypatch.setattr(RecoveryThrottle, "rate", "1/hour")
    assert [session_of(alice).get(BLOB).status_code for _ in range(TOGETHER + 1)][-1] == 429

    alice.user.set_password("a new and better password")
    alice.user.save()

    assert session_of(alice).get(BLOB).status_code == 200


def test_guesses_at_the_password_stay_few_however_many_sessions_are_stolen(alice, monkeypatch):
    monkeypatch.setattr(ResetThrottle, "rate", "1/day")
    guess = new_start(alice).announcement("a guess")

    answers = [session_of(alice).post(RESET, guess, JSON) for _ in range(TOGETHER + 3)]

    assert [each.status_code for each in answers] == [403] * TOGETHER + [429] * 3


def test_limits_of_one_person_are_not_those_of_another(alice, mallory, dave, monkeypatch):
    monkeypatch.setattr(RecoveryThrottle, "rate", "1/hour")
    assert statuses(mallory.client, 2) == [200, 429]
    assert statuses(dave.client, 2) == [200, 429]

    assert alice.get(BLOB).status_code == 200


def test_a_refusal_says_when_there_is_room_again_and_is_counted(alice, monkeypatch):
    monkeypatch.setattr(ResetEndThrottle, "rate", "1/hour")
    counted = RATE_LIMITED.labels("reset-end")._value
    before = counted.get()
    alice.delete(RESET)

    refused = alice.delete(RESET)

    assert refused.status_code == 429
    assert 3_500_000 < refused.json()["retry_after_ms"] <= 3_600_000
    assert 3500 < int(refused["Retry-After"]) <= 3600
    assert counted.get() == before + 1


# Lists, and the key log


def test_lists_that_no_account_key_signed_use_up_nothing_of_those_that_are_kept(alice, monkeypatch):
    monkeypatch.setattr(rates, "LISTS_AN_HOUR", 2)  # the first was kept at enrolment
    device = fresh_device(alice)
    body = body_of(listed(alice, alice.device, device), [first_prekey(device)])
    forged = {**body, "list_sig": "A" * 86}
    assert (
        statuses(session_of(alice), 3, lambda thief: thief.post(LISTS, forged, JSON)) == [400] * 3
    )

    assert alice.post(LISTS, body).status_code == 201


def test_kept_lists_count_by_person_whatever_session_sends_them(alice, monkeypatch):
    monkeypatch.setattr(rates, "LISTS_AN_HOUR", 2)
    devices = [fresh_device(alice), fresh_device(alice)]
    body = body_of(listed(alice, alice.device, devices[0]), [first_prekey(devices[0])])
    assert alice.post(LISTS, body).status_code == 201
    body = body_of(listed(alice, alice.device, *devices), [first_prekey(devices[1])])

    refused = session_of(alice).post(LISTS, body, JSON)

    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert 3_500_000 < refused.json()["retry_after_ms"] <= 3_600_000


def test_kept_lists_count_by_day_too(alice, monkeypatch):
    monkeypatch.setattr(rates, "LISTS_A_DAY", 2)
    DeviceList.objects.filter(user=alice.user).update(created_at=timezone.now() - 2 * rates.HOUR)
    devices = [fresh_device(alice), fresh_device(alice)]
    body = body_of(listed(alice, alice.device, devices[0]), [first_prekey(devices[0])])
    assert alice.post(LISTS, body).status_code == 201
    body = body_of(listed(alice, alice.device, *devices), [first_prekey(devices[1])])

    refused = alice.post(LISTS, body)

    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    hours = refused.json()["retry_after_ms"] / 3_600_000
    assert 21.9 < hours <= 22
    DeviceList.objects.filter(user=alice.user, version=1).update(
        created_at=timezone.now() - rates.DAY
    )
    assert alice.post(LISTS, body).status_code == 201


def test_following_the_key_log_is_limited(alice, bob, monkeypatch):
    monkeypatch.setattr(KeyLogThrottle, "rate", "2/minute")
    assert alice.get("/api/key-log/head").status_code == 200
    assert alice.get("/api/key-log?after=0").status_code == 200

    assert alice.get("/api/key-log?after=0").status_code == 429
    assert alice.get("/api/key-log/head").status_code == 429
    assert bob.get("/api/key-log?after=0").status_code == 200


@pytest.mark.parametrize(
    ("throttle", "method", "path"),
    [
        (ProofThrottle, "post", "/api/devices/challenge"),
        (ManyKeysThrottle, "post", "/api/users/keys"),
        (KeyLogThrottle, "get", "/api/key-log/head"),
    ],
)
def test_a_thief_keeps_no_client_from_what_it_begins_with(
    alice, monkeypatch, throttle, method, path
):
    alice.prove()
    cache.clear()  # that took places, too
    monkeypatch.setattr(throttle, "rate", "1/minute", raising=False)
    body = {"users": [{"user_id": str(alice.id), "after_version": 0}]} if method == "post" else {}

    def ask(client):
        return getattr(client, method)(path, body, JSON)

    assert statuses(session_of(alice), 2, ask) == [200, 429]
    assert ask(session_of(alice)).status_code == 200
    others = [ask(session_of(alice)).status_code for _ in range(TOGETHER)]
    assert others[-1] == 429

    assert ask(alice.client).status_code == 200


@pytest.mark.parametrize("throttle", [RecoveryThrottle, ResetEndThrottle, DeviceListThrottle])
def test_a_signed_out_stranger_is_refused_before_anything_is_counted(throttle, db, monkeypatch):
    monkeypatch.setattr(throttle, "rate", "1/hour")
    for _ in range(3):
        assert Client().get(BLOB).status_code == 401
        assert Client().post(LISTS, {}, JSON).status_code == 401
        assert Client().delete(RESET).status_code == 401
