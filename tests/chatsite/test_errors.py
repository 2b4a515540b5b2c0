"""Every refusal has the same shape and a code of docs/wire.md; nothing of ours leaks."""

import json
import re
from pathlib import Path

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from accounts.refusals import REFUSALS, Refused
from chatsite.errors import PROBLEM
from tests.cast import JSON

WIRE = Path(__file__).resolve().parents[2] / "docs" / "wire.md"


def refusal(answer):
    assert answer.headers["Content-Type"] == PROBLEM
    body = json.loads(answer.content)
    assert body["status"] == answer.status_code
    return answer.status_code, body.get("code")


def test_the_codes_are_those_of_the_document():
    section = WIRE.read_text().split("## 2. Error codes")[1].split("## 3.")[0]
    rows = re.findall(r"^\| `(\w+)` \| (\d+|–) \|", section, re.M)
    line = re.search(r"^Retryable codes: (.*)\.$", section, re.M)
    assert line is not None
    retryable = set(re.findall(r"`(\w+)`", line[1]))

    assert {
        code: (int(status) if status.isdigit() else None, code in retryable)
        for code, status in rows
    } == REFUSALS


def test_a_code_that_is_not_in_the_table_is_a_bug():
    with pytest.raises(KeyError):
        Refused("made_up")


@pytest.mark.parametrize("path", ["/api/nothing", "/api/", "/api/users/7/keys", "/api/friends/x"])
def test_an_address_that_is_none_is_not_found(alice, path):
    assert refusal(alice.get(path)) == (404, "not_found")


def test_a_method_that_is_not_offered_is_named_so(alice):
    answer = alice.put("/api/me", {})
    assert refusal(answer) == (405, "method_not_allowed")
    assert "PATCH" in answer.headers["Allow"]


def test_nobody_is_asked_to_sign_in(client, db):
    answer = client.get("/api/me")
    assert refusal(answer) == (401, "not_signed_in")
    assert answer.headers["WWW-Authenticate"] == "Session"


BODIES = {
    "nothing": b"",
    "no JSON": b"{",
    "a list": b"[]",
    "a string": b'"x"',
    "not UTF-8": b'{"nickname": "\xff"}',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "a name twice": b'{"nickname": "a", "nickname": "b"}',
    "not a number": b'{"nickname": NaN}',
    "a deep well": b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
}


@pytest.mark.parametrize("body", BODIES.values(), ids=list(BODIES))
def test_a_body_that_is_no_object_is_refused(alice, body):
    answer = alice.client.generic("POST", "/api/friend-requests", body, JSON)
    assert refusal(answer) == (400, "invalid")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_of_another_kind_is_refused(alice, kind):
    answer = alice.client.generic("PATCH", "/api/me", b'{"nickname": "x"}', kind)
    assert refusal(answer) == (400, "invalid")


def test_a_body_over_its_limit_is_refused(alice, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    body = json.dumps({"email": "x" * 100}).encode()
    answer = alice.client.generic("POST", "/api/friend-requests", body, JSON)
    assert refusal(answer) == (413, "too_large")


def test_what_the_client_accepts_changes_nothing(alice):
    answer = alice.get("/api/me", headers={"Accept": "text/html"})
    assert answer.headers["Content-Type"] == JSON


@pytest.fixture
def broken(monkeypatch):
    """A server with a bug in it, as a client sees it."""

    def fail(*given, **named):
        raise RuntimeError("the secret reason")

    monkeypatch.setattr("accounts.api.me_of", fail)
    monkeypatch.setattr("chatsite.views.render", fail)


@pytest.mark.usefixtures("broken")
@pytest.mark.parametrize("path", ["/api/me", "/"])
def test_a_bug_says_nothing_of_itself(alice, path):
    client = Client(raise_request_exception=False)
    client.force_login(alice.user)

    answer = client.get(path)

    assert answer.status_code == 500
    assert b"secret reason" not in answer.content
    assert b"Traceback" not in answer.content


@pytest.mark.usefixtures("broken")
def test_a_bug_of_the_api_is_a_problem_too(alice):
    client = Client(raise_request_exception=False)
    client.force_login(alice.user)
    assert refusal(client.get("/api/me")) == (500, None)


def test_another_host_is_refused_as_a_program_reads_it(client, db):
    assert refusal(client.get("/api/me", headers={"host": "evil.example"})) == (400, "invalid")


def test_people_get_pages(client, db):
    answer = client.get("/nowhere")
    assert answer.status_code == 404
    assert "없는 페이지예요" in answer.content.decode()


def test_a_form_without_its_token_is_explained(db):
    answer = Client(enforce_csrf_checks=True).post("/accounts/login/", {})
    assert answer.status_code == 403
    assert "페이지가 오래되었어요" in answer.content.decode()


def test_what_is_refused_before_any_view_leaves_no_address_in_the_log(db, caplog):
    stranger = Client(enforce_csrf_checks=True)

    assert stranger.post("/accounts/confirm-email/key-of-a-mailed-link/").status_code == 403
    assert stranger.get("/", headers={"host": "made-up.example"}).status_code == 400

    assert "key-of-a-mailed-link" not in caplog.text
    assert "made-up.example" not in caplog.text


def test_a_session_that_ends_while_it_is_used_is_none_and_does_not_come_back(alice, monkeypatch):
    def meanwhile_signed_out():
        Session.objects.all().delete()
        return 0

    monkeypatch.setattr("accounts.services.now_ms", meanwhile_signed_out)

    assert refusal(alice.post("/api/devices/challenge")) == (401, "not_signed_in")
    assert not Session.objects.exists()
