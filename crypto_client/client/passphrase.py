"""Where the passphrase of a home comes from: a descriptor, the environment, or the terminal."""

import getpass
import os
import sys
from dataclasses import dataclass, field

from crypto_client.client.failures import Locked, Usage

VARIABLE = "GAMRAE_PASSPHRASE"
SHORTEST = 8


@dataclass
class Passphrase:
    """The passphrase of this run; read or asked for once, when it is first needed."""

    descriptor: int | None = None
    _given: str | None = field(default=None, repr=False)

    def given(self) -> str | None:
        """The passphrase that a script gives, or None; nobody is asked."""
        if self._given is None and self.descriptor is not None:
            self._given = _first_line(self.descriptor)
        if self._given is None:
            self._given = os.environ.get(VARIABLE) or None
        return self._given

    def ask(self) -> str:
        """The passphrase; `Locked` with ``passphrase_needed`` where nobody can be asked."""
        if self.given() is None:
            if not can_ask():
                raise Locked("passphrase_needed")
            self._given = getpass.getpass("Passphrase of this home: ")
        return self._given or ""


def can_ask() -> bool:
    """Whether somebody sits in front of this program."""
    return sys.stdin is not None and sys.stdin.isatty()


def ask_for_a_new_one() -> str:
    """Ask twice for a passphrase; `Usage` when the two differ or it is too short."""
    if not can_ask():
        raise Locked("passphrase_needed")
    first = getpass.getpass("New passphrase of this home: ")
    if first != getpass.getpass("Once more: "):
        raise Usage("passphrase_differs")
    return checked(first)


def checked(passphrase: str) -> str:
    """Refuse one that guards nothing: `Usage` with ``passphrase_short``, below 8 characters."""
    if len(passphrase) < SHORTEST:
        raise Usage("passphrase_short")
    return passphrase


def _first_line(descriptor: int) -> str:
    try:
        with os.fdopen(descriptor, "r", encoding="utf-8") as file:
            return file.readline().rstrip("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise Usage("passphrase_fd") from error
