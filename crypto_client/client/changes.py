"""What a commit changed, for a timeline. Made from verified operations, never server events."""

import uuid
from collections.abc import Sequence
from typing import Any

from crypto_client.epoch import RoomView
from crypto_client.ops import Add, ChangeState, Create, Op, Remove, SetRole
from crypto_client.statements import LEAVE, parse_statement

Line = dict[str, Any]


def describe(ops: Sequence[Op], committer: bytes, view: RoomView) -> list[Line]:
    """One line for each thing that a person would notice; none for a plain rotation."""
    lines: list[Line] = []
    for op in ops:
        match op:
            case Create():
                lines.append({"event": "created", "about": [_id(m.user) for m in op.roster]})
            case Add():
                lines.append({"event": "joined", "about": [_id(op.member.user)]})
            case Remove():
                left = "left" if _is_leave(op.statement) else "removed"
                lines.append({"event": left, "about": [_id(op.user)]})
            case SetRole():
                lines.append({"event": "role", "about": [_id(op.user)]})
            case ChangeState():
                lines.append({"event": "renamed", "title": view.title})
    return [{**line, "by": _id(committer)} for line in lines]


def _is_leave(statement: bytes) -> bool:
    """Whether somebody went by their own word; another's statement removes them."""
    return bool(statement) and parse_statement(statement).kind == LEAVE


def _id(user: bytes) -> str:
    return str(uuid.UUID(bytes=user))
