"""People at the command line: homes in a folder, commands of the real client, no Django."""

import contextlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crypto_client.cli import main

PASSWORD = "correct horse battery staple"
TIMEOUT = "600"

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Terminal:
    """One home of one person."""

    email: str
    home: Path
    server: str

    def __call__(self, *words: str) -> list[Row]:
        """Run a command; gives its rows. RuntimeError where it ends with another status than 0."""
        options = ["--server", self.server, "--home", str(self.home), "--timeout", TIMEOUT]
        said, complained = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(complained):
            status = main([*options, "--plain", "--json", *words])
        if status:
            raise RuntimeError(f"{self.email}: {words[:2]}: {status} {complained.getvalue()}")
        return [json.loads(line) for line in said.getvalue().splitlines()]

    def signs_up(self) -> None:
        self("sign-up", self.email, "--name", self.email.partition("@")[0], "--password", PASSWORD)

    def another(self, name: str = "second") -> "Terminal":
        """A further device of this person, let in by the recovery words."""
        words = self("recovery", "set")[0]["words"]
        secret = self.home.with_suffix(".words")
        secret.write_text(f"{words}\n")
        other = Terminal(self.email, self.home.with_suffix(f".{name}"), self.server)
        with contextlib.suppress(RuntimeError):  # signed in, and no keys here yet
            other("sign-in", other.email, "--password", PASSWORD)
        other("recovery", "restore", "--secret-file", str(secret))
        return other
