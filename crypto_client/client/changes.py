"""What a commit changed, for a timeline. Made from verified operations, never server events."""

import uuid
from collections.abc import Sequence
from typing import Any

from crypto_client.encoding import u8
from crypto_client.epoch import RoomView
from crypto_client.ops import Add, ChangeState, Create, Op, Remove, SetRole
from crypto_client.statements import (
    KEY_WAS_REPLACED,
    LEAVE,
    SERVER_REMOVE,
    parse_statement,
)

Line = dict[str, Any]


def describe(
    ops: Sequence[Op], committer: bytes, before: RoomView | None, view: RoomView
) -> list[Line]:
    """One line for each thing that a person would notice; none for a plain rotation."""
    lines: list[Line] = []
    for op in ops:
        match op:
            case Create():
                lines.append({"event": "created", "about": [_id(m.user) for m in op.roster]})
            case Add():
                lines.append({"event": "joined", "about": [_id(op.member.user)]})
            case Remove():
                left = _way_out(op.statement)
                lines.append({"event": left, "about": [_id(op.user)]})
            case SetRole():
                lines.append({"event": "role", "about": [_id(op.user)]})
            case ChangeState():
                lines += _state_lines(before, view)
    return [{**line, "by": _id(committer)} for line in lines]


def _state_lines(before: RoomView | None, view: RoomView) -> list[Line]:
    """A state operation sets a title, or ends the keeping of history, or both."""
    renamed: Line = {"event": "renamed", "title": view.title}
    if before is None or not before.keeps_history or view.keeps_history:
        return [renamed]
    is_known = before.title is not None and view.title is not None
    both = is_known and before.title != view.title
    return [{"event": "history_off"}, *([renamed] if both else [])]


def _way_out(statement: bytes) -> str:
    """Somebody went by their own word, or because they started again; else was removed."""
    given = parse_statement(statement) if statement else None
    if given is None:
        return "removed"
    if given.kind == SERVER_REMOVE and given.reason == u8(KEY_WAS_REPLACED):
        return "started_again"
    return "left" if given.kind == LEAVE else "removed"


def _id(user: bytes) -> str:
    return str(uuid.UUID(bytes=user))
