"""The application as a server runs it: what a request may not decide, and how large it may be."""

import asyncio
import json

import pytest
from django.core import mail

from chatsite.asgi import application
from messaging.api import MAX_COMMIT, MAX_NEW_ROOM
from messaging.serving import MAX_BODY

PIECE = b"x" * (1024 * 1024)
CONTINUES = {"type": "http.request", "body": PIECE, "more_body": True}
ENDS = {"type": "http.request", "body": b"", "more_body": False}


def scope(method, path, headers=(), **more):
    return {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1"), *headers],
        "client": ["192.0.2.7", 50000],
        **more,
    }


async def ask(asked, messages):
    """Run one request; gives the answer's messages and how many of ours were read."""
    waiting, answer = list(messages), []

    async def receive():
        return waiting.pop(0) if waiting else await asyncio.Event().wait()  # still connected

    async def send(message):
        answer.append(message)

    await application(asked, receive, send)
    return answer, len(messages) - len(waiting)


def code_of(answer):
    body = b"".join(each.get("body", b"") for each in answer[1:])
    return answer[0]["status"], json.loads(body)["code"]


def test_no_view_takes_more_than_comes_through():
    assert max(MAX_COMMIT, MAX_NEW_ROOM) <= MAX_BODY


async def test_a_body_without_an_end_is_cut_while_it_is_read():
    messages = [CONTINUES] * 100

    answer, read = await ask(scope("POST", "/api/me"), messages)

    assert code_of(answer) == (413, "too_large")
    assert read == MAX_BODY // len(PIECE) + 1


async def test_a_body_that_says_how_large_it_is_is_not_read_at_all():
    size = str(MAX_BODY + 1).encode()

    answer, read = await ask(scope("POST", "/api/me", [(b"content-length", size)]), [CONTINUES])

    assert code_of(answer) == (413, "too_large")
    assert read == 0


@pytest.mark.django_db(transaction=True)
async def test_the_largest_body_comes_through():
    fits = [CONTINUES] * (MAX_BODY // len(PIECE))

    answer, read = await ask(scope("POST", "/api/me"), [*fits, ENDS])

    assert code_of(answer) == (401, "not_signed_in")
    assert read == len(fits) + 1


@pytest.mark.django_db(transaction=True)
async def test_a_mailed_link_leads_to_us_whatever_the_request_says(cast, settings):
    body = json.dumps({"email": cast.alice.user.email}).encode()
    asked = scope(
        "POST",
        "/_allauth/app/v1/auth/password/request",
        [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())],
        root_path="@evil.example",
    )

    answer, _ = await ask(asked, [{"type": "http.request", "body": body}])

    assert answer[0]["status"] == 200
    assert f"{settings.PUBLIC_URL}/accounts/password/reset/key/" in mail.outbox[0].body
    assert "evil" not in mail.outbox[0].body
