"""Whether a process lives and serves; what it uses; where its mail goes."""

import json
import stat
from pathlib import Path

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection

from messaging import drain

ANY_HOST = {"host": "10.0.0.7"}


def test_health_is_answered_under_any_host_name(client, db):
    live = client.get("/healthz/live", headers=ANY_HOST)
    ready = client.get("/healthz/ready", headers=ANY_HOST)

    assert (live.status_code, live.content) == (200, b"live")
    assert (ready.status_code, ready.content) == (200, b"ready")


@pytest.fixture
def _no_database(monkeypatch):
    def fail():
        raise DatabaseError

    monkeypatch.setattr(connection, "cursor", fail)


@pytest.mark.usefixtures("_no_database")
def test_a_process_without_its_database_lives_but_is_not_ready(client):
    assert client.get("/healthz/live").status_code == 200
    assert client.get("/healthz/ready").status_code == 503


def test_a_process_on_its_way_out_is_not_ready(client, db, monkeypatch):
    monkeypatch.setattr(drain.this_process(), "is_draining", True)

    assert client.get("/healthz/live").status_code == 200
    assert client.get("/healthz/ready").status_code == 503


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
