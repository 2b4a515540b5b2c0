"""What this device remembers: one SQLite file in a home folder that one process may use at a time.

Every change that belongs together is one transaction on disk (``synchronous=FULL``): a ratchet
never moves without what it opened (docs/protocol.md §8.4, step 9). Files are their owner's only,
and sealed page by page by SQLCipher when the home has a key (`store_key`), journal included.
"""

import fcntl
import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from sqlcipher3 import dbapi2

from crypto_client.client.failures import Locked, Usage
from crypto_client.client.store_key import StoreKey, sync_folder

SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS device_lists (
    list_hash BLOB PRIMARY KEY, user BLOB NOT NULL, version INTEGER NOT NULL,
    data BLOB NOT NULL, sig BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS accounts (
    user BLOB PRIMARY KEY, amk_pub BLOB NOT NULL, version INTEGER NOT NULL,
    list_hash BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS offered_keys (user BLOB PRIMARY KEY, amk_pub BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS own_notes (
    about TEXT NOT NULL, subject BLOB NOT NULL, room BLOB NOT NULL, seq INTEGER NOT NULL,
    body BLOB NOT NULL, PRIMARY KEY (about, subject)) STRICT;
CREATE TABLE IF NOT EXISTS prekeys (
    seq INTEGER PRIMARY KEY, seed BLOB NOT NULL, data BLOB NOT NULL, sig BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS prekey_floors (device BLOB PRIMARY KEY, seq INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS rooms (
    room BLOB PRIMARY KEY, view TEXT, cursor INTEGER NOT NULL DEFAULT 0,
    read_to INTEGER NOT NULL DEFAULT 0, trouble TEXT NOT NULL DEFAULT '',
    summary TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS epochs (
    room BLOB NOT NULL, epoch INTEGER NOT NULL, state TEXT NOT NULL, received_ms INTEGER NOT NULL,
    PRIMARY KEY (room, epoch)) STRICT;
CREATE TABLE IF NOT EXISTS closed_epochs (
    room BLOB NOT NULL, epoch INTEGER NOT NULL, closed_ms INTEGER NOT NULL,
    PRIMARY KEY (room, epoch)) STRICT;
CREATE TABLE IF NOT EXISTS messages (
    room BLOB NOT NULL, device BLOB NOT NULL, message BLOB NOT NULL, seq INTEGER,
    epoch INTEGER NOT NULL, n INTEGER NOT NULL, eid BLOB NOT NULL, envelope BLOB NOT NULL,
    sender BLOB NOT NULL, body BLOB, key BLOB, outcome TEXT NOT NULL, accepted_ms INTEGER NOT NULL,
    key_id INTEGER NOT NULL, stamp BLOB NOT NULL, PRIMARY KEY (room, device, message)) STRICT;
CREATE INDEX IF NOT EXISTS messages_by_seq ON messages (room, seq);
CREATE TABLE IF NOT EXISTS events (
    room BLOB NOT NULL, seq INTEGER NOT NULL, detail TEXT NOT NULL, PRIMARY KEY (room, seq)) STRICT;
CREATE TABLE IF NOT EXISTS changes (
    room BLOB NOT NULL, epoch INTEGER NOT NULL, lines TEXT NOT NULL,
    PRIMARY KEY (room, epoch)) STRICT;
CREATE TABLE IF NOT EXISTS people (user TEXT PRIMARY KEY, nickname TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS outbox (
    message BLOB PRIMARY KEY, room BLOB NOT NULL, text TEXT NOT NULL, created_ms INTEGER NOT NULL,
    state TEXT NOT NULL, failure TEXT NOT NULL DEFAULT '') STRICT;
CREATE TABLE IF NOT EXISTS waiting_notes (message BLOB PRIMARY KEY, members TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS attempts (
    message BLOB NOT NULL, epoch INTEGER NOT NULL, n INTEGER NOT NULL, eid BLOB NOT NULL,
    envelope BLOB NOT NULL, body BLOB NOT NULL, PRIMARY KEY (message, epoch, n)) STRICT;
CREATE INDEX IF NOT EXISTS attempts_by_eid ON attempts (eid);
CREATE TABLE IF NOT EXISTS refused_attempts (
    message BLOB NOT NULL, epoch INTEGER NOT NULL, n INTEGER NOT NULL,
    PRIMARY KEY (message, epoch, n)) STRICT;
CREATE TABLE IF NOT EXISTS given_up (message BLOB PRIMARY KEY) STRICT;
CREATE TABLE IF NOT EXISTS history_queue (
    room BLOB NOT NULL, epoch INTEGER NOT NULL, record TEXT NOT NULL,
    PRIMARY KEY (room, epoch)) STRICT;
CREATE TABLE IF NOT EXISTS voids (
    room BLOB NOT NULL, epoch INTEGER NOT NULL, n INTEGER NOT NULL, told_in BLOB,
    PRIMARY KEY (room, epoch, n)) STRICT;
CREATE TABLE IF NOT EXISTS log_items (
    room BLOB NOT NULL, seq INTEGER NOT NULL, item_hash BLOB NOT NULL, log_hash BLOB,
    PRIMARY KEY (room, seq)) STRICT;
CREATE TABLE IF NOT EXISTS key_logs (
    number INTEGER PRIMARY KEY, log_id BLOB NOT NULL, log_pub BLOB NOT NULL, size INTEGER NOT NULL,
    frontier BLOB NOT NULL, head BLOB NOT NULL, sig BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS key_log_labels (
    label BLOB PRIMARY KEY, seq INTEGER NOT NULL, leaf_hash BLOB NOT NULL, kind INTEGER NOT NULL,
    record_hash BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS key_log_resets (
    label BLOB NOT NULL, reset_id BLOB NOT NULL, PRIMARY KEY (label, reset_id)) STRICT;
CREATE TABLE IF NOT EXISTS resets (
    user BLOB NOT NULL, amk_old BLOB NOT NULL, amk_new BLOB NOT NULL, reset_id BLOB NOT NULL,
    PRIMARY KEY (user, amk_old)) STRICT;
CREATE TABLE IF NOT EXISTS key_log_roots (
    log INTEGER NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL,
    PRIMARY KEY (log, size)) STRICT;
CREATE TABLE IF NOT EXISTS key_log_claims (
    room BLOB NOT NULL, message BLOB NOT NULL, log INTEGER NOT NULL, size INTEGER NOT NULL,
    root BLOB NOT NULL, state TEXT NOT NULL, PRIMARY KEY (room, message)) STRICT;
"""


PLAIN_FILE, SEALED_FILE = "device.sqlite3", "device.sealed"
_BESIDE = ("", "-wal", "-shm", "-journal")


_OUTER = ("BEGIN IMMEDIATE", ("ROLLBACK",), "COMMIT")
_INNER = ("SAVEPOINT inner", ("ROLLBACK TO inner", "RELEASE inner"), "RELEASE inner")

Unlock = Callable[[Path], StoreKey | None]


class Store:
    """The home folder of one device."""

    def __init__(self, home: Path, unlock: Unlock = lambda home: None) -> None:
        """Take the home, ``home_in_use`` while another process has it, and open its file.

        ``unlock`` gives the key of a home that nobody else can touch meanwhile; None: not sealed.
        """
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.home = home
        self._lock = _lock(home / "lock")
        try:
            self.store_key = unlock(home)
            self.db = self._opened()
        except BaseException:
            self._lock.close()
            raise

    def _opened(self) -> sqlite3.Connection:
        if self.store_key is not None and (self.home / PLAIN_FILE).exists():
            _remove(self.home / PLAIN_FILE)  # since the key was written the sealed file counts
            sync_folder(self.home)
        name = SEALED_FILE if self.store_key else PLAIN_FILE
        db = _open(self.home / name, self.store_key)
        db.executescript(SCHEMA)
        return db

    def seal(self, seal_home: Callable[[Path], StoreKey]) -> None:
        """Let a home that is not sealed be sealed, and go on with it."""
        self.db.close()
        try:
            self.store_key = seal_home(self.home)
        finally:
            self.db = self._opened()

    def close(self) -> None:
        """Close the file and let another process have the home."""
        self.db.close()
        self._lock.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing of it; inside another one it is on disk when that one is."""
        begin, undo, end = _INNER if self.db.in_transaction else _OUTER
        self.db.execute(begin)
        try:
            yield
        except BaseException:
            for statement in undo:
                self.db.execute(statement)
            raise
        self.db.execute(end)

    def row(self, sql: str, *values: object) -> sqlite3.Row | None:
        """The one row of a query, or None."""
        found: sqlite3.Row | None = self.db.execute(sql, values).fetchone()
        return found

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        """All rows of a query."""
        return self.db.execute(sql, values).fetchall()

    def run(self, sql: str, *values: object) -> int:
        """Change something; returns how many rows it touched."""
        return self.db.execute(sql, values).rowcount

    def fact(self, name: str) -> Any:
        """A remembered JSON value, or None."""
        row = self.row("SELECT value FROM facts WHERE name = ?", name)
        return json.loads(row["value"]) if row else None

    def remember(self, name: str, value: object) -> None:
        """Remember a JSON value under a name; None forgets it."""
        if value is None:
            self.run("DELETE FROM facts WHERE name = ?", name)
        else:
            self.run("INSERT OR REPLACE INTO facts VALUES (?, ?)", name, json.dumps(value))

    def forget_recovery(self) -> None:
        """Remove the recovery secret so that the files do not hold its bytes either."""
        kept = self.fact("device")
        rest = {name: kept[name] for name in kept if not name.startswith("recovery_")}
        self.remember("device", rest)
        self.db.execute("VACUUM")  # a home that was made before secure_delete has old pages
        self.erase_journal()

    def erase_journal(self) -> None:
        """Let the files hold nothing of what was removed: the journal keeps pages of before."""
        self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def is_empty(home: Path) -> bool:
    """Whether nothing was ever kept in a home."""
    return not any((home / name).exists() for name in (PLAIN_FILE, SEALED_FILE))


def seal_file(home: Path, store_key: StoreKey) -> None:
    """Write a plain home's file sealed beside it; it counts once the key file is there.

    The pages of the copy are sealed as they are written, and nothing else is ever put on disk.
    """
    target = home / SEALED_FILE
    _remove(target)
    db = _open(home / PLAIN_FILE, None)
    try:
        target.touch(mode=0o600)
        db.execute(f"ATTACH DATABASE ? AS sealed KEY {_raw(store_key)}", (str(target),))
        db.execute("SELECT sqlcipher_export('sealed')")
        db.execute("DETACH DATABASE sealed")
    finally:
        db.close()
    descriptor = os.open(target, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    sync_folder(home)


def _remove(path: Path) -> None:
    for ending in _BESIDE:
        path.with_name(path.name + ending).unlink(missing_ok=True)


def _raw(store_key: StoreKey) -> str:
    """A key as SQLCipher takes it without stretching; hexadecimal, so nothing needs quoting."""
    return f"\"x'{store_key.key.hex()}'\""


def _open(path: Path, store_key: StoreKey | None) -> sqlite3.Connection:
    path.touch(mode=0o600)
    # The twin of sqlite3 that ships no types: same names, same rows.
    db: sqlite3.Connection = dbapi2.connect(str(path), isolation_level=None)
    try:
        if store_key is not None:
            db.execute(f"PRAGMA key = {_raw(store_key)}")
        db.row_factory = dbapi2.Row
        db.execute("PRAGMA temp_store=MEMORY")
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("PRAGMA secure_delete=ON")
    except dbapi2.DatabaseError as error:
        db.close()
        raise Locked("store_damaged") from error
    return db


def _lock(path: Path) -> IO[str]:
    """Hold the home for this process: two processes must never move one ratchet."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    handle = os.fdopen(descriptor, "w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        handle.close()
        raise Usage("home_in_use") from error
    return handle
