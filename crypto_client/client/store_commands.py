"""Commands about the home's own file: whether it is sealed, and by what it opens."""

import argparse
from functools import partial
from pathlib import Path

from crypto_client.client import system_keyring
from crypto_client.client.failures import Locked, Usage
from crypto_client.client.output import Output
from crypto_client.client.passphrase import ask_for_a_new_one, checked
from crypto_client.client.session import Session
from crypto_client.client.store_key import KEYRING, PASSPHRASE, write_store_key
from crypto_client.client.unlocking import seal_home


def status(session: Session, output: Output, arguments: argparse.Namespace) -> None:
    """Say by what this home opens."""
    kept = session.store.store_key
    output.row({"sealed": kept.kind if kept else None})


def set_passphrase(session: Session, output: Output, arguments: argparse.Namespace) -> None:
    """Let this home open by a passphrase from now on, and by nothing else."""
    _wrap(session, _new_passphrase(arguments.new_file))
    output.row({"sealed": PASSPHRASE})


def use_keyring(session: Session, output: Output, arguments: argparse.Namespace) -> None:
    """Let this home open with the system's keyring from now on, and by nothing else."""
    if not system_keyring.is_available():
        raise Locked("keyring_unavailable")
    _wrap(session, None)
    output.row({"sealed": KEYRING})


def _wrap(session: Session, passphrase: str | None) -> None:
    store = session.store
    if store.store_key is None:
        store.seal(partial(seal_home, passphrase=passphrase))
    else:
        write_store_key(store.home, store.store_key, passphrase)


def _new_passphrase(path: Path | None) -> str:
    if path is None:
        return ask_for_a_new_one()
    try:
        return checked(path.read_text().rstrip("\n"))
    except (OSError, UnicodeDecodeError) as error:
        raise Usage("new_file") from error
