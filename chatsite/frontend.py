"""The built front end, found by its manifest: which files an entry needs, and their hashes.

`frontend/vite.config.ts` writes the manifest; without it pages say so instead of loading nothing.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings


class NotBuilt(Exception):
    """The front end has not been built, or has no such entry."""


@dataclass(frozen=True, slots=True)
class BuiltFile:
    """A file of the build: its address and the integrity value that browsers check."""

    url: str
    integrity: str


@dataclass(frozen=True, slots=True)
class Entry:
    """What a page loads for one entry."""

    script: BuiltFile
    preloads: tuple[BuiltFile, ...]
    styles: tuple[BuiltFile, ...]


def entry(name: str) -> Entry:
    """The files of ``src/entries/<name>.ts``; `NotBuilt` when there is none."""
    path = Path(settings.FRONTEND_DIST) / "manifest.json"
    try:
        manifest = _manifest(path, path.stat().st_mtime_ns)
        return _entry(manifest, f"src/entries/{name}.ts")
    except (OSError, KeyError):
        raise NotBuilt(name) from None


@lru_cache(maxsize=2)
def _manifest(path: Path, changed_ns: int) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(path.read_text())
    return manifest


def _entry(manifest: dict[str, Any], key: str) -> Entry:
    chunks = list(dict.fromkeys(_imports(manifest, key)))
    named = {row["file"]: row["integrity"] for row in manifest.values()}
    styles = dict.fromkeys(
        file for chunk in [*chunks, key] for file in manifest[chunk].get("css", ())
    )

    def built(file: str) -> BuiltFile:
        return BuiltFile(f"/{settings.STATIC_URL.strip('/')}/{file}", named[file])

    return Entry(
        script=built(manifest[key]["file"]),
        preloads=tuple(built(manifest[chunk]["file"]) for chunk in chunks),
        styles=tuple(built(file) for file in styles),
    )


def _imports(manifest: dict[str, Any], key: str) -> Iterator[str]:
    for chunk in manifest[key].get("imports", ()):
        yield from _imports(manifest, chunk)
        yield chunk
