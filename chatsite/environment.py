"""Reads settings from the environment, and says in one sentence what is wrong with them.

Nothing here knows Django: `settings.py` asks, this module answers or raises `ImproperlyConfigured`.
"""

import os
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from django.core.exceptions import ImproperlyConfigured

# Host names as browsers write them: punycode, and nothing before or after host and port.
ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?")
TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off"}


def text(name: str, default: str = "") -> str:
    """The value of a setting, from NAME or from the file that NAME_FILE names."""
    value = os.environ.get(name, "").strip()
    file = os.environ.get(f"{name}_FILE", "").strip()
    if file and value:
        raise ImproperlyConfigured(f"{name} and {name}_FILE are both set: use one of them.")
    if file:
        try:
            value = Path(file).read_text().strip()
        except (OSError, UnicodeDecodeError):
            raise ImproperlyConfigured(f"{name}_FILE: {file} cannot be read.") from None
    return value or default


def required(name: str, why: str) -> str:
    """A setting without a default; the sentence says what it is for."""
    value = text(name)
    if not value:
        raise ImproperlyConfigured(f"{name} is not set: {why}")
    return value


def choice(name: str, default: str, allowed: set[str]) -> str:
    """A setting with a few allowed words."""
    value = text(name, default)
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} is {value!r}: use {' or '.join(sorted(allowed))}.")
    return value


def flag(name: str, default: bool) -> bool:
    """A yes-or-no setting."""
    value = text(name, str(default)).lower()
    if value not in TRUE | FALSE:
        raise ImproperlyConfigured(f"{name} is {value!r}: use true or false.")
    return value in TRUE


def integer(name: str, default: int, low: int, high: int) -> int:
    """A whole number within bounds."""
    value = text(name, str(default))
    if not value.isascii() or not value.isdigit() or not low <= int(value) <= high:
        raise ImproperlyConfigured(f"{name} is {value!r}: use a number from {low} to {high}.")
    return int(value)


def words(name: str) -> list[str]:
    """A comma-separated list."""
    return [word.strip() for word in text(name).split(",") if word.strip()]


def origin(name: str, default: str) -> str:
    """An address people use, as scheme://host[:port] and nothing more."""
    return _checked_origin(name, text(name, default).rstrip("/"))


def secret(name: str, file: Path) -> str:
    """A secret from the environment, else one made once and kept in a file for its owner alone."""
    given = text(name)
    if given:
        if len(given) < 32:
            raise ImproperlyConfigured(f"{name} is too short: use at least 32 random characters.")
        return given
    if not file.exists():
        _make_folder(file.parent)
        try:
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            pass  # another process made it between the two lines
        else:
            with os.fdopen(descriptor, "w") as handle:
                handle.write(secrets.token_urlsafe(48))
    return file.read_text().strip()


def private_file(file: Path) -> Path:
    """A file that is made, if it is not there, for its owner alone, in a folder for the same.

    SQLite gives the files beside its own the mode that its own has.
    """
    _make_folder(file.parent)
    with suppress(FileExistsError):
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    return file


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ImproperlyConfigured(f"GAMRAE_DATA: {folder} cannot be made.") from error


def origins(name: str) -> list[str]:
    """A comma-separated list of addresses, each as `origin` wants it."""
    return [_checked_origin(name, value.rstrip("/")) for value in words(name)]


def _checked_origin(name: str, value: str) -> str:
    found = ORIGIN.fullmatch(value.lower())
    if not found or not 0 < int(found[1] or 80) < 65536:
        raise ImproperlyConfigured(
            f"{name} is {value!r}: use an address like https://chat.example.org."
        )
    return value.lower()


def zone(name: str, default: str) -> str:
    """A time zone by its name."""
    value = text(name, default)
    if value not in available_timezones():
        raise ImproperlyConfigured(f"{name} is {value!r}: use a name like Asia/Seoul.")
    return value


def parsed(
    name: str, url: str, parse: Callable[[str], dict[str, Any]], names: str
) -> dict[str, Any]:
    """What a library makes of an address; ``names`` is the member without which it is none.

    The sentence does not repeat the address: it may hold a password.
    """
    try:
        config = parse(url)
        config[names]
    except (ValueError, KeyError, ImproperlyConfigured):
        raise ImproperlyConfigured(f"{name} is not an address that can be used.") from None
    return config


def host_of(origin: str) -> str:
    """The host of an origin, as `ALLOWED_HOSTS` wants it: an IPv6 address in brackets."""
    host = urlsplit(origin).hostname or ""
    return f"[{host}]" if ":" in host else host


def with_port(origin: str) -> str:
    """An origin with its port written out, as device proofs name it."""
    parts = urlsplit(origin)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return f"{parts.scheme}://{host_of(origin)}:{port}"


def networks(name: str) -> list[str]:
    """A comma-separated list of addresses or networks, such as ``10.0.0.0/8``."""
    for value in words(name):
        try:
            ip_network(value, strict=False)
        except ValueError:
            raise ImproperlyConfigured(
                f"{name} names {value!r}: use addresses or networks like 10.0.0.0/8."
            ) from None
    return words(name)


def file(name: str) -> str:
    """The path of a file that must be there, or nothing."""
    path = text(name)
    if path and not Path(path).is_file():
        raise ImproperlyConfigured(f"{name} is {path!r}: there is no such file.")
    return path


def mysql_options(ca: str) -> dict[str, Any]:
    """How to talk to MySQL: strictly, not for ever, and with ``ca`` over verified TLS only."""
    options: dict[str, Any] = {
        "charset": "utf8mb4",
        "isolation_level": "read committed",
        "connect_timeout": 3,
        "read_timeout": 15,
        "write_timeout": 15,
        "init_command": "SET sql_mode='STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION'",
    }
    if ca:
        # The authority alone is not enough: some connectors then verify nothing at all.
        options |= {"ssl_mode": "VERIFY_IDENTITY", "ssl": {"ca": ca}}
    return options


def redis_options(url: str, ca: str) -> dict[str, Any]:
    """How Django's cache and the channel layer talk to Redis; its name is verified over TLS."""
    options: dict[str, Any] = {"socket_connect_timeout": 2, "socket_keepalive": True}
    if url.startswith("rediss:"):
        options |= {"ssl_check_hostname": True, **({"ssl_ca_certs": ca} if ca else {})}
    return options
