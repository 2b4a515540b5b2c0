"""One row for each thing that can be asked of the API: what everybody gets when they ask it.

An app's rows are in the module of its name beside this one; a route without a row fails the test.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.cast import Cast

ACTORS = ("anonymous", "mallory", "dave", "bob", "alice", "mod")
Scene = dict[str, Any]


def plain(cast: Cast) -> Scene:
    """The cast as it is; paths may name ``{alice}`` and the others."""
    return {person.name: person.id for person in cast}


@dataclass(frozen=True)
class Row:
    """``path`` and ``body`` may use what ``scene`` gives; ``statuses`` follow `ACTORS`.

    ``device``: whoever asks has proved their device.
    """

    method: str
    path: str
    statuses: tuple[int, int, int, int, int, int]
    body: Callable[[Scene, str], Any] | None = None
    scene: Callable[[Cast], Scene] = plain
    device: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def every_row() -> list[Row]:
    """The rows of all apps."""
    modules = sorted(path.stem for path in Path(__file__).parent.glob("rows_*.py"))
    return [row for name in modules for row in import_module(f"tests.authorization.{name}").ROWS]
