"""The home of the command-line client: sealed at rest, opened by a passphrase or a keyring."""

import os
import sqlite3

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError

from crypto_client.client import store_key, unlocking
from crypto_client.client.failures import Locked, Usage
from crypto_client.client.passphrase import VARIABLE, Passphrase
from crypto_client.client.store import PLAIN_FILE, SEALED_FILE, Store
from crypto_client.client.unlocking import Unlocking, seal_home
from tests.cli.terminal import Terminal

PHRASE, OTHER = "a long passphrase", "another long one"
SECRET = "what only the home knows"


@pytest.fixture(autouse=True)
def _cheap(monkeypatch):
    """Stretching is measured elsewhere; here it costs as little as a key file may ask for."""
    monkeypatch.setattr(store_key, "MEM", 64 << 20)


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def at(home, capsys):
    """The program at this home, as scripts run it."""
    return Terminal("alice", "alice@example.org", "http://127.0.0.1:9", home, capsys)


@pytest.fixture
def phrase(monkeypatch):
    """``phrase(text)``: what the environment gives as the passphrase; None takes it away."""

    def give(text):
        monkeypatch.delenv(VARIABLE, raising=False)
        if text is not None:
            monkeypatch.setenv(VARIABLE, text)

    return give


def filled(home, unlock=lambda home: None):
    """A home that has something to keep."""
    store = Store(home, unlock)
    store.remember("secret", SECRET)
    return store


def held(home):
    """Every byte of every file in a home."""
    return b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())


def remembered(home, text=None):
    store = Store(home, Unlocking())
    try:
        return store.fact("secret")
    finally:
        store.close()


# Sealed from the first byte


def test_a_new_home_is_sealed_when_a_passphrase_is_given(home, at, phrase):
    phrase(PHRASE)

    assert at("store", "status").row == {"sealed": "passphrase"}

    assert not (home / PLAIN_FILE).exists()
    assert (home / SEALED_FILE).stat().st_mode & 0o777 == 0o600
    assert (home / "key.json").stat().st_mode & 0o777 == 0o600


def test_nothing_that_a_sealed_home_keeps_stands_in_its_files(home, phrase):
    filled(home).close()
    assert SECRET.encode() in held(home)
    phrase(PHRASE)

    store = Store(home, Unlocking())
    store.remember("more", SECRET * 2000)

    assert b"what only" not in held(home)  # also while it is open: journal and all
    assert PHRASE.encode() not in held(home)
    assert b"CREATE TABLE" not in held(home)
    store.close()
    assert b"what only" not in held(home)
    assert remembered(home) == SECRET


def test_a_sealed_home_keeps_what_it_is_told(home, phrase):
    phrase(PHRASE)
    filled(home, Unlocking()).close()

    assert remembered(home) == SECRET


def test_without_a_terminal_a_passphrase_or_a_keyring_a_new_home_is_plain(home, at):
    assert at("store", "status").row == {"sealed": None}

    assert (home / PLAIN_FILE).exists()


def test_somebody_at_a_terminal_is_asked_for_a_passphrase_twice(home, monkeypatch):
    answers = [PHRASE, PHRASE]
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("getpass.getpass", lambda prompt: answers.pop(0))

    filled(home, Unlocking()).close()

    assert (answers, (home / SEALED_FILE).exists()) == ([], True)


@pytest.mark.parametrize(
    ("answers", "code"),
    [([PHRASE, OTHER], "passphrase_differs"), (["short", "short"], "passphrase_short")],
)
def test_a_new_passphrase_that_guards_nothing_is_not_taken(home, answers, code, monkeypatch):
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("getpass.getpass", lambda prompt: answers.pop(0))

    with pytest.raises(Usage, match=code):
        Store(home, Unlocking())

    assert not (home / PLAIN_FILE).exists()


# Opening


def test_a_wrong_passphrase_has_its_own_error_and_status(home, at, phrase):
    phrase(PHRASE)
    at("store", "status")
    phrase(OTHER)

    refused = at("store", "status")

    assert (refused.status, refused.error) == (6, "passphrase_wrong")
    phrase(PHRASE)
    assert at("store", "status").status == 0


def test_without_a_passphrase_a_sealed_home_does_not_open(home, at, phrase):
    phrase(PHRASE)
    at("store", "status")
    phrase(None)

    refused = at("store", "status")

    assert (refused.status, refused.error) == (6, "passphrase_needed")


def test_a_passphrase_may_come_by_a_descriptor(home, at, phrase):
    phrase(PHRASE)
    at("store", "status")
    phrase(OTHER)
    reading, writing = os.pipe()
    os.write(writing, f"{PHRASE}\n".encode())
    os.close(writing)

    ran = at("--passphrase-fd", str(reading), "store", "status")

    assert ran.row == {"sealed": "passphrase"}


def test_a_refused_home_is_free_for_the_next_one(home, phrase):
    phrase(PHRASE)
    filled(home, Unlocking()).close()
    with pytest.raises(Locked):
        Store(home, Unlocking(Passphrase(_given=OTHER)))

    assert remembered(home) == SECRET


def test_one_process_at_a_time_has_a_sealed_home(home, phrase):
    phrase(PHRASE)
    first = filled(home, Unlocking())

    with pytest.raises(Usage, match="home_in_use"):
        Store(home, Unlocking())

    first.close()
    assert remembered(home) == SECRET


DAMAGES = {
    "not-json": lambda text: text[:-3],
    "less-memory": lambda text: text.replace(str(64 << 20), str(8 << 20)),
    "all-memory": lambda text: text.replace(str(64 << 20), str(1 << 40)),
    "another-kind": lambda text: text.replace('"passphrase"', '"plain"'),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_changed_key_file_opens_nothing(name, home, at, phrase):
    phrase(PHRASE)
    at("store", "status")
    path = home / "key.json"
    path.write_text(DAMAGES[name](path.read_text()))

    refused = at("store", "status")

    assert (refused.status, refused.error) == (6, "key_file")


def test_a_key_file_that_asks_for_the_keyring_instead_is_refused(home, at, phrase, vault):
    phrase(PHRASE)
    at("store", "status")
    path = home / "key.json"
    path.write_text(path.read_text().replace('"passphrase"', '"keyring"'))

    assert at("store", "status").error == "keyring_wrong"


def test_a_damaged_file_says_so(home, at, phrase):
    phrase(PHRASE)
    filled(home, Unlocking()).close()
    (home / SEALED_FILE).write_bytes(b"\x17" * 8192)

    refused = at("store", "status")

    assert (refused.status, refused.error) == (6, "store_damaged")


# Another passphrase, and a home that was plain


def test_a_passphrase_is_changed_and_the_former_one_opens_nothing(home, at, phrase, tmp_path):
    phrase(PHRASE)
    filled(home, Unlocking()).close()
    path = tmp_path / "new"
    path.write_text(OTHER + "\n")

    assert at("store", "passphrase", "--new-file", str(path)).row == {"sealed": "passphrase"}

    assert at("store", "status").error == "passphrase_wrong"
    phrase(OTHER)
    assert remembered(home) == SECRET


def test_a_plain_home_is_sealed_with_all_that_it_has(home, at, phrase, tmp_path):
    filled(home).close()
    path = tmp_path / "new"
    path.write_text(PHRASE)

    assert at("store", "passphrase", "--new-file", str(path)).row == {"sealed": "passphrase"}

    assert not (home / PLAIN_FILE).exists()
    assert SECRET.encode() not in held(home)
    phrase(PHRASE)
    assert remembered(home) == SECRET


def test_sealing_that_is_interrupted_leaves_the_plain_home_whole(home, phrase, monkeypatch):
    filled(home).close()
    with monkeypatch.context() as patch:
        patch.setattr(unlocking, "write_store_key", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            seal_home(home, PHRASE)

    assert remembered(home) == SECRET

    phrase(PHRASE)
    assert remembered(home) == SECRET
    assert SECRET.encode() not in held(home)


def test_sealing_that_is_interrupted_at_its_end_leaves_the_sealed_home_alone(home, phrase):
    filled(home).close()
    seal_home(home, PHRASE)
    assert (home / PLAIN_FILE).exists()

    phrase(PHRASE)
    assert remembered(home) == SECRET

    assert not (home / PLAIN_FILE).exists()
    assert SECRET.encode() not in held(home)


def test_a_home_of_before_is_an_ordinary_sqlite_file(home):
    filled(home).close()

    with sqlite3.connect(home / PLAIN_FILE) as db:
        assert db.execute("SELECT value FROM facts").fetchall() == [(f'"{SECRET}"',)]


# The system's keyring


class Vault(KeyringBackend):
    """A keyring in memory."""

    priority = 1

    def __init__(self):
        super().__init__()
        self.kept = {}
        self.is_locked = False

    def set_password(self, service, username, password):
        self.kept[service, username] = password

    def get_password(self, service, username):
        if self.is_locked:
            raise KeyringLocked
        return self.kept.get((service, username))

    def delete_password(self, service, username):
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError


@pytest.fixture
def vault():
    before, vault = keyring.get_keyring(), Vault()
    keyring.set_keyring(vault)
    yield vault
    keyring.set_keyring(before)


def test_a_new_home_keeps_its_key_in_the_keyring_where_there_is_one(home, at, vault):
    assert at("store", "status").row == {"sealed": "keyring"}

    filled(home, Unlocking()).close()

    assert SECRET.encode() not in held(home)
    assert all(key.encode() not in held(home) for key in vault.kept.values())
    assert remembered(home) == SECRET


def test_a_home_whose_keyring_is_locked_or_empty_does_not_open(home, at, vault):
    at("store", "status")
    vault.is_locked = True
    refused = at("store", "status")
    assert (refused.status, refused.error) == (6, "keyring_unavailable")

    vault.is_locked = False
    vault.kept.clear()
    refused = at("store", "status")
    assert (refused.status, refused.error) == (6, "keyring_wrong")


def test_a_home_moves_from_passphrase_to_keyring_and_back(home, at, phrase, vault, tmp_path):
    phrase(PHRASE)
    filled(home, Unlocking()).close()

    assert at("store", "keyring").row == {"sealed": "keyring"}
    phrase(None)
    assert remembered(home) == SECRET

    path = tmp_path / "new"
    path.write_text(OTHER)
    assert at("store", "passphrase", "--new-file", str(path)).row == {"sealed": "passphrase"}
    assert vault.kept == {}
    phrase(OTHER)
    assert remembered(home) == SECRET


def test_no_keyring_has_its_own_error(home, at):
    refused = at("store", "keyring")

    assert (refused.status, refused.error) == (6, "keyring_unavailable")


def test_who_wants_a_plain_home_gets_one(home, at, vault):
    assert at("--plain", "store", "status").row == {"sealed": None}
    assert at("store", "status").row == {"sealed": None}


# All of it, against a server


@pytest.mark.slow
def test_a_sealed_home_talks_and_forgets_its_recovery_secret_like_any_other(
    phrase, terminal, alice, capsys
):
    phrase(PHRASE)
    carol = terminal("carol")
    alice.befriend(carol)
    room = alice("room", "direct", carol.email).row["room_id"]
    assert carol("store", "status").row == {"sealed": "passphrase"}

    assert carol("send", room, "out of a sealed home", "--wait", "stored").status == 0
    assert alice.reads(room) == carol.reads(room) == ["out of a sealed home"]

    shown = carol("recovery", "set", "--written-down").row
    assert carol("recovery", "set").error == "secret_not_here"
    assert carol.reads(room) == ["out of a sealed home"]
    for secret in (shown["words"], shown["code"], "out of a sealed home"):
        assert secret.encode() not in held(carol.home)
