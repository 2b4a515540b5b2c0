"""What this server uses, which versions, and whether each part answers."""

import os
import platform
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import cryptography
import django
import nacl
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from django.core.cache import cache, caches
from django.core.mail import get_connection
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from chatsite.cache import SharedCache
from chatsite.frontend import entry
from messaging import runtime


@dataclass(frozen=True, slots=True)
class Finding:
    """One part: what it is for, what is used, its version, and what is wrong (empty: nothing)."""

    part: str
    uses: str
    version: str
    trouble: str = ""

    @property
    def ok(self) -> bool:
        return not self.trouble


class Trouble(Exception):
    """A part that answers, but not as it must; the sentence says what to do."""


@runtime_checkable
class Versioned(Protocol):
    """A queue or log on a server of its own, which says its version when it answers."""

    async def version(self) -> str:
        """What the server says it is."""


# part, what is used, a check that gives the version or raises
Check = tuple[str, str, Callable[[], str]]


def examine() -> list[Finding]:
    """Ask every part once. One that fails does not keep the others from being asked."""
    return [_ask(check) for check in checks()]


def _ask(check: Check) -> Finding:
    part, uses, version = check
    try:
        return Finding(part, uses, version())
    except Trouble as trouble:
        return Finding(part, uses, "", str(trouble))
    except Exception as error:
        return Finding(part, uses, "", f"does not answer ({type(error).__name__})")


def checks() -> list[Check]:
    """The parts of this profile."""
    return [
        ("python", platform.python_implementation(), platform.python_version),
        ("framework", "Django", django.get_version),
        ("cryptography", "libsodium (PyNaCl)", lambda: nacl.__version__),
        ("cryptography", "OpenSSL (cryptography)", lambda: cryptography.__version__),
        ("data", str(settings.DATA), _data_folder),
        ("database", connection.vendor, _database),
        ("migrations", connection.vendor, _migrations),
        *_cluster(),
        ("cache", str(settings.CACHES["default"]["BACKEND"]).rpartition(".")[2], _cache),
        ("person news", str(settings.CHANNEL_LAYERS["default"]["BACKEND"]), _channel_layer),
        ("mail", _mail_name(), _mail),
        ("front end", str(settings.FRONTEND_DIST), _frontend),
    ]


def _cluster() -> list[Check]:
    queue, messages = runtime.queue(), runtime.log()
    return [
        (part, type(each).__name__, async_to_sync(each.version))
        for part, each in (("queue", queue), ("log", messages))
        if isinstance(each, Versioned)
    ]


def _data_folder() -> str:
    if not os.access(settings.DATA, os.R_OK | os.W_OK):
        raise Trouble("cannot be written: check the owner of GAMRAE_DATA")
    return "writable"


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    if connection.vendor == "sqlite":
        return sqlite3.sqlite_version
    return ".".join(str(number) for number in connection.get_database_version())


def _migrations() -> str:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        raise Trouble(f"{len(missing)} to be applied: run manage.py migrate")
    return "applied"


def _cache() -> str:
    shared = caches["default"]
    if isinstance(shared, SharedCache):
        return shared.server_version()
    cache.set("doctor", 1, 10)
    if cache.get("doctor") != 1:
        raise Trouble("does not keep what it is given")
    return "answers"


def _channel_layer() -> str:
    layer = get_channel_layer()
    if layer is None:
        raise Trouble("is not configured")
    async_to_sync(layer.group_send)("doctor", {"type": "doctor"})
    return "answers"


def _mail_name() -> str:
    return "SMTP" if settings.MAIL_CONFIGURED else settings.EMAIL_FILE_PATH


def _mail() -> str:
    if not settings.MAIL_CONFIGURED:
        return "files (EMAIL_URL is not set)"
    mail = get_connection()
    mail.open()
    mail.close()
    return "answers"


def _frontend() -> str:
    if not Path(settings.FRONTEND_DIST).is_dir():
        raise Trouble("is not built: run bin/run")
    return Path(entry("app").script.url).name
