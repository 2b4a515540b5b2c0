"""People at their terminals: each has a home of their own and runs the real program in-process."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crypto_client.cli import main

Row = dict[str, Any]


@dataclass(frozen=True)
class Ran:
    """What a command answered."""

    status: int
    rows: list[Row]
    error: str

    @property
    def row(self) -> Row:
        """The only row."""
        assert self.status == 0, self.error
        (row,) = self.rows
        return row

    @property
    def texts(self) -> list[str]:
        """The messages among the rows."""
        return [row["text"] for row in self.rows if "text" in row]


class Terminal:
    """One person's terminal."""

    def __init__(self, name: str, email: str, server: str, home: Path, capsys: Any) -> None:
        self.name = name
        self.email = email
        self.password = f"the long way home of {name}"
        self.server = server
        self.home = home
        self._capsys = capsys

    def __call__(self, *words: str, timeout: float = 20) -> Ran:
        """Run a command with --json."""
        options = ["--server", self.server, "--home", str(self.home), "--json"]
        self._capsys.readouterr()
        status = main([*options, "--timeout", str(timeout), *words])
        said = self._capsys.readouterr()
        rows = [json.loads(line) for line in said.out.splitlines()]
        return Ran(status, rows, said.err.strip())

    def sign_up(self) -> "Terminal":
        """Make the account and this device."""
        assert self("sign-up", self.email, "--name", self.name, "--password", self.password).row
        return self

    def befriend(self, other: "Terminal") -> None:
        """Ask and be accepted."""
        assert self("friend", "add", other.email).row == {"status": "sent"}
        assert other("friend", "accept", self.email).row["email"] == self.email

    def reads(self, room: str) -> list[str]:
        """The texts of a room as this person sees them."""
        ran = self("read", room)
        assert ran.status == 0, ran.error
        return ran.texts
