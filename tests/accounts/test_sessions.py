"""Signing up, in and out; passwords; own sessions. What ends a session ends its sockets."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import identify_hasher, make_password
from django.contrib.sessions.models import Session
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import hashers
from accounts.metrics import HASH_WAIT_SECONDS, SIGN_INS
from accounts.models import User
from tests.cast import JSON, PASSWORD
from tests.news import News

NEW_PASSWORD = "seven purple elephants"
SIGN_UP = {"email": "erin@example.org", "nickname": "에린", "password1": PASSWORD}


def sign_in(client, email="alice@example.org", password=PASSWORD):
    return client.post("/accounts/login/", {"login": email, "password": password})


def is_signed_in(client):
    return client.get("/api/me").status_code == 200


def reset_path():
    link = r"http://127\.0\.0\.1:8000(/accounts/password/reset/key/\S+)"
    [path] = re.findall(link, str(mail.outbox[-1].body))
    return path


def test_signing_up_makes_an_account_with_its_name_and_signs_in(client, db):
    answer = client.post("/accounts/signup/", SIGN_UP)

    assert (answer.status_code, answer.url) == (302, "/")
    me = client.get("/api/me").json()
    assert (me["email"], me["nickname"], me["account_key"]) == ("erin@example.org", "에린", None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"nickname": ""},
        {"nickname": "x" * 41},
        {"nickname": "a\u202eb"},
        {"password1": "short"},
        {"password1": "password1234"},
        {"password1": "x" * 129},
        {"email": "no address"},
    ],
    ids=str,
)
def test_sign_up_refuses_what_cannot_be(client, db, wrong):
    answer = client.post("/accounts/signup/", {**SIGN_UP, **wrong})

    assert answer.status_code == 200
    assert not User.objects.exists()


def test_a_program_signs_up_with_a_token_and_its_name(client, db):
    body = {"email": "erin@example.org", "nickname": "에린", "password": PASSWORD}
    answer = client.post("/_allauth/app/v1/auth/signup", body, JSON)

    assert answer.status_code == 200
    token = answer.json()["meta"]["session_token"]
    me = Client().get("/api/me", headers={"X-Session-Token": token})
    assert me.json()["nickname"] == "에린"
    assert me.cookies == {}


def test_a_program_needs_no_csrf_token_and_a_browser_does(alice):
    program = Client(enforce_csrf_checks=True)
    body = {"email": "alice@example.org", "password": PASSWORD}
    token = program.post("/_allauth/app/v1/auth/login", body, JSON).json()["meta"]["session_token"]
    headers = {"X-Session-Token": token}

    answer = program.post("/api/devices/challenge", {}, JSON, headers=headers)

    assert answer.status_code == 200


def test_a_program_signs_out_with_its_token(alice, committed):
    program, news = Client(), News(alice)
    body = {"email": "alice@example.org", "password": PASSWORD}
    token = program.post("/_allauth/app/v1/auth/login", body, JSON).json()["meta"]["session_token"]
    headers = {"X-Session-Token": token}
    assert program.get("/api/me", headers=headers).status_code == 200

    with committed():
        program.delete("/_allauth/app/v1/auth/session", headers=headers)

    answer = program.get("/api/me", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")
    assert [ending["session_key"] for ending in news.endings()] == [token]


@pytest.mark.parametrize("token", ["", "x" * 32, "x" * 400, "한글"])
def test_a_token_that_is_none_is_nobody_even_with_a_cookie(alice, token):
    headers = {"X-Session-Token": token.encode().decode("latin-1")}
    assert alice.get("/api/me", headers=headers).status_code == 401


def test_signing_in_changes_the_session_key(client, alice):
    client.get("/accounts/login/")
    client.session["planted"] = 1
    planted = client.session.session_key

    sign_in(client)

    assert is_signed_in(client)
    assert client.session.session_key != planted


def shown(answer):
    """A page without what differs each time it is drawn."""
    return re.sub(r'(name="csrfmiddlewaretoken" value=)"\w+"', r"\1", answer.content.decode())


def test_a_wrong_password_and_an_unknown_address_look_alike(client, alice):
    wrong = shown(sign_in(client, password="not the right one"))
    unknown = shown(sign_in(client, email="bogus@example.org", password="not the right one"))

    assert "이메일이나 비밀번호가 맞지 않아요." in wrong
    assert wrong.replace("alice@example.org", "bogus@example.org") == unknown


def test_guessing_is_stopped_and_only_for_the_address_that_is_guessed(client, alice, bob):
    for _ in range(5):
        sign_in(client, password="wrong guess")

    assert sign_in(client).status_code == 200
    assert not is_signed_in(client)
    assert sign_in(client, email="bob@example.org").status_code == 302


def test_signing_out_ends_this_session_and_its_sockets(alice, committed):
    news, key = News(alice), alice.client.session.session_key
    assert is_signed_in(alice.client)

    with committed():
        alice.client.post("/accounts/logout/")

    assert not is_signed_in(alice.client)
    assert [ending["session_key"] for ending in news.endings()] == [key]
    assert not Session.objects.filter(pk=key).exists()


def test_opening_the_sign_out_page_signs_nobody_out(alice):
    alice.get("/accounts/logout/")
    assert is_signed_in(alice.client)


def test_a_new_password_ends_all_sockets_and_every_other_session(alice, committed):
    news, other = News(alice), Client()
    other.force_login(alice.user)
    assert is_signed_in(other)
    body = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}

    with committed():
        answer = alice.client.post("/accounts/password/change/", body)

    assert answer.status_code == 302
    assert is_signed_in(alice.client)
    assert not is_signed_in(other)
    assert [ending["session_key"] for ending in news.endings()] == [None]


def test_the_old_password_is_needed_for_a_new_one(alice):
    body = {"oldpassword": "wrong", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    assert alice.client.post("/accounts/password/change/", body).status_code == 200

    alice.user.refresh_from_db()
    assert alice.user.check_password(PASSWORD)


def test_a_forgotten_password_is_reset_by_mail(client, alice, committed):
    news = News(alice)
    client.post("/accounts/password/reset/", {"email": "alice@example.org"})
    form = client.get(reset_path()).url

    with committed():
        client.post(form, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})

    assert sign_in(Client(), password=NEW_PASSWORD).status_code == 302
    assert not is_signed_in(alice.client)
    assert [ending["session_key"] for ending in news.endings()] == [None]


def test_a_reset_link_works_once(client, alice):
    client.post("/accounts/password/reset/", {"email": "alice@example.org"})
    path = reset_path()
    client.post(client.get(path).url, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})

    again = Client().get(path)

    assert "쓸 수 없는 주소예요" in again.content.decode()


def test_asking_for_a_reset_answers_the_same_for_everybody(client, alice):
    known = client.post("/accounts/password/reset/", {"email": "alice@example.org"})
    unknown = client.post("/accounts/password/reset/", {"email": "bogus@example.org"})

    assert (known.status_code, known.url) == (unknown.status_code, unknown.url)
    assert [message.to for message in mail.outbox] == [["alice@example.org"], ["bogus@example.org"]]


def test_a_forged_host_cannot_get_into_a_reset_link(client, alice, settings):
    settings.ALLOWED_HOSTS = ["*"]
    client.post(
        "/accounts/password/reset/",
        {"email": "alice@example.org"},
        headers={"host": "evil.example"},
    )
    assert "evil.example" not in mail.outbox[-1].body
    assert reset_path()


def test_a_forged_host_cannot_get_into_a_confirmation_link(client, db, settings):
    settings.ALLOWED_HOSTS = ["*"]
    client.post("/accounts/signup/", SIGN_UP, headers={"host": "evil.example"})

    [message] = mail.outbox
    assert "http://127.0.0.1:8000/accounts/confirm-email/" in message.body
    assert "evil.example" not in message.body


def test_other_sessions_can_be_ended_and_their_sockets_with_them(alice, committed):
    other = Client()
    other.force_login(alice.user)
    assert is_signed_in(other)
    assert is_signed_in(alice.client)
    news, key = News(alice), other.session.session_key
    page = alice.get("/accounts/sessions/").content.decode()
    assert page.count('<li class="card">') == 2

    with committed():
        alice.client.post("/accounts/sessions/")

    assert not is_signed_in(other)
    assert is_signed_in(alice.client)
    assert [ending["session_key"] for ending in news.endings()] == [key]


@pytest.mark.parametrize(
    ("user_agent", "shown"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
            " Chrome/130.0.0.0 Safari/537.36",
            "Chrome · Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15"
            " (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1",
            "Mobile Safari · iOS",
        ),
        ("gamrae-command-line", "gamrae-command-line"),
        ("<b>bold</b>", "&lt;b&gt;bold&lt;"),
    ],
)
def test_a_session_is_named_as_its_owner_would_call_it(alice, user_agent, shown):
    page = alice.client.get("/accounts/sessions/", headers={"User-Agent": user_agent})

    assert f"<strong>{shown}</strong>" in page.content.decode()


def test_looking_again_writes_nothing(alice):
    alice.get("/api/me")

    with CaptureQueriesContext(connection) as asked:
        alice.get("/api/me")

    assert [query["sql"] for query in asked if not query["sql"].startswith("SELECT")] == []


def test_a_taken_address_is_told_where_mail_is_not_configured(client, alice):
    answer = client.post("/accounts/signup/", {**SIGN_UP, "email": "alice@example.org"})
    assert "이미 쓰고 있는 이메일이에요." in answer.content.decode()


@pytest.fixture
def _with_mail(settings):
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    settings.ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True


@pytest.mark.usefixtures("_with_mail")
def test_a_taken_address_is_not_told_where_mail_is_configured(client, alice):
    taken = client.post("/accounts/signup/", {**SIGN_UP, "email": "alice@example.org"})
    fresh = Client().post("/accounts/signup/", SIGN_UP)

    assert (taken.status_code, taken["Location"]) == (fresh.status_code, fresh["Location"])
    assert [message.to for message in mail.outbox] == [["alice@example.org"], ["erin@example.org"]]


@pytest.mark.usefixtures("_with_mail")
def test_a_new_account_is_of_no_use_until_its_address_is_confirmed(client, db):
    client.post("/accounts/signup/", SIGN_UP)
    assert not is_signed_in(client)
    [code] = re.findall(r"^([A-Z0-9-]{6,})$", str(mail.outbox[-1].body), re.M)

    client.post("/accounts/confirm-email/", {"code": code})

    assert is_signed_in(client)
    assert EmailAddress.objects.get(email="erin@example.org").verified


def test_where_sign_up_is_closed_nobody_can_make_an_account(client, db, settings):
    settings.SIGNUP = "invite"

    page = client.post("/accounts/signup/", SIGN_UP)
    program = client.post("/_allauth/app/v1/auth/signup", {**SIGN_UP, "password": PASSWORD}, JSON)

    assert "서버를 운영하는 사람에게" in page.content.decode()
    assert program.status_code == 403
    assert not User.objects.exists()


def test_passwords_are_kept_as_bounded_argon2id(alice):
    hasher = identify_hasher(alice.user.password)
    assert alice.user.password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert isinstance(hasher, hashers.BoundedArgon2PasswordHasher)


def test_only_two_passwords_are_hashed_at_once():
    with hashers.AT_ONCE, hashers.AT_ONCE:
        assert not hashers.AT_ONCE.acquire(blocking=False)


def test_who_waits_for_a_hash_is_counted_with_the_time_it_took():
    def waited():
        [told] = HASH_WAIT_SECONDS.collect()
        return {each.name: each.value for each in told.samples if not each.labels.get("le")}

    before = waited()["gamrae_argon2_wait_seconds_count"]

    make_password("a long and good password")

    assert waited()["gamrae_argon2_wait_seconds_count"] == before + 1
    assert hashers.AT_ONCE._value == 2


@pytest.mark.parametrize("email", ["alice@example.org", "nobody@example.org"])
def test_a_refused_sign_in_is_counted_and_logged_without_whose_it_was(client, alice, caplog, email):
    counted = SIGN_INS.labels("refused")._value
    before = counted.get()
    body = {"email": email, "password": "a wrong guess"}

    with caplog.at_level("INFO", "gamrae.accounts"):
        answer = client.post("/_allauth/app/v1/auth/login", body, "application/json")

    assert answer.status_code == 400
    assert counted.get() == before + 1
    assert caplog.messages == ["code=sign_in_refused"]
