"""The admin shows metadata to moderators, and nothing to anybody else."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.test import Client

from accounts.fingerprint import fingerprint
from accounts.models import User
from accounts.protocol import to_base64url
from crypto_client.safety import safety_number
from tests.cast import PASSWORD
from tests.news import News

USERS = "/admin/accounts/user/"
PAGES = ["/admin/", USERS, "/admin/accounts/device/"]


def act(person, action, *people):
    body = {"action": action, "_selected_action": [str(other.id) for other in people]}
    return person.client.post(USERS, body, follow=True)


def is_suspended(person):
    return User.objects.get(pk=person.id).suspended_at is not None


@pytest.mark.parametrize("path", PAGES)
def test_only_moderators_get_in(cast, path):
    assert cast.mod.get(path).status_code == 200
    for name in ("alice", "dave", "mallory"):
        assert cast[name].get(path, follow=True).status_code == 403
    assert Client().get(path, follow=True).redirect_chain[-1][0].startswith("/accounts/login/")


def test_people_are_found_by_address_and_name(mod):
    page = mod.get(f"{USERS}?q=carol").content.decode()
    assert "carol@example.org" in page
    assert "bob@example.org" not in page


def test_a_person_is_shown_as_metadata_without_hash_or_key(mod, alice):
    page = mod.get(f"{USERS}{alice.id}/change/").content.decode()

    assert fingerprint(alice.id, alice.keys.account.public) in page
    assert "친구 2" in page
    assert "기기 1" in page
    assert "argon2" not in page
    assert to_base64url(alice.keys.account.public) not in page
    assert alice.keys.account.public.hex() not in page


def test_the_fingerprint_is_the_clients_half_of_the_safety_number(alice, bob):
    number = safety_number(
        (alice.id.bytes, alice.keys.account.public), (bob.id.bytes, bob.keys.account.public)
    )
    halves = [fingerprint(person.id, person.keys.account.public) for person in (alice, bob)]
    assert "".join(sorted(half.replace(" ", "") for half in halves)) == number.replace(" ", "")


def test_a_moderator_suspends_and_restores(mod, alice, committed):
    news = News(alice)
    with committed():
        act(mod, "suspend", alice)
    assert is_suspended(alice)
    assert alice.get("/api/me").status_code == 403
    assert len(news.endings()) == 1
    assert LogEntry.objects.get().object_id == str(alice.id)

    act(mod, "restore", alice)
    assert not is_suspended(alice)


def test_a_moderator_cannot_suspend_themselves(mod):
    page = act(mod, "suspend", mod).content.decode()
    assert "할 수 없는 계정이에요." in page
    assert not is_suspended(mod)


def test_nobody_else_suspends(mallory, alice):
    act(mallory, "suspend", alice)
    assert not is_suspended(alice)


@pytest.mark.parametrize("path", ["add/", "{alice}/delete/", "{alice}/password/"])
def test_a_moderator_neither_makes_deletes_nor_takes_over_accounts(mod, alice, path):
    answer = mod.get(USERS + path.format(alice=alice.id), follow=True)
    assert answer.status_code in {403, 404} or answer.redirect_chain[-1][0] == "/admin/"


def test_a_moderator_cannot_make_moderators(mod, mallory):
    mod.client.post(f"{USERS}{mallory.id}/change/", {"is_staff": "on", "is_active": "on"})
    assert not User.objects.get(pk=mallory.id).is_staff


@pytest.fixture
def operator(mod):
    User.objects.filter(pk=mod.id).update(is_superuser=True)
    return mod


def test_an_operator_makes_an_account_that_can_sign_in(operator):
    body = {
        "email": "Erin@example.org",
        "nickname": "에린",
        "password1": PASSWORD,
        "password2": PASSWORD,
    }
    assert operator.client.post(f"{USERS}add/", body).status_code == 302

    page = Client().post("/accounts/login/", {"login": "erin@example.org", "password": PASSWORD})
    assert page["Location"] == "/"


def test_an_operator_makes_a_moderator(operator, alice):
    body = {"is_staff": "on", "is_active": "on"}
    assert operator.client.post(f"{USERS}{alice.id}/change/", body).status_code == 302
    assert alice.get("/admin/").status_code == 200


def test_libraries_show_nothing(db):
    shown = {model._meta.app_label for model in admin.site._registry}
    assert shown <= {"accounts", "friends", "rooms", "messaging"}
    assert apps.get_model("usersessions.usersession") not in admin.site._registry


def test_leaving_the_admin_ends_the_session_by_post_alone(mod, committed):
    mod.get("/admin/logout/")
    assert mod.get("/api/me").status_code == 200
    news = News(mod)

    with committed():
        mod.client.post("/admin/logout/")

    assert mod.get("/api/me").status_code == 401
    assert len(news.endings()) == 1


@pytest.mark.parametrize("field", ["password__startswith", "password", "last_login__gte"])
def test_nobody_asks_the_list_about_what_it_does_not_filter_by(mod, field):
    """Row by row and letter by letter, a filter would tell what no page shows."""
    assert mod.get(f"{USERS}?{field}=argon2").status_code == 400


def test_the_filters_of_the_list_still_work(mod):
    page = mod.get(f"{USERS}?is_staff__exact=1").content.decode()
    assert "mod@example.org" in page
    assert "bob@example.org" not in page


def test_who_is_switched_off_by_an_operator_loses_their_sockets_at_once(mod, bob, committed):
    User.objects.filter(pk=mod.id).update(is_superuser=True)
    news = News(bob)

    with committed():
        mod.client.post(f"{USERS}{bob.id}/change/", {"is_staff": "on"})

    assert not User.objects.get(pk=bob.id).is_active
    assert len(news.endings()) == 1
