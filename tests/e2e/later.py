"""Lets the 72 hours of a reset pass on a real server of the solo profile."""

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta

from tests.e2e.site import Site

WAIT = timedelta(hours=72)


def let_resets_pass(site: Site) -> None:
    """Let every reset that waits be due: what was announced now was announced 72 hours ago."""
    with closing(sqlite3.connect(site.data / "gamrae.sqlite3", timeout=20)) as database, database:
        rows = database.execute("SELECT id, announced_at, due_at FROM accounts_reset").fetchall()
        for number, *times in rows:
            earlier = [str(datetime.fromisoformat(time) - WAIT) for time in times]
            sql = "UPDATE accounts_reset SET announced_at = ?, due_at = ? WHERE id = ?"
            database.execute(sql, (*earlier, number))
