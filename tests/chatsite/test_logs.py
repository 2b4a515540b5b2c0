"""Lines of the log: words with names, one line each, nothing of anybody, and all of them listed."""

import ast
import json
import logging
import re
import sys
from pathlib import Path

import pytest

from chatsite.log_lines import JsonLine, TextLine
from chatsite.trace import current, named
from tests.chatsite.test_asgi import ask, scope

ROOT = Path(__file__).resolve().parents[2]
APPS = ("accounts", "friends", "rooms", "messaging", "chatsite")
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
TEMPLATE = re.compile(r"code=[\w%]+( \w+=(%[sd]|\w+))*")
SPELLED_OUT = {
    "reset_%s": {"reset_begun", "reset_completed", "reset_vetoed", "reset_withdrawn"},
    "broker_%s": {"broker_blocked", "broker_unblocked"},
    "%s": set(),  # refusals, listed in docs/wire.md
}
NOT_LOGGED_BY_NAME = {"server_error", "answered"}  # Django says it, and log_lines writes it so


def templates():
    """file:line → what is said there, of every call of ours that writes a line."""
    found = {}
    for app in APPS:
        for path in (ROOT / app).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                    continue
                owner = getattr(node.func.value, "id", "")
                if owner == "log" and node.func.attr in LEVELS:
                    at = f"{path.relative_to(ROOT)}:{node.lineno}"
                    found[at] = getattr(node.args[0], "value", None)
    return found


def codes_in_code():
    codes = {said.removeprefix("code=").split()[0] for said in templates().values()}
    return {each for code in codes for each in SPELLED_OUT.get(code, {code})} | NOT_LOGGED_BY_NAME


def codes_in_document():
    section = (ROOT / "docs" / "logs.md").read_text().split("## Events")[1]
    cells = re.findall(r"^\| (`.*?) \|", section, re.M)
    return {code for cell in cells[1:] for code in re.findall(r"`(\w+)`", cell)}


def test_every_line_of_ours_is_made_of_words_with_names():
    said = templates()
    assert len(said) > 30

    assert {at: line for at, line in said.items() if not TEMPLATE.fullmatch(str(line))} == {}


def test_every_event_is_in_the_document_and_the_document_holds_no_other():
    assert codes_in_document() == codes_in_code()


def record(message, *args, **more):
    made = logging.LogRecord("gamrae.test", logging.WARNING, "x.py", 1, message, args, None)
    vars(made).update(more)
    return made


def as_json(made):
    line = JsonLine().format(made)
    assert "\n" not in line
    return json.loads(line)


def test_words_become_members():
    line = as_json(record("code=parked reason=%s queue=%s", "version", "chat.p.03"))

    assert line["at"].endswith("+00:00")
    del line["at"]
    assert line == {
        "level": "WARNING",
        "logger": "gamrae.test",
        "code": "parked",
        "reason": "version",
        "queue": "chat.p.03",
    }


def test_a_value_cannot_pretend_to_be_another_member():
    line = as_json(record("code=%s room=%s", "busy", "x code=fine level=DEBUG logger=root room=y"))

    assert (line["code"], line["level"], line["logger"]) == ("busy", "WARNING", "gamrae.test")
    assert line["room"] == "x"


@pytest.mark.parametrize("evil", ["a\nb", "a\rb", "a\x1b[2Jb", "a\u2028b", "a\x00b"])
@pytest.mark.parametrize("form", [TextLine(), JsonLine()])
def test_nobody_begins_a_line_of_their_own(form, evil):
    line = form.format(record("a library says %s", evil))

    assert len(line.splitlines()) == 1
    assert not re.search(r"[\x00-\x1f\u2028]", line)


def test_what_a_library_says_stays_one_text():
    assert as_json(record("it took %d s", 3))["message"] == "it took 3 s"


def exception(kind=ValueError):
    try:
        try:
            raise KeyError("alice@example.org")
        except KeyError as first:
            raise kind("Duplicate entry 'alice@example.org'") from first
    except kind:
        return sys.exc_info()


@pytest.mark.parametrize("form", [TextLine(), JsonLine()])
def test_an_exception_is_told_without_its_message(form):
    line = form.format(record("code=unavailable", exc_info=exception()))

    assert "builtins.ValueError" in line
    assert "builtins.KeyError" in line
    assert "test_logs.py:" in line
    assert "alice" not in line


@pytest.mark.parametrize("form", [TextLine(), JsonLine()])
def test_a_library_does_not_tell_an_exceptions_message_either(form):
    info = exception()
    said = "Exception inside application: %s"
    server = form.format(record(said, info[1], exc_info=info, name="daphne.server"))
    task = f"Task exception was never retrieved\nfuture: <Task exception={info[1]!r}>"
    loop = {"exc_info": info, "name": "asyncio", "levelno": logging.ERROR}
    callback = f"Exception in callback done(<Task exception={info[1]!r}>) at x.py:3"
    lines = [server, form.format(record(task, **loop)), form.format(record(callback, **loop))]

    assert [line for line in lines if "alice" in line or "ValueError" not in line] == []
    assert "Exception inside application" in lines[0]
    assert "Task exception was never retrieved" in lines[1]
    assert "Exception in callback done" in lines[2]


class Failed:
    """A request to an address with a key in it, that met a bug."""

    path = "/accounts/password/reset/key/3-s3cret/"
    resolver_match = type("Match", (), {"route": "accounts/password/reset/key/<uidb36>-<key>/"})


@pytest.mark.parametrize("form", [TextLine(), JsonLine()])
def test_a_failed_request_is_told_by_its_pattern_and_not_by_its_address(form):
    said, more = "Internal Server Error: %s", {"request": Failed, "name": "django.request"}
    line = form.format(record(said, Failed.path, exc_info=exception(), **more))
    refused = form.format(record(said, Failed.path, status_code=503, **more))

    assert "server_error" in line
    assert "answered" in refused
    assert "503" in refused
    assert "s3cret" not in refused
    assert "<uidb36>" in line
    assert "s3cret" not in line


def test_lines_name_the_request_or_socket_they_belong_to():
    with named("request") as name:
        inside = as_json(record("code=x"))
        assert TextLine().format(record("code=x")).endswith(f"code=x request={name}")
    with named("socket") as other:
        assert as_json(record("code=x"))["socket"] == other

    assert inside["request"] == name != other
    assert current() == ("", "")
    assert "request" not in as_json(record("code=x"))


@pytest.mark.django_db(transaction=True)
async def test_a_client_is_told_the_name_of_its_request_and_cannot_choose_it():
    asked = scope("GET", "/api/me", [(b"x-request-id", b"chosen")])

    answers = [await ask(asked, [{"type": "http.request", "body": b""}]) for _ in range(2)]

    names = [dict(answer[0]["headers"])[b"x-request-id"] for answer, _ in answers]
    assert all(re.fullmatch(rb"[0-9a-f]{16}", name) for name in names)
    assert names[0] != names[1]
