"""How a line of the log is written: for people, or for programs (LOG_FORMAT, docs/logs.md).

Our own lines are words of the form ``name=value``, of which the first is ``code``. What libraries
say stays one text. In both, nobody can begin a line of their own, and an exception is told by its
kind and the places in the code, without its message: databases put values of rows there.
"""

import json
import logging
import re
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from chatsite.trace import current

WORD = re.compile(r"(\w+)=(\S*)")
CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")

ExceptionInfo = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
)


class TextLine(logging.Formatter):
    """One line for a person: time, level, logger, words; the places of an exception below it."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (logging's name)
        record.message = said(record)
        kind, name = current()
        return super().formatMessage(record) + (f" {kind}={name}" if kind else "")

    def formatException(self, ei: ExceptionInfo) -> str:  # noqa: N802 (logging's name)
        return "\n".join(told(ei))


class JsonLine(logging.Formatter):
    """One JSON object for a program. Words of ours are members; of two the first one stays."""

    def format(self, record: logging.LogRecord) -> str:
        kind, name = current()
        words = said(record)
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            **({kind: name} if kind else {}),
        }
        parts = dict(reversed(WORD.findall(words))) if words.startswith("code=") else {}
        for member, value in (parts or {"message": words}).items():
            line.setdefault(member, value)
        if record.exc_info:
            line["exception"] = told(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def said(record: logging.LogRecord) -> str:
    """What a record says, on one line. Django's word on a failed request names the whole address,
    and so perhaps a link from a mail; here it is the view's pattern.
    """
    if record.name == "django.request" and hasattr(record, "request"):
        route = getattr(getattr(record.request, "resolver_match", None), "route", "") or "none"
        if record.exc_info:
            return f"code=server_error route={route}"
        return f"code=answered status={getattr(record, 'status_code', 'none')} route={route}"
    # Without a codec: a process writes its last lines when there are none any more.
    return CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", _without_exceptions(record))


def _without_exceptions(record: logging.LogRecord) -> str:
    """The message; a library's word on an exception has the exception's own message in it."""
    if not record.exc_info or record.name.partition(".")[0] == "gamrae":
        return record.getMessage()
    if record.name == "asyncio":  # values stand in brackets, and from the second line on
        return str(record.msg).partition("\n")[0].partition("(")[0]
    return str(record.msg)


def told(info: ExceptionInfo) -> list[str]:
    """An exception and what led to it: places in the code and kinds, no messages."""
    lines: list[str] = []
    error: BaseException | None = info[1]
    while error is not None:
        lines += [f"{type(error).__module__}.{type(error).__qualname__}"]
        for frame in traceback.extract_tb(error.__traceback__):
            lines.append(f"  {frame.filename}:{frame.lineno} {frame.name}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return lines
