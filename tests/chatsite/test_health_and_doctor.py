"""Whether a process lives and serves; what it uses; where its mail goes."""

import asyncio
import json
import stat
import threading
from pathlib import Path
from unittest.mock import Mock

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection

from chatsite import health
from messaging import drain, runtime

ANY_HOST = {"host": "10.0.0.7"}


@pytest.fixture(autouse=True)
def _nobody_has_looked_yet(monkeypatch):
    monkeypatch.setattr(health, "looking", health.Looking())


def test_a_stranger_who_asks_in_a_loop_makes_it_look_once(client, db, monkeypatch):
    ask = Mock()
    monkeypatch.setattr(health, "_ask_database", ask)
    monkeypatch.setattr(health, "LOOK_EVERY_SECONDS", 60)

    answers = {client.get("/healthz/ready").status_code for _ in range(50)}

    assert answers == {200}
    assert ask.call_count == 1


def test_what_was_found_is_looked_at_again_later(client, db, monkeypatch):
    monkeypatch.setattr(health, "LOOK_EVERY_SECONDS", 0)
    assert client.get("/healthz/ready").status_code == 200

    monkeypatch.setattr(health, "_ask_database", Mock(side_effect=DatabaseError))

    assert client.get("/healthz/ready").status_code == 503


def test_health_is_answered_under_any_host_name(client, db):
    live = client.get("/healthz/live", headers=ANY_HOST)
    ready = client.get("/healthz/ready", headers=ANY_HOST)

    assert (live.status_code, live.content) == (200, b"live")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready", "away": []})


@pytest.fixture
def _no_database(monkeypatch):
    def fail():
        raise DatabaseError

    monkeypatch.setattr(connection, "cursor", fail)


def test_a_process_without_its_database_lives_but_is_not_ready(client, monkeypatch):
    monkeypatch.setattr(health, "_ask_database", Mock(side_effect=DatabaseError))

    assert client.get("/healthz/live").status_code == 200
    ready = client.get("/healthz/ready")
    assert (ready.status_code, ready.json()["away"]) == (503, ["database"])


def test_a_database_that_hangs_is_not_waited_for(client, monkeypatch):
    answered = threading.Event()
    monkeypatch.setattr(health, "ANSWER_SECONDS", 0.05)
    monkeypatch.setattr(health, "_ask_database", answered.wait)

    ready = client.get("/healthz/ready")

    answered.set()
    assert (ready.status_code, ready.json()["away"]) == (503, ["database"])


class Part:
    """A part on a server of its own that answers, does not, or hangs."""

    def __init__(self, answer):
        self.answer = answer

    async def answers(self):
        if self.answer is None:
            await asyncio.Event().wait()
        return self.answer


def test_a_process_without_queue_or_log_is_degraded_and_stays_in_the_balancer(
    client, db, monkeypatch
):
    monkeypatch.setattr(runtime, "ANSWER_SECONDS", 0.05)
    monkeypatch.setattr(runtime, "queue", lambda: Part(False))
    monkeypatch.setattr(runtime, "log", lambda: Part(None))
    monkeypatch.setattr(runtime, "fan_out", lambda: Part(True))

    ready = client.get("/healthz/ready")

    assert ready.status_code == 200
    assert ready.json() == {"status": "degraded", "away": ["queue", "log"]}


def test_a_process_on_its_way_out_is_not_ready(client, db, monkeypatch):
    monkeypatch.setattr(drain.this_process(), "is_draining", True)

    assert client.get("/healthz/live").status_code == 200
    ready = client.get("/healthz/ready")
    assert (ready.status_code, ready.json()["status"]) == (503, "draining")


@pytest.fixture
def built(tmp_path, settings):
    manifest = {"src/entries/app.ts": {"file": "assets/app-1.js", "integrity": "sha384-app"}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    settings.FRONTEND_DIST = tmp_path


@pytest.mark.usefixtures("built")
def test_the_doctor_names_every_part(db, capsys):
    call_command("doctor", "--json")

    findings = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert all(finding["ok"] and finding["version"] for finding in findings)
    parts = {finding["part"] for finding in findings}
    assert {"python", "framework", "cryptography", "data", "database", "migrations"} <= parts
    assert {"cache", "person news", "mail", "front end"} <= parts


@pytest.mark.usefixtures("built", "_no_database")
def test_the_doctor_fails_when_a_part_does_not_answer(capsys):
    with pytest.raises(CommandError):
        call_command("doctor")

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("!!")] == [
        "database",
        "migrations",
    ]


def test_mail_without_an_address_becomes_a_file_for_the_operator(settings, tmp_path, capsys):
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")
    backend = mail.get_connection("chatsite.mail.FolderBackend")

    mail.EmailMessage("제목", "본문 https://x", to=["a@example.org"], connection=backend).send()

    printed = capsys.readouterr().out
    file = Path(printed.removeprefix("mail: ").strip())
    assert printed.count("\n") == 1
    assert file.parent == tmp_path / "mail"
    assert b"To: a@example.org" in file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
