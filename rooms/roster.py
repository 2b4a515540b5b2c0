"""Who is in a room, as the server reads it: origin, roster, operations (docs/protocol.md 6).

The roster is computed from the operations and never taken from a message.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from accounts.protocol import (
    Malformed,
    ascending,
    digest,
    fixed,
    lp,
    read_lp,
    typed,
    uint,
)
from rooms.outcomes import CommitRefused, demand, demand_suite

KIND_GROUP, KIND_DIRECT = 1, 2
ROLE_MEMBER, ROLE_ADMIN = 1, 2
MAX_MEMBERS = 200  # docs/wire.md, section 5; the protocol itself allows 1000
MAX_OPS = 8192
MAX_COUNTER = 4096


def identity(field: bytes) -> UUID:
    """An id of exactly 16 bytes, else `Malformed`."""
    return UUID(bytes=fixed(field, 16))


@dataclass(frozen=True, slots=True)
class Member:
    """One account's row of a roster."""

    user: UUID
    amk_pub: bytes
    role: int
    list_version: int
    list_hash: bytes
    joined_epoch: int

    def encode(self) -> bytes:
        """The row's bytes, of which the roster's hash is made."""
        return lp(
            self.user.bytes,
            self.amk_pub,
            bytes([self.role]),
            self.list_version.to_bytes(8, "big"),
            self.list_hash,
            self.joined_epoch.to_bytes(8, "big"),
        )


Roster = dict[UUID, Member]


def parse_member(data: bytes) -> Member:
    """Read a roster's row; another shape or role is `Malformed`."""
    user, amk_pub, role, version, list_hash, joined = read_lp(data, 6)
    if uint(role, 1) not in (ROLE_MEMBER, ROLE_ADMIN):
        raise Malformed("unknown role")
    return Member(
        identity(user),
        fixed(amk_pub, 32),
        role[0],
        uint(version, 8),
        fixed(list_hash, 32),
        uint(joined, 8),
    )


def parse_roster(data: bytes) -> Roster:
    """Read a roster, ascending by user and not empty; else `Malformed`."""
    members = [parse_member(row) for row in read_lp(data)]
    ascending([member.user.bytes for member in members])
    if not members:
        raise Malformed("a roster without members")
    return {member.user: member for member in members}


def roster_hash(roster: Roster) -> bytes:
    """H("roster", …) of the rows ascending by user."""
    return digest("roster", lp(*(roster[user].encode() for user in sorted(roster))))


def has_admin(members: Iterable[Member]) -> bool:
    """Whether somebody in there is an admin."""
    return any(member.role == ROLE_ADMIN for member in members)


@dataclass(frozen=True, slots=True)
class Origin:
    """How a room began: a group's genesis, or the two accounts of a direct room."""

    data: bytes
    kind: int
    accounts: tuple[tuple[UUID, bytes], ...]
    creator_device: UUID | None

    @property
    def room_id(self) -> UUID:
        """The room's id, which follows from its origin."""
        return UUID(bytes=digest("room-id", self.data)[:16])

    @property
    def head(self) -> bytes:
        """What the commit of epoch 0 names as its predecessor."""
        return digest("origin", self.data)


def parse_origin(data: bytes) -> Origin:
    """Read a genesis or direct object; another shape is `Malformed`, another suite ``suite``."""
    fields = read_lp(data)
    demand_suite(fields)
    if fields[0] == b"direct":
        pairs = [read_lp(pair, 2) for pair in typed(data, "direct", 4)]
        accounts = tuple((identity(user), fixed(amk_pub, 32)) for user, amk_pub in pairs)
        ascending([user.bytes for user, _ in accounts])
        return Origin(data, KIND_DIRECT, accounts, None)
    kind, user, amk_pub, device, nonce = typed(data, "genesis", 7)
    if uint(kind, 1) != KIND_GROUP:
        raise Malformed("a genesis of another kind")
    fixed(nonce, 32)
    creator = (identity(user), fixed(amk_pub, 32))
    return Origin(data, KIND_GROUP, (creator,), identity(device))


@dataclass(frozen=True, slots=True)
class Create:
    origin: Origin
    roster: Roster


@dataclass(frozen=True, slots=True)
class Add:
    member: Member

    @property
    def user(self) -> UUID:
        return self.member.user


@dataclass(frozen=True, slots=True)
class Remove:
    user: UUID
    amk_pub: bytes
    joined_epoch: int
    statement: bytes


@dataclass(frozen=True, slots=True)
class SetRole:
    user: UUID
    role: int


@dataclass(frozen=True, slots=True)
class Refresh:
    user: UUID
    list_version: int
    list_hash: bytes


@dataclass(frozen=True, slots=True)
class ChangeState:
    pass


@dataclass(frozen=True, slots=True)
class Seen:
    device: UUID
    next_n: int


@dataclass(frozen=True, slots=True)
class Unknown:
    pass


Op = Create | Add | Remove | SetRole | Refresh | ChangeState | Seen | Unknown


def parse_ops(data: bytes) -> tuple[Op, ...]:
    """Read operations, strictly ascending by (type, subject); else `Malformed`."""
    parts = [read_lp(part) for part in read_lp(data)]
    if len(parts) > MAX_OPS:
        raise Malformed("too many operations")
    ops = [_parse_op(fields) for fields in parts]
    ascending([fields[0] + _subject(op) for fields, op in zip(parts, ops, strict=True)])
    return tuple(ops)


def _parse_op(fields: list[bytes]) -> Op:
    match fields:
        case [b"\x01", origin, rows]:
            return Create(parse_origin(origin), parse_roster(rows))
        case [b"\x02", member]:
            return Add(parse_member(member))
        case [b"\x03", user, amk_pub, joined, statement]:
            return Remove(identity(user), fixed(amk_pub, 32), uint(joined, 8), statement)
        case [b"\x04", user, role]:
            return SetRole(identity(user), uint(role, 1))
        case [b"\x05", user, version, list_hash]:
            return Refresh(identity(user), uint(version, 8), fixed(list_hash, 32))
        case [b"\x06"]:
            return ChangeState()
        case [b"\x07", device, next_n] if uint(next_n, 4) <= MAX_COUNTER:
            return Seen(identity(device), uint(next_n, 4))
        case [kind, *_] if len(kind) == 1 and not 1 <= kind[0] <= 7:
            return Unknown()
    raise Malformed("not an operation")


def _subject(op: Op) -> bytes:
    match op:
        case Add() | Remove() | SetRole() | Refresh():
            return op.user.bytes
        case Seen():
            return op.device.bytes
    return b""


def apply(previous: Roster | None, ops: Sequence[Op]) -> Roster:
    """Compute the roster that operations make; what does not fit is ``roster``.

    ``previous`` is None before epoch 0. Whether the committer may do it is not asked here.
    """
    if previous is None:
        if len(ops) == 1 and isinstance(ops[0], Create):
            return dict(ops[0].roster)
        raise CommitRefused("roster")
    rows = dict(previous)
    touched = [user for op in ops if (user := _apply_one(rows, op)) is not None]
    demand(len(touched) == len(set(touched)) and bool(rows), "roster")
    return rows


def _apply_one(rows: Roster, op: Op) -> UUID | None:
    match op:
        case ChangeState() | Seen():
            return None
        case Create() | Unknown():
            raise CommitRefused("roster")
        case Add():
            demand(op.user not in rows, "roster")
            rows[op.user] = op.member
            return op.user
    demand(op.user in rows, "roster")
    row = rows[op.user]
    if isinstance(op, Remove):
        demand((op.amk_pub, op.joined_epoch) == (row.amk_pub, row.joined_epoch), "roster")
        del rows[op.user]
        return op.user
    changed = _changed(row, op)
    demand(changed != row, "roster")
    rows[op.user] = changed
    return op.user


def _changed(row: Member, op: SetRole | Refresh) -> Member:
    if isinstance(op, SetRole):
        return replace(row, role=op.role)
    return replace(row, list_version=op.list_version, list_hash=op.list_hash)
