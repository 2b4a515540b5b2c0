"""One person's further homes: signed in with the password, restored with the secret."""

import itertools
from pathlib import Path
from typing import Any

from crypto_client.client.session import Session
from tests.cli.terminal import Ran, Terminal

_numbers = itertools.count(2)


def secret_of(person: Terminal) -> str:
    """The six words, as `recovery set` shows them; the home keeps them."""
    return str(person("recovery", "set").row["words"])


def written(person: Terminal, secret: str) -> Path:
    """A file that holds a secret, outside the person's home."""
    path = person.home.parent / f"secret-{next(_numbers)}"
    path.write_text(secret + "\n")
    return path


def another_home(person: Terminal, server: str | None = None) -> Terminal:
    """An empty home of the same person, signed in with the password and nothing else."""
    home = person.home.with_name(f"{person.name}-{next(_numbers)}")
    other = Terminal(person.name, person.email, server or person.server, home, person._capsys)
    other.password = person.password
    signed_in = other("sign-in", other.email, "--password", other.password)
    assert (signed_in.status, signed_in.error) == (4, "no_keys_here")
    return other


def try_restore(other: Terminal, secret: str) -> Ran:
    """What restoring with a secret answers."""
    return other("recovery", "restore", "--secret-file", str(written(other, secret)), timeout=60)


def restored(person: Terminal) -> Terminal:
    """A further home of a person, restored with the secret."""
    other = another_home(person)
    ran = try_restore(other, secret_of(person))
    assert ran.status == 0, (ran.error, ran.rows)
    return other


def device_ids(person: Terminal) -> set[str]:
    """The devices of a person's newest list."""
    return {row["device_id"] for row in person("devices").rows}


def own_device(person: Terminal) -> str:
    """The device that a home is."""
    return str(person("whoami").row["device_id"])


def say(person: Terminal, room: str, text: str) -> None:
    """Send, and wait until it has its place in the log."""
    assert person("send", room, text, "--wait", "stored").row["state"] == "stored"


def go_on_with(person: Terminal, who: str) -> Ran:
    """Look at the changed account key of somebody, and go on with it uncompared."""
    assert person("verify", who).row["trust"] == "changed"
    return person("verify", who, "--different")


def renewed(person: Terminal, secret: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The row that shows the new key, after it took the place of this one."""
    path = str(written(person, secret))
    ran = person("recovery", "renew", "--secret-file", path, "--written-down", timeout=60)
    assert ran.status == 0, (ran.error, ran.rows)
    shown, done = ran.rows
    assert done["renewed"] is True
    return shown, done


def records_of(person: Terminal, room: str) -> list[tuple[int, int]]:
    """(epoch, backup version) of each history record that the server keeps for this person."""
    with Session.open(person.home, None, 20) as session:
        answer = session.server.get(f"/api/rooms/{room}/history-records", after=-1)
        return [(row["epoch"], row["bk_version"]) for row in answer["records"]]
