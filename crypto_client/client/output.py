"""How results leave the program: one JSON object a line, or a line for people."""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

Row = dict[str, Any]
PATIENCE_SECONDS = 1.0


class Output:
    """Where a command's rows go."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._began = time.monotonic()

    def row(self, row: Row, line: Callable[[Row], str] | None = None) -> None:
        """Print one result; ``line`` makes the text for people."""
        if self.as_json:
            text = json.dumps(row, ensure_ascii=False)
        else:
            text = line(row) if line else _plain(row)
        print(text, flush=True)

    def notice(self, text: str) -> None:
        """Say to everybody what is no result, on stderr."""
        print(text, file=sys.stderr, flush=True)

    def note(self, text: str) -> None:
        """Say to people alone what is no result."""
        if not self.as_json:
            self.notice(text)

    def progress(self, text: str) -> None:
        """Say how far it is, once it takes longer than a second."""
        if time.monotonic() - self._began > PATIENCE_SECONDS:
            self.note(text)

    def failure(self, code: str, details: Row) -> None:
        """Print why a command failed: the code on stderr, and as JSON on stdout when asked for."""
        if self.as_json:
            print(json.dumps({"error": code, **details}, default=str), flush=True)
        print(code, file=sys.stderr, flush=True)


def _plain(row: Row) -> str:
    return "  ".join(f"{name}={_word(value)}" for name, value in row.items())


def _word(value: object) -> str:
    if isinstance(value, list):
        return ",".join(_word(item) for item in value)
    return "-" if value is None else str(value)


def message_line(row: Row) -> str:
    """A message as a line: who, what, and its state when it is not stored."""
    if "event" in row:
        about = row.get("title") or ", ".join(row.get("about", []))
        return f"      * {row['event']} {printable(about)}".rstrip()
    text = row.get("text", f"[{_why_unreadable(row)}]")
    state = "" if row.get("state") == "stored" else f"  ({row.get('state')})"
    return f"{row.get('seq') or '':>5} {row['sender']}: {printable(text)}{state}"


def _why_unreadable(row: Row) -> str:
    if row.get("history") == "off":
        return "this room keeps no history: not readable on this device"
    return str(row.get("unreadable", ""))


def printable(text: str) -> str:
    """Text of others must not drive the terminal: control characters are shown, not sent."""
    return "".join(c if c == "\n" or c.isprintable() else repr(c)[1:-1] for c in text)
