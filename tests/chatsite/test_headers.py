"""What every answer says to browsers."""

import json
import logging

import pytest
from django.conf import settings as configured
from django.test import Client

from chatsite.csp_report import REPORTS
from tests.cast import PASSWORD

PAGES = ["/accounts/login/", "/accounts/signup/", "/accounts/password/reset/", "/nowhere"]
OWN_PAGES = ["/", "/accounts/sessions/", "/accounts/email/", "/accounts/password/change/"]


def policy(answer):
    parts = answer.headers["Content-Security-Policy"].split("; ")
    return {name: values for name, _, values in (part.partition(" ") for part in parts)}


def strict(answer):
    found = policy(answer)
    return (
        found["default-src"] == "'none'"
        and found["script-src"] == "'self' 'wasm-unsafe-eval'"
        and found["style-src"] == "'self'"
        and found["require-trusted-types-for"] == "'script'"
        and found["frame-ancestors"] == found["base-uri"] == "'none'"
        and found["form-action"] == "'self'"
    )


@pytest.mark.parametrize("path", PAGES)
def test_pages_for_everybody_are_locked_down(client, db, path):
    assert_locked_down(client.get(path))


@pytest.mark.parametrize("path", [*OWN_PAGES, "/api/me", "/api/schema/"])
def test_own_pages_are_locked_down(alice, path):
    assert_locked_down(alice.get(path))


def assert_locked_down(answer):
    assert strict(answer)
    assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in answer.headers["Permissions-Policy"]
    assert "publickey-credentials-get=(self)" in answer.headers["Permissions-Policy"]
    assert "publickey-credentials-create=(self)" in answer.headers["Permissions-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/admin/", "/admin/accounts/user/"])
def test_only_admin_pages_do_without_trusted_types(mod, path):
    answer = mod.get(path)

    assert answer.status_code == 200
    found = policy(answer)
    assert found["script-src"] == found["style-src"] == "'self'"
    assert not {"require-trusted-types-for", "trusted-types"} & set(found)
    assert found["default-src"] == "'none'"


@pytest.mark.parametrize("path", [*PAGES, *OWN_PAGES, "/admin/", "/admin/accounts/user/"])
def test_no_page_holds_a_style_or_script_of_its_own(mod, path):
    page = mod.get(path).content.decode()
    assert " style=" not in page
    assert "<style" not in page
    assert " onclick=" not in page
    assert page.count("<script") == page.count("<script src=") + page.count(
        '<script type="module" src='
    )


def test_sockets_may_only_go_home(client, db):
    assert policy(client.get("/accounts/login/"))["connect-src"].split() == [
        "'self'",
        *(origin.replace("http", "ws", 1) for origin in configured.ALLOWED_ORIGINS),
    ]


def test_cookies_are_for_the_server_alone(client, alice):
    client.get("/accounts/login/")
    client.post("/accounts/login/", {"login": "alice@example.org", "password": PASSWORD})
    for name in ("csrftoken", "sessionid"):
        assert client.cookies[name]["httponly"]
        assert client.cookies[name]["samesite"] == "Lax"
        assert not client.cookies[name]["domain"]


def test_a_report_is_counted_by_its_directive_and_nothing_of_it_is_kept(db, caplog):
    before = REPORTS.labels("script-src")._value.get()
    report = {"effective-directive": "script-src", "blocked-uri": "https://secret.example/room"}
    caplog.set_level(logging.WARNING, "gamrae.csp")

    answer = Client(enforce_csrf_checks=True).post(
        "/csp-report", json.dumps({"csp-report": report}), "application/csp-report"
    )

    assert answer.status_code == 204
    assert REPORTS.labels("script-src")._value.get() == before + 1
    assert caplog.messages == ["code=csp_report directive=script-src"]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"csp-report": 7}', b'{"csp-report": {"violated-directive": "x\\ny"}}']
)
def test_a_report_that_is_none_is_unknown(client, db, caplog, body):
    caplog.set_level(logging.WARNING, "gamrae.csp")

    assert client.post("/csp-report", body, "application/csp-report").status_code == 204
    assert caplog.messages == ["code=csp_report directive=unknown"]
