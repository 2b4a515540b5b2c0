"""The settings are those of docs/operations.md; a wrong one stops the start and is named."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from chatsite import environment as env

ROOT = Path(__file__).resolve().parents[2]
READERS = {
    "text",
    "required",
    "choice",
    "flag",
    "integer",
    "words",
    "origin",
    "origins",
    "secret",
    "networks",
    "file",
    "zone",
}
APPS = ("accounts", "friends", "rooms", "messaging", "chatsite")


def settings_in_code():
    """name → its default when that is a plain value, else None."""
    found: dict[str, object] = {}
    for node in ast.walk(ast.parse((ROOT / "chatsite" / "settings.py").read_text())):
        reader = getattr(getattr(node, "func", None), "attr", "")
        if isinstance(node, ast.Call) and reader in READERS:
            name, *default = (getattr(argument, "value", None) for argument in node.args)
            told = default[0] if default and reader != "required" else None
            found.setdefault(str(name), told if isinstance(told, str | int) else None)
    return found


def settings_in_document():
    table = (ROOT / "docs" / "operations.md").read_text().split("## Settings")[1].split("\n## ")[0]
    return dict(re.findall(r"^\| `([A-Z_]+)` \| (.*?) \|", table, re.M))


def test_every_setting_is_in_the_table_and_the_table_holds_no_other():
    assert settings_in_document().keys() == settings_in_code().keys()


def test_the_table_names_the_defaults_of_the_code():
    told = settings_in_document()
    plain = {name: value for name, value in settings_in_code().items() if value is not None}
    assert len(plain) > 10

    del plain["LOG_LEVEL"]  # two levels, told in words
    written = {
        name: f"`{str(value).lower() if value is False else value}`"
        for name, value in plain.items()
    }
    assert {name: told[name] for name in written} == written


def test_only_one_module_reads_the_environment():
    readers = {
        str(path.relative_to(ROOT))
        for app in APPS
        for path in (ROOT / app).rglob("*.py")
        if re.search(
            r"os\.(environ\b(?!\.setdefault\(\"DJANGO_SETTINGS_MODULE)|getenv)", path.read_text()
        )
    }
    assert readers == {"chatsite/environment.py"}


@pytest.mark.parametrize(
    ("reader", "value"),
    [
        (lambda: env.choice("THING", "a", {"a", "b"}), "c"),
        (lambda: env.flag("THING", False), "maybe"),
        (lambda: env.integer("THING", 1, 1, 10), "11"),
        (lambda: env.integer("THING", 1, 1, 10), "１"),
        (lambda: env.integer("THING", 1, 1, 10), "-1"),
        (lambda: env.origin("THING", "http://a"), "chat.example.org"),
        (lambda: env.origin("THING", "http://a"), "https://chat.example.org/path"),
        (lambda: env.origin("THING", "http://a"), "https://user:word@chat.example.org"),
        (lambda: env.origin("THING", "http://a"), "https://chat.example.org:99999"),
        (lambda: env.origin("THING", "http://a"), "https://chat.example.org?from=here"),
        (lambda: env.origin("THING", "http://a"), "https://채팅.example"),
        (lambda: env.origin("THING", "http://a"), "https://[::1"),
        (lambda: env.zone("THING", "Asia/Seoul"), "Mars/North"),
        (lambda: env.origins("THING"), "https://chat.example.org,nonsense"),
        (lambda: env.networks("THING"), "10.0.0.0/8,proxy"),
        (lambda: env.secret("THING", Path("unused")), "short"),
        (lambda: env.required("THING", "it is needed."), ""),
        (lambda: env.file("THING"), "/nowhere/ca.pem"),
    ],
)
def test_a_wrong_value_is_refused_in_a_sentence_that_names_the_setting(monkeypatch, reader, value):
    monkeypatch.setenv("THING", value)
    with pytest.raises(ImproperlyConfigured, match="THING"):
        reader()


def test_a_value_can_come_from_a_file(monkeypatch, tmp_path):
    (tmp_path / "value").write_text("from a file\n")
    monkeypatch.setenv("THING_FILE", str(tmp_path / "value"))
    assert env.text("THING") == "from a file"

    monkeypatch.setenv("THING_FILE", "")
    assert env.text("THING", "default") == "default"


def test_a_file_that_cannot_be_read_is_named(monkeypatch, tmp_path):
    (tmp_path / "not_text").write_bytes(b"\xff\xfe\xfd")
    for file in (tmp_path / "absent", tmp_path, tmp_path / "not_text"):
        monkeypatch.setenv("THING_FILE", str(file))
        with pytest.raises(ImproperlyConfigured, match=f"^THING_FILE: {file} cannot be read"):
            env.text("THING")


def test_a_value_and_a_file_for_it_are_one_too_many(monkeypatch, tmp_path):
    (tmp_path / "value").write_text("from a file\n")
    monkeypatch.setenv("THING_FILE", str(tmp_path / "value"))
    monkeypatch.setenv("THING", "from the environment")
    with pytest.raises(ImproperlyConfigured, match=r"^THING and THING_FILE are both set"):
        env.text("THING")


def test_a_secret_is_made_once_and_only_its_owner_can_read_it(tmp_path):
    file = tmp_path / "new" / "secret_key"
    made = env.secret("UNSET_SECRET", file)

    assert len(made) >= 48
    assert env.secret("UNSET_SECRET", file) == made
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_database_is_for_its_owner_alone_and_so_is_the_folder(tmp_path):
    file = env.private_file(tmp_path / "data" / "database")

    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    file.write_text("kept")
    assert env.private_file(file).read_text() == "kept"


@pytest.mark.parametrize(
    ("origin", "written"),
    [
        ("https://chat.example.org", "https://chat.example.org:443"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://chat.example.org", "http://chat.example.org:80"),
        ("https://[2001:db8::1]", "https://[2001:db8::1]:443"),
    ],
)
def test_a_device_proof_names_the_port(origin, written):
    assert env.with_port(origin) == written


@pytest.mark.slow
@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"GAMRAE_PROFILE": "cluster"}, "DATABASE_URL"),
        ({"TLS_CERT": __file__}, "TLS_KEY"),
        ({"TLS_CERT": "/nowhere.pem", "TLS_KEY": "/nowhere.pem"}, "TLS_CERT"),
        ({"DATABASE_URL": "nonsense"}, "DATABASE_URL"),
        ({"EMAIL_URL": "nonsense"}, "EMAIL_URL"),
        ({"LOG_LEVEL": "LOUD"}, "LOG_LEVEL"),
        ({"GAMRAE_DATA": "/proc/nothing"}, "GAMRAE_DATA"),
        ({"SIGNUP": "closed"}, "SIGNUP"),
        ({"PORT": "0"}, "PORT"),
    ],
)
def test_a_server_does_not_start_with_wrong_settings(tmp_path, given, named):
    clean = {"PATH": os.environ["PATH"], "GAMRAE_DATA": str(tmp_path), **given}
    run = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, env=clean, capture_output=True, text=True
    )
    assert run.returncode != 0
    assert named in run.stderr.strip().splitlines()[-1]


@pytest.mark.slow
def test_a_server_for_the_world_has_secure_cookies_and_strict_transport(tmp_path):
    clean = {
        "PATH": os.environ["PATH"],
        "GAMRAE_DATA": str(tmp_path),
        "PUBLIC_URL": "https://chat.example.org",
        "TRUSTED_PROXIES": "127.0.0.1",
    }
    asked = (
        "from chatsite import settings as s; print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME,"
        " s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SECURE_HSTS_SECONDS,"
        " s.SECURE_SSL_REDIRECT, s.ALLOWED_HOSTS, s.PROOF_ORIGINS, s.DEBUG)"
    )
    run = subprocess.run(
        [sys.executable, "-c", asked],
        cwd=ROOT,
        env=clean,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == (
        "__Host-sessionid __Host-csrftoken True True 31536000 True ['chat.example.org']"
        " ['https://chat.example.org:443'] False"
    )
