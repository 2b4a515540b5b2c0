"""Starting an account again: announced to all its devices, 72 hours long stopped by any of them."""

from dataclasses import replace

import pytest

from accounts.models import Reset
from accounts.protocol import from_base64url, to_base64url
from accounts.throttles import ResetThrottle
from crypto_client.identity import new_account
from crypto_client.succession import SignedReset, make_reset, verify_reset
from tests.accounts.listing import PATH as LISTS
from tests.accounts.listing import (
    add_device,
    body_of,
    listed,
)
from tests.accounts.resetting import (
    COMPLETE,
    PATH,
    VETO,
    key_of,
    let_pass,
    new_start,
    state_of,
    veto_by,
)
from tests.news import News


def refusal(answer):
    return answer.status_code, answer.json()["code"]


# Announcing


def test_a_reset_is_announced_and_waits_for_72_hours(alice, started):
    told = alice.get(PATH).json()["reset"]

    assert told["state"] == "waiting"
    assert told["due_ms"] - told["announced_ms"] == 72 * 3600 * 1000
    assert from_base64url(told["reset_id"]) == started.reset.reset_id
    signed = SignedReset(from_base64url(told["reset"]), from_base64url(told["reset_sig"]))
    read = verify_reset(signed, alice.id.bytes, alice.keys.account.public)
    assert read.amk_new == started.keys.account.public


def test_every_device_of_the_account_hears_of_it_and_nobody_else(alice, bob, committed):
    alices, bobs = News(alice), News(bob)

    with committed():
        alice.post(PATH, new_start(alice).announcement())

    assert (alices.events(), bobs.events()) == (["reset.changed"], [])


def test_its_owner_is_told_by_mail_in_both_languages(alice, committed, mailoutbox):
    english = {"headers": {"Accept-Language": "en"}}
    with committed():
        alice.post(PATH, new_start(alice).announcement(), **english)

    [mail] = mailoutbox
    assert mail.to == [alice.user.email]
    assert "새로 시작" in mail.subject
    assert "start this account again" in mail.subject
    assert "멈추기" in mail.body
    assert "Stop it" in mail.body


def test_a_mail_that_cannot_be_sent_undoes_nothing(alice, committed, monkeypatch):
    monkeypatch.setattr("accounts.reset_mail.send_mail", lambda *_: 1 / 0)
    with committed():
        assert alice.post(PATH, new_start(alice).announcement()).status_code == 201

    assert state_of(alice) == "waiting"


def test_a_stolen_session_without_the_password_begins_nothing(alice, mailoutbox):
    answer = alice.post(PATH, new_start(alice).announcement("a guess"))

    assert refusal(answer) == (403, "password")
    assert (state_of(alice), mailoutbox) == (None, [])


def test_guesses_at_the_password_count_as_resets(alice, monkeypatch):
    monkeypatch.setattr(ResetThrottle, "rate", "1/day")
    assert refusal(alice.post(PATH, new_start(alice).announcement("a guess"))) == (403, "password")

    assert refusal(alice.post(PATH, new_start(alice).announcement())) == (429, "rate_limited")
    assert alice.get(PATH).status_code == 200


def test_one_reset_waits_at_a_time(alice, started):
    again = alice.post(PATH, new_start(alice).announcement())
    assert refusal(again) == (409, "reset_exists")


def test_who_has_no_keys_enrols_and_has_nothing_to_reset(newcomer, alice):
    assert refusal(newcomer.post(PATH, new_start(alice).announcement())) == (409, "keys_missing")


def test_mallory_and_dave_begin_nothing_in_the_name_of_alice(alice, mallory, dave):
    announcement = new_start(alice).announcement()

    assert refusal(mallory.post(PATH, announcement)) == (400, "invalid")
    assert refusal(dave.post(PATH, announcement)) == (400, "invalid")
    assert alice.post(PATH, announcement).status_code == 201
    assert (state_of(mallory), state_of(dave)) == (None, None)


@pytest.mark.parametrize(
    "broken",
    [
        lambda alice, bob: new_start(alice, bob.keys.account.public),
        lambda alice, bob: with_reset(alice, sig=bytes(64)),
        lambda alice, bob: with_reset(alice, data=b"reset"),
        lambda alice, bob: again(alice, alice),
        lambda alice, bob: again(alice, bob),
    ],
    ids=["another-old-key", "signature", "shape", "the-same-key", "anothers-key"],
)
def test_a_reset_that_no_client_could_use_is_refused(broken, alice, bob):
    assert refusal(alice.post(PATH, broken(alice, bob).announcement())) == (400, "invalid")
    assert alice.post(PATH, new_start(alice).announcement()).status_code == 201


def with_reset(person, **changes):
    start = new_start(person)
    return replace(start, reset=replace(start.reset, **changes))


def again(person, owner):
    """A reset to a key that is somebody's already."""
    start = new_start(person)
    account = new_account(person.id.bytes, lambda size: owner.keys.account.seed)
    return replace(start, reset=make_reset(account, person.keys.account.public, time=1))


# Stopping


def test_a_listed_device_stops_it(alice, started):
    assert alice.post(VETO, veto_by(alice.device, started.reset)).status_code == 204

    let_pass()
    assert state_of(alice) is None
    assert refusal(alice.post(COMPLETE, started.keys.enrolment())) == (404, "not_found")
    assert key_of(alice) == alice.keys.account.public
    kept = Reset.objects.get().veto
    assert kept
    assert to_base64url(bytes(kept)) == veto_by(alice.device, started.reset)["veto"]


def test_a_device_that_entered_meanwhile_stops_it_too(alice, started):
    laptop = add_device(alice)
    assert alice.post(VETO, veto_by(laptop, started.reset)).status_code == 204


def test_a_veto_counts_also_after_the_72_hours(alice, started):
    let_pass()
    assert state_of(alice) == "due"

    assert alice.post(VETO, veto_by(alice.device, started.reset)).status_code == 204
    assert refusal(alice.post(COMPLETE, started.keys.enrolment())) == (404, "not_found")


def test_a_revoked_device_does_not_stop_it(alice, started):
    laptop = add_device(alice)
    assert alice.post(LISTS, body_of(listed(alice, laptop))).status_code == 201

    answer = alice.post(VETO, veto_by(alice.device, started.reset))

    assert refusal(answer) == (400, "invalid")
    assert state_of(alice) == "waiting"


def test_mallory_and_dave_stop_nothing(alice, mallory, dave, started):
    for stranger in (mallory, dave):
        veto = veto_by(stranger.device, started.reset)
        assert refusal(stranger.post(VETO, veto)) == (404, "not_found")
        assert refusal(alice.post(VETO, veto)) == (400, "invalid")
        assert refusal(stranger.delete(PATH)) == (404, "not_found")
    assert state_of(alice) == "waiting"


def test_a_veto_is_not_used_again_for_the_next_reset(alice, started):
    veto = veto_by(alice.device, started.reset)
    assert alice.post(VETO, veto).status_code == 204
    assert alice.post(PATH, new_start(alice).announcement()).status_code == 201

    assert refusal(alice.post(VETO, veto)) == (400, "invalid")
    assert state_of(alice) == "waiting"


@pytest.mark.parametrize("changed", [b"veto", bytes(120)])
def test_a_veto_of_another_shape_is_refused(alice, started, changed):
    assert refusal(alice.post(VETO, {"veto": to_base64url(changed)})) == (400, "invalid")


def test_it_can_be_taken_back(alice, started):
    assert alice.delete(PATH).status_code == 204

    assert state_of(alice) is None
    let_pass()
    assert refusal(alice.post(COMPLETE, started.keys.enrolment())) == (404, "not_found")
    assert refusal(alice.delete(PATH)) == (404, "not_found")


def test_how_it_ends_is_told_to_devices_and_by_mail(alice, started, committed, mailoutbox):
    news = News(alice)
    with committed():
        alice.post(VETO, veto_by(alice.device, started.reset))

    assert news.events() == ["reset.changed"]
    assert "멈췄어요" in mailoutbox[-1].subject
