"""The key log over a real server: followed, said in words, gossiped, begun again."""

import sqlite3

import pytest

from crypto_client.body import parse_body
from crypto_client.client.store import Store
from tests.cli.terminal import Terminal
from tests.e2e.site import Site

pytestmark = pytest.mark.slow


def checks(ran):
    """What an audit said, by what it looked at."""
    return {row["check"]: row for row in ran.rows if "check" in row}


def test_an_audit_says_what_was_verified(alice, bob, garden):
    audit = alice("audit")

    assert audit.status == 0, audit.error
    said = checks(audit)
    assert (said["own"]["leaves"], said["person"]["name"]) == (1, "bob")
    assert said["log"]["size"] >= 2
    assert set(said) == {"log", "own", "person"}


def test_messages_carry_what_their_writer_verified(alice, bob, garden):
    assert alice("send", "garden", "hello", "--wait", "stored").status == 0
    assert bob.reads("garden") == ["hello"]

    store = Store(bob.home)
    row = store.row("SELECT body FROM messages")
    store.close()
    assert row is not None
    claim = parse_body(row["body"]).kt
    assert claim is not None
    assert claim.size >= 2
    assert "split" not in checks(bob("audit"))


def test_a_writer_who_was_shown_another_log_is_marked(alice, bob, garden):
    store = Store(alice.home)
    with store.transaction():
        store.run("UPDATE key_log_roots SET root = ?", bytes(32))
    store.close()
    assert bob("send", "garden", "hello", "--wait", "stored").status == 0

    (message,) = [row for row in alice("read", "garden").rows if "text" in row]

    assert (message["text"], message["key_log"]) == ("hello", "split")
    audit = alice("audit")
    assert (audit.status, audit.error) == (4, "kt")
    assert checks(audit)["split"]["message_id"] == message["message_id"]


@pytest.fixture
def restorable(tmp_path):
    """A server whose data a test takes back."""
    server = Site(tmp_path / "own-server")
    server.manage("migrate")
    yield server.start()
    server.stop()


def test_a_restored_server_is_refused_until_its_log_begins_again(restorable, tmp_path, capsys):
    def sign_up(name):
        home, email = tmp_path / name, f"{name}@example.org"
        return Terminal(name, email, restorable.address, home, capsys).sign_up()

    alice, bob = sign_up("alice"), sign_up("bob")
    alice.befriend(bob)
    database, backup = restorable.data / "gamrae.sqlite3", tmp_path / "backup.sqlite3"
    connection = sqlite3.connect(database)
    connection.execute("VACUUM INTO ?", [str(backup)])
    connection.close()
    sign_up("carol")
    assert checks(alice("audit"))["log"]["size"] == 3

    restorable.end()
    for path in restorable.data.glob("gamrae.sqlite3*"):
        path.unlink()
    backup.rename(database)
    restorable.start()
    refused = alice("audit")
    assert (refused.status, refused.error) == (4, "kt")
    assert "shorter" in checks(refused)["trouble"]["reason"]
    assert alice("room", "direct", bob.email).error == "kt"

    restorable.end()
    restorable.manage("key_log", "restart")
    restorable.start()
    noticed = alice("room", "direct", bob.email)
    assert noticed.status == 0
    assert "key log 2" in noticed.error
    audit = alice("audit")
    assert (audit.status, audit.error, checks(audit)["log"]["size"]) == (0, "", 2)
