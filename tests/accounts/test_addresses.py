"""Changing one's address, and which of allauth's addresses for programs are open at all."""

import re

import pytest
from allauth.headless.urls import urlpatterns
from django.test import Client

from accounts.models import User
from tests.cast import JSON, PASSWORD

APP = "/_allauth/app/v1/"
OPEN_TO_PROGRAMS = {
    "config",
    "auth/email/verify",
    "auth/email/verify/resend",
    "auth/login",
    "auth/password/request",
    "auth/password/reset",
    "auth/reauthenticate",
    "auth/session",
    "auth/sessions",
    "auth/signup",
    "account/password/change",
}


def paths(patterns, before=""):
    for each in patterns:
        path = before + str(each.pattern)
        yield from paths(each.url_patterns, path) if hasattr(each, "url_patterns") else [path]


def program_of(person):
    body = {"email": person.user.email, "password": PASSWORD}
    token = Client().post(f"{APP}auth/login", body, JSON).json()["meta"]["session_token"]
    return Client(headers={"X-Session-Token": token})


def test_programs_reach_what_they_need_and_nothing_else_of_allauth(alice):
    offered = {path.removeprefix("app/v1/") for path in paths(urlpatterns)}
    assert offered > OPEN_TO_PROGRAMS
    program = program_of(alice)

    answers = {path: program.get(APP + path).status_code for path in offered}

    assert {path for path, status in answers.items() if status != 404} == OPEN_TO_PROGRAMS


@pytest.mark.parametrize("address", ["bob@example.org", "nobody@example.org"])
def test_an_address_that_nobody_confirmed_never_becomes_the_accounts(cast, address):
    page = cast.mallory.client
    page.post("/accounts/email/", {"action_add": "", "email": address})
    answer = page.post("/accounts/email/", {"action_primary": "", "email": address})

    assert answer.status_code == 404
    assert User.objects.get(pk=cast.mallory.id).email == "mallory@example.org"


def test_asking_for_another_address_again_and_giving_up_keeps_the_own_one(alice):
    page = alice.client
    for address in ("first@example.org", "second@example.org"):
        page.post("/accounts/email/", {"action_add": "", "email": address})
    page.post("/accounts/email/", {"action_remove": "", "email": "second@example.org"})

    assert User.objects.get(pk=alice.id).email == "alice@example.org"
    assert program_of(alice).get("/api/me").json()["email"] == "alice@example.org"


def test_an_address_becomes_the_accounts_with_its_confirmation(alice, mailoutbox):
    alice.client.post("/accounts/email/", {"action_add": "", "email": "new@example.org"})
    assert User.objects.get(pk=alice.id).email == "alice@example.org"
    [link] = re.findall(r"https?://\S+(/accounts/confirm-email/\S+)", mailoutbox[-1].body)

    alice.client.post(link)

    assert User.objects.get(pk=alice.id).email == "new@example.org"
