"""How a home comes to be sealed, and opens again (docs/cli.md, "The home")."""

from dataclasses import dataclass, field
from pathlib import Path

from crypto_client.client import system_keyring
from crypto_client.client.passphrase import Passphrase, ask_for_a_new_one, can_ask, checked
from crypto_client.client.store import is_empty, seal_file
from crypto_client.client.store_key import (
    KEYRING,
    PASSPHRASE,
    StoreKey,
    new_store_key,
    read_store_key,
    write_store_key,
)


@dataclass(frozen=True)
class Unlocking:
    """What is done with a home that somebody opens; ``plain`` leaves a new one unsealed."""

    passphrase: Passphrase = field(default_factory=Passphrase)
    plain: bool = False

    def __call__(self, home: Path) -> StoreKey | None:
        """Give the key of a sealed home; seal a new one, or one for which a passphrase is given.

        None for a home that stays plain. `Locked` where it does not open.
        """
        kept = read_store_key(home, self.passphrase)
        if kept is not None:
            return kept
        given = self.passphrase.given()
        if given is not None:
            return seal_home(home, checked(given))
        if self.plain or not is_empty(home):
            return None
        if system_keyring.is_available():
            return seal_home(home, None)
        return seal_home(home, ask_for_a_new_one()) if can_ask() else None


def seal_home(home: Path, passphrase: str | None) -> StoreKey:
    """Seal a home under a passphrase, or (None) with the help of the system's keyring.

    What was there is sealed beside the old file first. A crash before the key file is written
    leaves the plain home as it was, and after it the sealed one; opening that removes the other.
    """
    store_key = new_store_key(KEYRING if passphrase is None else PASSPHRASE)
    if not is_empty(home):
        seal_file(home, store_key)
    write_store_key(home, store_key, passphrase)
    return store_key
