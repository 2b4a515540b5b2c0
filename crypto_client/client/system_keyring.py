"""The keyring of the system, where there is one: the package ``keyring`` is optional."""

import importlib
from types import ModuleType

from crypto_client.client.failures import Locked
from crypto_client.encoding import decode_base64url, encode_base64url
from crypto_client.errors import ParseError

SERVICE = "gamrae"


def is_available() -> bool:
    """Whether something keeps secrets here: the package is installed and has found a keyring."""
    package = _package()
    return package is not None and package.get_keyring().priority > 0


def keep(name: bytes, key: bytes) -> None:
    """Keep a key under a name; `Locked` with ``keyring_unavailable``."""
    package = _demand()
    try:
        package.set_password(SERVICE, encode_base64url(name), encode_base64url(key))
    except package.errors.KeyringError as error:
        raise Locked("keyring_unavailable") from error


def fetch(name: bytes) -> bytes:
    """Give the key of a name; `Locked` with ``keyring_unavailable``, or ``keyring_wrong``."""
    package = _demand()
    try:
        kept = package.get_password(SERVICE, encode_base64url(name))
    except package.errors.KeyringError as error:
        raise Locked("keyring_unavailable") from error
    try:
        return decode_base64url(kept or "", 32)
    except ParseError as error:
        raise Locked("keyring_wrong") from error


def forget(name: bytes) -> None:
    """Forget a key that wraps nothing any more."""
    package = _demand()
    try:
        package.delete_password(SERVICE, encode_base64url(name))
    except package.errors.KeyringError:
        return


def _demand() -> ModuleType:
    package = _package()
    if package is None:
        raise Locked("keyring_unavailable")
    return package


def _package() -> ModuleType | None:
    try:
        return importlib.import_module("keyring")
    except ImportError:
        return None
