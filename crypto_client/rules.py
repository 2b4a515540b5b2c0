"""Who may commit what: steps 3 and 4 of receiving a commit (docs/protocol.md §7.3)."""

from collections.abc import Sequence
from dataclasses import dataclass

from crypto_client.commit import ADD_BY_MEMBERS, ClearState, Core
from crypto_client.device_list import parse_device_list, verify_device_list
from crypto_client.epoch import RoomView, Senders, Trust
from crypto_client.errors import (
    CommitterError,
    ListForkError,
    ListRollbackError,
    OpForbiddenError,
    ParseError,
    SignatureError,
)
from crypto_client.identity import DeviceEntry
from crypto_client.ops import Add, ChangeState, Create, Op, Refresh, Remove, Seen, SetRole
from crypto_client.roster import (
    KIND_DIRECT,
    KIND_GROUP,
    ROLE_ADMIN,
    ROLE_MEMBER,
    Member,
    Roster,
    find_member,
)
from crypto_client.statements import (
    LEAVE,
    REMOVE_INTENT,
    SERVER_REMOVE,
    Statement,
    Subject,
    parse_statement,
)


@dataclass(frozen=True)
class Step:
    """One commit under judgement: what was before, what it says, and what follows."""

    view: RoomView | None
    core: Core
    ops: Sequence[Op]
    clear: ClearState
    roster: Roster
    before: Senders
    after: Senders
    trust: Trust


def _forbid(unless: object, why: str) -> None:
    if not unless:
        raise OpForbiddenError(why)


def check_committer(step: Step) -> DeviceEntry:
    """Check that committer and device may commit here, else ``committer``; gives the device."""
    row = find_member(step.roster, step.core.committer_user)
    if row is None:
        raise CommitterError("a committer who is not in the new roster")
    if step.view is None:
        _check_creator(step, row)
    else:
        before = find_member(step.view.roster, row.user)
        if before is None or before.amk_pub != row.amk_pub:
            raise CommitterError("a committer who was not in the previous roster")
    owner, entry = step.after.get(step.core.committer_device, (None, None))
    if entry is None or owner != row.user:
        raise CommitterError("a device that the new roster's list does not name")
    return entry


def _check_creator(step: Step, row: Member) -> None:
    create = step.ops[0]
    if not isinstance(create, Create):
        raise CommitterError("a room begins with one create")
    origin = create.origin
    named = (row.user, row.amk_pub) in origin.accounts
    right_device = origin.creator_device in (None, step.core.committer_device)
    if not named or not right_device:
        raise CommitterError("a creator whom the origin does not name")


def check_ops(step: Step) -> tuple[bytes, ...]:
    """Check that each operation is allowed; gives the users whose account key is not the pin."""
    strangers: list[bytes] = []
    for op in step.ops:
        if isinstance(op, Create):
            _check_create(step, op)
            strangers += [row.user for row in op.roster if is_stranger(step.trust, row)]
        elif isinstance(op, Add):
            _check_add(step, _view(step), op.member)
            strangers += [op.member.user] if is_stranger(step.trust, op.member) else []
        elif isinstance(op, Remove):
            _check_remove(step, _view(step), op)
        elif isinstance(op, SetRole):
            _check_role(step, _view(step), op)
        elif isinstance(op, Refresh):
            _check_refresh(step, _view(step), op)
        elif isinstance(op, Seen):
            _forbid(op.device in step.before, "seen of a device that was not there")
    _check_admin_left(step)
    _check_state(step)
    seen = {op.device for op in step.ops if isinstance(op, Seen)}
    _forbid(step.before.keys() - step.after.keys() <= seen, "a dropped device without seen")
    return tuple(strangers)


def _view(step: Step) -> RoomView:
    if step.view is None:
        raise OpForbiddenError("an operation before the room exists")
    return step.view


def is_stranger(trust: Trust, row: Member) -> bool:
    """Say whether a row has another account key than the one pinned for this user."""
    return trust.pins.get(row.user, row.amk_pub) != row.amk_pub


def _is_admin(roster: Roster, user: bytes) -> bool:
    row = find_member(roster, user)
    return row is not None and row.role == ROLE_ADMIN


def _check_create(step: Step, create: Create) -> None:
    origin = create.origin
    _forbid(step.clear.kind == origin.kind, "a state of another kind than the origin")
    _forbid(all(row.joined_epoch == 0 for row in create.roster), "joined before the room")
    accounts = tuple((row.user, row.amk_pub) for row in create.roster)
    admins = tuple((row.user, row.amk_pub) for row in create.roster if row.role == ROLE_ADMIN)
    if origin.kind == KIND_DIRECT:
        _forbid(accounts == origin.accounts and not admins, "a direct room has its two accounts")
    else:
        _forbid(admins == origin.accounts, "a group begins with its creator as only admin")
    for row in create.roster:
        step.trust.verified_list_of(row)


def _check_add(step: Step, view: RoomView, row: Member) -> None:
    _forbid(view.clear.kind == KIND_GROUP, "nobody is added to a direct room")
    open_to_members = view.clear.add_policy == ADD_BY_MEMBERS
    allowed = open_to_members or _is_admin(view.roster, step.core.committer_user)
    _forbid(allowed, "only an admin adds here")
    _forbid(any(other.role == ROLE_ADMIN for other in view.roster), "a room without an admin")
    as_new = row.role == ROLE_MEMBER and row.joined_epoch == step.core.epoch
    _forbid(as_new, "a new member has role 1 and joins now")
    step.trust.verified_list_of(row)


def _check_remove(step: Step, view: RoomView, op: Remove) -> None:
    _forbid(view.clear.kind == KIND_GROUP, "nobody is removed from a direct room")
    if not op.statement:
        _forbid(_is_admin(view.roster, step.core.committer_user), "only an admin removes")
        return
    try:
        statement = parse_statement(op.statement)
        subject = Subject(view.room, op.user, op.amk_pub, op.joined_epoch)
        if statement.kind == SERVER_REMOVE:
            _forbid(statement.is_by_one_of(step.trust.server_keys, subject), "not the server's")
        else:
            statement.verify(subject, _signer_key(step, view, op, statement))
    except (ParseError, SignatureError):
        raise OpForbiddenError("a removal without a valid statement") from None


def _signer_key(step: Step, view: RoomView, op: Remove, statement: Statement) -> bytes:
    if statement.kind == LEAVE:
        _forbid(statement.signer_user == op.user, "everybody leaves for himself")
    if statement.kind == REMOVE_INTENT:
        _forbid(_is_admin(view.roster, statement.signer_user), "only an admin wants removals")
    owner, entry = step.before.get(statement.signer_device, (None, None))
    if entry is None or owner != statement.signer_user:
        raise OpForbiddenError("a statement by a device that is not there")
    return entry.dsk_pub


def _check_role(step: Step, view: RoomView, op: SetRole) -> None:
    _forbid(view.clear.kind == KIND_GROUP, "a direct room has no roles")
    _forbid(_is_admin(view.roster, step.core.committer_user), "only an admin gives roles")
    _forbid(op.role in (ROLE_MEMBER, ROLE_ADMIN), "an unknown role")


def _check_refresh(step: Step, view: RoomView, op: Refresh) -> None:
    row = find_member(view.roster, op.user)
    new_row = find_member(step.roster, op.user)
    if row is None or new_row is None:
        raise OpForbiddenError("a refresh of nobody")
    if op.list_version <= row.list_version:
        raise ListRollbackError("a refresh to a list that is not newer")
    devices = step.trust.verified_list_of(new_row)
    while devices.version > row.list_version + 1:
        signed = step.trust.find(devices.prev_list_hash)
        before = parse_device_list(signed.data)
        if before.version != devices.version - 1:
            raise ListForkError("device lists that do not follow each other")
        devices = verify_device_list(signed, row.user, row.amk_pub)
    if devices.prev_list_hash != row.list_hash:
        raise ListForkError("a device list that does not follow the roster's")


def _check_admin_left(step: Step) -> None:
    if step.view is None or step.view.clear.kind == KIND_DIRECT:
        return
    admins = {row.user for row in step.view.roster if row.role == ROLE_ADMIN}
    if not admins or any(row.role == ROLE_ADMIN for row in step.roster):
        return
    gone = {op.user for op in step.ops if isinstance(op, Remove) and _by_server(op)}
    _forbid(admins <= gone, "a group needs an admin")


def _by_server(op: Remove) -> bool:
    return bool(op.statement) and parse_statement(op.statement).kind == SERVER_REMOVE


def _check_state(step: Step) -> None:
    if step.view is None:
        return
    before = step.view.clear
    if not any(isinstance(op, ChangeState) for op in step.ops):
        _forbid(step.clear == before, "the clear state changes without an operation")
        return
    may_change = before.kind == KIND_DIRECT or _is_admin(step.view.roster, step.core.committer_user)
    _forbid(may_change, "only an admin changes the state")
    _forbid(step.clear.kind == before.kind, "a room keeps its kind")
    _forbid(step.clear.history_policy <= before.history_policy, "history only becomes stricter")
