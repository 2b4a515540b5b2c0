"""Suspending stops an account everywhere: sessions, tokens, sign-in, sockets."""

import pytest
from asgiref.sync import async_to_sync
from django.test import Client

from accounts.authentication import person_of_scope
from accounts.models import User
from accounts.refusals import Refused
from accounts.services import restore_user, suspend_user
from tests.cast import JSON, PASSWORD
from tests.news import News


def suspended(person, mod):
    suspend_user(actor=mod.user, user=person.user)
    return User.objects.get(pk=person.id)


def scope(client):
    cookie = f"sessionid={client.session.session_key}"
    return {"headers": [(b"cookie", cookie.encode())]}


def who(client):
    found = async_to_sync(person_of_scope)(scope(client))
    return found and found[0].email


def test_a_suspended_person_keeps_no_session_and_no_socket(alice, mod, committed):
    news = News(alice)
    assert alice.get("/api/me").status_code == 200

    with committed():
        suspended(alice, mod)

    answer = alice.get("/api/me")
    assert (answer.status_code, answer.json()["code"]) == (403, "suspended")
    assert alice.get("/").url.startswith("/accounts/login/")
    assert [ending["session_key"] for ending in news.endings()] == [None]


def test_a_suspended_person_cannot_sign_in_by_page_or_program(alice, mod):
    suspended(alice, mod)

    body = {"login": "alice@example.org", "password": PASSWORD}
    page = Client().post("/accounts/login/", body)
    body = {"email": "alice@example.org", "password": PASSWORD}
    program = Client().post("/_allauth/app/v1/auth/login", body, JSON)

    assert page["Location"] == "/accounts/inactive/"
    assert program.status_code == 401
    assert "session_token" not in program.json().get("meta", {})


def test_a_restored_person_goes_on_where_they_stopped(alice, mod):
    user = suspended(alice, mod)

    restore_user(actor=mod.user, user=user)

    assert alice.get("/api/me").status_code == 200


@pytest.mark.parametrize("name", ["mallory", "alice"])
def test_only_moderators_suspend(cast, name):
    with pytest.raises(Refused, match="forbidden"):
        suspend_user(actor=cast[name].user, user=cast.bob.user)
    assert cast.bob.get("/api/me").status_code == 200


def test_moderators_suspend_neither_themselves_nor_an_operator(mod, bob):
    bob.user.is_superuser = bob.user.is_staff = True
    for user in (mod.user, bob.user):
        with pytest.raises(Refused, match="forbidden"):
            suspend_user(actor=mod.user, user=user)


@pytest.mark.django_db(transaction=True)
def test_a_socket_belongs_to_a_person_only_while_the_account_may_be_used(cast):
    assert who(cast.alice.client) == "alice@example.org"

    suspended(cast.alice, cast.mod)

    assert who(cast.alice.client) is None
    assert who(cast.bob.client) == "bob@example.org"


@pytest.mark.django_db(transaction=True)
def test_a_socket_without_a_session_belongs_to_nobody(cast):
    nobody = {"headers": [(b"cookie", b"sessionid=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]}
    token = {"headers": [(b"X-Session-Token", b"bogus"), *scope(cast.alice.client)["headers"]]}

    assert async_to_sync(person_of_scope)(nobody) is None
    assert async_to_sync(person_of_scope)(token) is None
    assert async_to_sync(person_of_scope)({"headers": []}) is None
