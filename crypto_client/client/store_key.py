"""The key of a sealed home, and what it is wrapped under: a passphrase, or the system's keyring.

The home's file is sealed with 32 random bytes that never change; ``key.json`` holds them wrapped,
so that another passphrase seals nothing anew. Nothing here is ever written unwrapped.
"""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

import nacl.pwhash.argon2id as argon2id

from crypto_client.client import system_keyring
from crypto_client.client.failures import Locked
from crypto_client.client.passphrase import Passphrase
from crypto_client.encoding import KEY_SIZE, decode_base64url, encode_base64url, lp
from crypto_client.errors import AeadError, ParseError
from crypto_client.primitives import NONCE_SIZE, aead_open, aead_seal, system_random

KEY_FILE = "key.json"
PASSPHRASE, KEYRING = "passphrase", "keyring"
SALT_SIZE = 16
OPS, MEM = 3, 128 << 20
# What a changed file may ask for: never less than half of the memory above, never all of a machine.
OPS_RANGE, MEM_RANGE = range(3, 17), range(64 << 20, (1 << 30) + 1)


@dataclass(frozen=True)
class StoreKey:
    """The key that a home's file is sealed with, and how it was come by."""

    kind: str
    key: bytes = field(repr=False)


def new_store_key(kind: str) -> StoreKey:
    """Draw the key of a home that is about to be sealed."""
    return StoreKey(kind, system_random(KEY_SIZE))


def read_store_key(home: Path, passphrase: Passphrase) -> StoreKey | None:
    """Unwrap the key of a home; None for one that is not sealed.

    `Locked` with ``passphrase_wrong``, ``passphrase_needed`` (nobody can be asked),
    ``keyring_unavailable``, or ``key_file`` when the file is damaged.
    """
    try:
        text = (home / KEY_FILE).read_text()
    except FileNotFoundError:
        return None
    try:
        kept = json.loads(text)
        kind, salt, wrapped = kept["kind"], _unb64(kept["salt"]), _unb64(kept["wrapped"])
        ops, mem = int(kept["ops"]), int(kept["mem"])
    except (ValueError, KeyError, TypeError, ParseError) as error:
        raise Locked("key_file") from error
    if kind == KEYRING:
        kek = system_keyring.fetch(salt)
    elif kind == PASSPHRASE and ops in OPS_RANGE and mem in MEM_RANGE:
        kek = _kek(passphrase.ask(), salt, ops, mem)
    else:
        raise Locked("key_file")
    try:
        return StoreKey(
            kind, aead_open(kek, wrapped[:NONCE_SIZE], wrapped[NONCE_SIZE:], _bound(kind, salt))
        )
    except AeadError:
        raise Locked("passphrase_wrong" if kind == PASSPHRASE else "keyring_wrong") from None


def write_store_key(home: Path, store_key: StoreKey, passphrase: str | None = None) -> None:
    """Wrap a key under a passphrase, or (None) under the system's keyring, and keep it so.

    Either the former wrapping is there afterwards, or this one: never none, never a half.
    """
    salt, kind = system_random(SALT_SIZE), KEYRING if passphrase is None else PASSPHRASE
    if passphrase is None:
        kek = system_random(KEY_SIZE)
        system_keyring.keep(salt, kek)
    else:
        kek = _kek(passphrase, salt, OPS, MEM)
    nonce = system_random(NONCE_SIZE)
    wrapped = nonce + aead_seal(kek, nonce, store_key.key, _bound(kind, salt))
    kept = {"kind": kind, "salt": _b64(salt), "ops": OPS, "mem": MEM, "wrapped": _b64(wrapped)}
    former = _name_in_keyring(home)
    replace_durably(home / KEY_FILE, json.dumps(kept).encode())
    if former is not None:
        system_keyring.forget(former)


def _name_in_keyring(home: Path) -> bytes | None:
    try:
        kept = json.loads((home / KEY_FILE).read_text())
    except FileNotFoundError:
        return None
    return _unb64(kept["salt"]) if kept["kind"] == KEYRING else None


def _bound(kind: str, salt: bytes) -> bytes:
    return lp(b"gamrae store key", kind.encode(), salt)


def _kek(passphrase: str, salt: bytes, ops: int, mem: int) -> bytes:
    return argon2id.kdf(KEY_SIZE, passphrase.encode(), salt, opslimit=ops, memlimit=mem)


def replace_durably(path: Path, content: bytes) -> None:
    """Put a file in the place of another so that a crash leaves one of the two, whole."""
    temporary = path.with_name(path.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make what was renamed or removed in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _b64(data: bytes) -> str:
    """Bytes as the key file writes them."""
    return encode_base64url(data)


def _unb64(text: str) -> bytes:
    """Bytes as the key file wrote them."""
    return decode_base64url(text)
