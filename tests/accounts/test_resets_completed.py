"""Starting an account again, once nobody has stopped it: what ends and what begins."""

import io
from dataclasses import replace
from datetime import timedelta

from django.core.management import call_command
from django.test import Client

from accounts.access import RESET_LAPSES_AFTER
from accounts.models import Device, DeviceList, FormerKey
from accounts.protocol import from_base64url, to_base64url
from accounts.resets import WAIT
from crypto_client.key_log import ACCOUNT_RESET, DEVICE_LIST, label_of, parse_leaf
from crypto_client.succession import SignedReset, make_reset, verify_reset
from tests.accounts.listing import PATH as LISTS
from tests.accounts.listing import (
    body_of,
    first_prekey,
    fresh_device,
    listed,
    proof_of,
)
from tests.accounts.resetting import (
    COMPLETE,
    PATH,
    VETO,
    Renewed,
    key_of,
    let_pass,
    new_start,
    start_again,
    state_of,
    veto_by,
)
from tests.cast import JSON, prove
from tests.news import News


def refusal(answer):
    return answer.status_code, answer.json()["code"]


# Completing


def test_before_it_is_due_nobody_completes_it(alice, started):
    let_pass(WAIT - timedelta(minutes=1))

    answer = alice.post(COMPLETE, started.keys.enrolment())

    assert refusal(answer) == (409, "reset_waiting")
    assert answer.json()["due_ms"] == alice.get(PATH).json()["reset"]["due_ms"]
    assert key_of(alice) == alice.keys.account.public


def test_the_new_key_takes_the_place_of_the_old_one(alice):
    started = start_again(alice)

    me = alice.get("/api/me").json()
    assert from_base64url(me["account_key"]) == started.keys.account.public
    assert (me["list_version"], me["recovery_version"], me["device_id"]) == (1, 1, None)
    assert state_of(alice) is None


def test_its_device_proves_itself_and_goes_on_like_any_other(alice):
    started = start_again(alice)
    device = started.keys.device

    nonce = from_base64url(alice.post("/api/devices/challenge").json()["nonce"])
    assert alice.post("/api/devices/proof", proof_of(device, nonce)).status_code == 204
    recovery = alice.get("/api/me/recovery").json()
    assert from_base64url(recovery["recovery_blob"]) == started.keys.recovery.data


def test_a_list_follows_under_the_new_key_and_none_under_the_old_one(alice):
    old = fresh_device(alice)
    under_old_key = body_of(listed(alice, alice.device, old), [first_prekey(old)])
    started = start_again(alice)
    assert refusal(alice.post(LISTS, under_old_key)) == (400, "invalid")

    person = Renewed("alice", alice.user, alice.client, new_keys=started.keys)
    laptop = fresh_device(person)
    body = body_of(listed(person, person.device, laptop), [first_prekey(laptop)])
    assert alice.post(LISTS, body).json()["list_version"] == 2


def test_every_device_of_the_old_key_is_out(alice, committed):
    lost = Client()
    lost.force_login(alice.user)
    lost.get("/api/me")
    prove(lost, alice)
    news = News(alice)

    with committed():
        start_again(alice)

    assert refusal(lost.get("/api/me")) == (401, "not_signed_in")
    assert alice.get("/api/me").status_code == 200
    ended = [m["device_id"] for m in news.heard() if m["type"] == "session.ended"]
    assert str(alice.device_id) in ended
    row = Device.objects.get(pk=alice.device_id)
    assert (row.revoked_at is None, row.prekeys.exists()) == (False, False)


def test_another_key_than_the_announced_one_is_refused(alice, started):
    let_pass()

    answer = alice.post(COMPLETE, new_start(alice).keys.enrolment())

    assert refusal(answer) == (400, "invalid")
    assert key_of(alice) == alice.keys.account.public


def test_a_broken_enrolment_changes_nothing(alice, started):
    let_pass()
    broken = {**started.keys.enrolment(), "recovery_sig": to_base64url(bytes(64))}

    assert refusal(alice.post(COMPLETE, broken)) == (400, "invalid")

    assert key_of(alice) == alice.keys.account.public
    assert DeviceList.objects.filter(user=alice.user).count() == 1
    assert state_of(alice) == "due"


def test_what_nobody_completes_within_a_week_has_lapsed(alice, started):
    let_pass(WAIT + RESET_LAPSES_AFTER)

    assert state_of(alice) is None
    assert refusal(alice.post(COMPLETE, started.keys.enrolment())) == (404, "not_found")
    assert alice.post(PATH, new_start(alice).announcement()).status_code == 201


def test_an_account_without_a_living_device_waits_for_nobody(alice):
    Device.objects.filter(user=alice.user).update(revoked_at="2026-01-01T00:00:00Z")
    started = new_start(alice)
    assert alice.post(PATH, started.announcement()).json()["reset"]["state"] == "due"

    assert alice.post(COMPLETE, started.keys.enrolment()).status_code == 201


def test_a_changed_password_touches_no_key_and_stops_nothing(alice, started):
    alice.user.set_password("another password")
    alice.user.save()
    alice.client.force_login(alice.user)

    assert key_of(alice) == alice.keys.account.public
    assert state_of(alice) == "waiting"


# What others see


def test_the_key_log_tells_of_the_reset_and_then_of_the_new_list(alice, started):
    alice.get("/api/key-log/head")
    let_pass()
    alice.post(COMPLETE, started.keys.enrolment())

    page = alice.get("/api/key-log").json()["leaves"]
    leaves = [parse_leaf(from_base64url(leaf)) for leaf in page]
    own = [leaf for leaf in leaves if leaf.label == label_of(alice.id.bytes)]

    assert [(leaf.kind, leaf.record_hash) for leaf in own] == [
        (DEVICE_LIST, alice.keys.device_list.list_hash),
        (ACCOUNT_RESET, started.reset.reset_id),
        (DEVICE_LIST, started.keys.device_list.list_hash),
    ]
    assert "ok  1 log(s), 8 leaves, 7 device lists" in verified()


def verified():
    said = io.StringIO()
    call_command("key_log", "verify", stdout=said)
    return said.getvalue()


def test_a_restarted_log_has_the_reset_where_it_belongs(alice):
    started = start_again(alice)
    call_command("key_log", "restart", stdout=io.StringIO())

    page = alice.get("/api/key-log").json()["leaves"]
    own = [parse_leaf(from_base64url(leaf)) for leaf in page]
    kinds = [leaf.kind for leaf in own if leaf.label == label_of(alice.id.bytes)]

    assert kinds == [DEVICE_LIST, ACCOUNT_RESET, DEVICE_LIST]
    assert started.reset.reset_id in {leaf.record_hash for leaf in own}
    assert verified()


def test_an_announced_or_vetoed_reset_is_no_leaf(alice, started):
    before = alice.get("/api/key-log").json()["leaves"]
    alice.post(VETO, veto_by(alice.device, started.reset))

    assert alice.get("/api/key-log").json()["leaves"] == before


def test_friends_get_the_new_key_the_reset_and_the_lists_of_before(alice, bob, mallory):
    started = start_again(alice)

    keys = bob.get(f"/api/users/{alice.id}/keys").json()

    assert from_base64url(keys["account_key"]) == started.keys.account.public
    assert [row["version"] for row in keys["lists"]] == [1]
    [former] = keys["former"]
    assert from_base64url(former["account_key"]) == alice.keys.account.public
    signed = SignedReset(from_base64url(former["reset"]), from_base64url(former["reset_sig"]))
    verify_reset(signed, alice.id.bytes, alice.keys.account.public)
    assert [from_base64url(row["device_list"]) for row in former["lists"]] == [
        alice.keys.device_list.data
    ]
    assert mallory.get(f"/api/users/{alice.id}/keys").status_code == 404


def test_friends_are_told_once_it_is_done(alice, bob, started, committed):
    let_pass()
    news = News(bob)
    with committed():
        alice.post(COMPLETE, started.keys.enrolment())

    assert news.events() == ["profile.changed"]


def test_what_opens_the_past_is_kept(alice):
    start_again(alice)

    former = FormerKey.objects.get(user=alice.user)
    assert bytes(former.recovery_blob) == alice.keys.recovery.data


def test_an_account_can_start_again_twice(alice):
    first = start_again(alice)
    second = new_start(alice, first.keys.account.public)
    assert alice.post(PATH, second.announcement()).status_code == 201
    let_pass()
    assert alice.post(COMPLETE, second.keys.enrolment()).status_code == 201

    keys = alice.get(f"/api/users/{alice.id}/keys").json()
    olds = [from_base64url(row["account_key"]) for row in keys["former"]]
    assert olds == [alice.keys.account.public, first.keys.account.public]
    assert verified()


def test_a_key_that_a_reset_has_ended_never_returns(alice):
    started = start_again(alice)
    back = make_reset(alice.keys.account, started.keys.account.public, time=1)

    answer = alice.post(PATH, replace(started, reset=back).announcement())

    assert refusal(answer) == (400, "invalid")


def test_what_is_logged_is_ids(alice, committed, caplog):
    with caplog.at_level("WARNING", "gamrae.accounts"), committed():
        alice.post(PATH, new_start(alice).announcement())

    assert f"code=reset_begun user={alice.id}" in caplog.messages


def test_a_session_of_another_browser_completes_it_with_the_key(alice, started):
    """Signing in again, or a changed password, makes another session of one and the same person."""
    let_pass()
    other = Client()
    other.force_login(alice.user)

    assert other.post(COMPLETE, started.keys.enrolment(), JSON).status_code == 201
