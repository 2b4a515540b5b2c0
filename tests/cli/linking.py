"""One home shows a code, and while it waits another one reads it."""

import json
from collections.abc import Callable
from typing import Any

from crypto_client.client import link_here
from tests.cli.homes import another_home, secret_of, written
from tests.cli.terminal import Ran, Terminal

Meanwhile = Callable[[str, str], object]


def show_and(home: Terminal, meanwhile: Meanwhile, monkeypatch: Any) -> Ran:
    """Run `link show`; at its first wait ``meanwhile`` gets the code and the digits to compare."""
    waits: list[None] = []

    def pause() -> None:
        waits.append(None)
        if len(waits) > 1:
            return
        shown = json.loads(home._capsys.readouterr().out.splitlines()[-1])
        meanwhile(shown["code"], shown["compare"])

    with monkeypatch.context() as patch:
        patch.setattr(link_here, "pause", pause)
        return home("link", "show", timeout=60)


def accept(person: Terminal, code: str, *more: str, secret: str | None = None) -> Ran:
    """Let a device link whoever shows a code."""
    path = written(person, secret or secret_of(person))
    return person("link", "accept", code, "--secret-file", str(path), *more, timeout=60)


def linked(person: Terminal, monkeypatch: Any) -> Terminal:
    """A further home of a person, linked by the first."""
    home = another_home(person)
    answers: list[Ran] = []
    ran = show_and(home, lambda code, _: answers.append(accept(person, code)), monkeypatch)
    assert [answer.error for answer in answers] == [""]
    assert ran.row["refused"] == {}
    return home
