"""What is asked of a built image, in both profiles. The first answer that is wrong fails it."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from deploy.containers.building import Failed
from deploy.containers.running import Container, Running
from deploy.services.processes import free_port

START_SECONDS = 180.0
END_SECONDS = 60.0
# What must not come along: compilers and installers, and what was made while building.
UNWANTED = ("gcc", "cc", "pip", "pip3", "uv", "node", "npm", "git")
PRIVATE = ("secret_key", "*.sqlite3", "*.key", ".env")


def say(text: str) -> None:
    """One line for the person at the terminal."""
    print(f"bin/image: {text}", flush=True)


def must(holds: bool, sentence: str, instead: object = "") -> None:
    """Say what holds, or fail with it and with what was there instead."""
    if not holds:
        raise Failed(f"not so: {sentence} {instead}".rstrip())
    say(f"ok: {sentence}")


def look_around(container: Container) -> None:
    """Who the image runs as, and what is in it."""

    def inside(words: str) -> str:
        return container.run(words.split(), {})[1]

    must(inside("id -u") == "10001" and inside("id -G") == "10001", "it runs as user 10001")
    capable = re.findall(r"Cap(?:Inh|Prm|Eff|Bnd|Amb):\s*(\w+)", inside("cat /proc/self/status"))
    must(bool(capable) and not any(int(mask, 16) for mask in capable), "it has no capability")
    for place in ("/app/x", "/opt/gamrae/x", "/etc/x", "/x"):
        must("Read-only file system" in inside(f"touch {place}"), f"{place} cannot be written")
    must(inside("touch /tmp/x /data/x") == "", "its two own folders can be written")
    found = [name for name in UNWANTED if container.run(["sh", "-c", f"command -v {name}"], {})[1]]
    must(not found, "no compiler and no installer is in it", found)
    left = [str(path) for name in PRIVATE for path in (container.root / "app").rglob(name)]
    must(not left, "no secret and no database is in it", left)


def migrate(container: Container, settings: Mapping[str, str]) -> None:
    """Bring the database up to date, as the first container of a start does."""
    began = time.monotonic()
    process = container.start("migrate", ["migrate", "--verbosity", "0"], settings)
    process.process.wait()
    must(process.process.returncode == 0, "migrate ends well", process.said)
    say(f"measured: migrate took {time.monotonic() - began:.1f} s")


@contextmanager
def serving(container: Container, settings: Mapping[str, str]) -> Iterator[int]:
    """A web process on a port of its own, until the end of the block; then told to end."""
    port = free_port()
    own = {**settings, "HOST": "127.0.0.1", "PORT": str(port)}
    process = container.start("web", ["web"], own)
    say(f"measured: web listens after {process.wait_for('Gamrae: ', START_SECONDS):.1f} s")
    check = container.config["Healthcheck"]["Test"]
    status, said = container.run(check[1:], own)
    must(check[0] == "CMD" and status == 0, "its health check passes", said)
    yield port
    end("web", process)
    must(container.run(check[1:], own)[0] == 1, "its health check fails once it is gone")


def end(name: str, process: Running) -> None:
    """Tell it to end."""
    say(f"measured: {name} ends {process.stop(END_SECONDS):.1f} s after SIGTERM")


@contextmanager
def archiving(container: Container, settings: Mapping[str, str]) -> Iterator[None]:
    """An archiver, until the end of the block."""
    process = container.start("archiver", ["archiver"], settings)
    waited = process.wait_for("Gamrae: archiving", START_SECONDS)
    say(f"measured: archiver works after {waited:.1f} s")
    yield
    end("archiver", process)


def get(port: int, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, bytes, str]:
    """Status, body and encoding of an answer."""
    asked = HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        asked.request("GET", path, headers=dict(headers or {}))
        answer = asked.getresponse()
        return answer.status, answer.read(), answer.getheader("Content-Encoding", "")
    except (OSError, HTTPException) as error:
        raise Failed(f"{path} is not answered: {error}") from error
    finally:
        asked.close()


def look_from_outside(container: Container, port: int, public: str) -> None:
    """Health under any name; under the public one a page, and the built files."""
    for path in ("/healthz/live", "/healthz/ready"):
        must(get(port, path)[0] == 200, f"{path} answers 200")
    through_proxy = {"Host": urlsplit(public).netloc, "X-Forwarded-Proto": "https"}
    must(get(port, "/accounts/login/", through_proxy)[0] == 200, "the sign-in page answers 200")
    manifest = json.loads((container.root / "app/frontend/dist/manifest.json").read_text())
    must(bool(manifest), "the front end is in it")
    for row in manifest.values():
        path = f"/static/{row['file']}"
        status, body, _ = get(port, path, through_proxy)
        digest = base64.b64encode(hashlib.sha384(body).digest()).decode()
        same = status == 200 and row["integrity"] == f"sha384-{digest}"
        must(same, f"{path} has the integrity that pages name")
    script = f"/static/{manifest['src/entries/app.ts']['file']}"
    whole = get(port, script, through_proxy)[1]
    _, packed, encoding = get(port, script, {**through_proxy, "Accept-Encoding": "gzip"})
    smaller = encoding == "gzip" and gzip.decompress(packed) == whole
    must(smaller, f"the script travels as {len(packed)} bytes instead of {len(whole)}")
