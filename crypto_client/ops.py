"""What a commit changes, and the roster that follows from it (docs/protocol.md §6.3)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from crypto_client.encoding import (
    HASH_SIZE,
    ID_SIZE,
    KEY_SIZE,
    ascending,
    lp,
    lp_fields,
    lp_split,
    u8,
    u32,
    u64,
    uint,
)
from crypto_client.errors import ParseError, RosterError
from crypto_client.roster import (
    MAX_MEMBERS,
    Member,
    Origin,
    Roster,
    encode_roster,
    parse_origin,
    parse_roster,
)

MAX_OPS = 8192
COUNTER_LIMIT = 4096
CREATE, ADD, REMOVE, ROLE, REFRESH, STATE, SEEN = range(1, 8)


@dataclass(frozen=True)
class Create:
    """Epoch 0: where the room comes from and who is in it."""

    origin: Origin
    roster: Roster

    def encode(self) -> bytes:
        """Write the operation."""
        return lp(u8(CREATE), self.origin.data, encode_roster(self.roster))


@dataclass(frozen=True)
class Add:
    """A new account joins."""

    member: Member

    def encode(self) -> bytes:
        """Write the operation."""
        return lp(u8(ADD), self.member.encode())


@dataclass(frozen=True)
class Remove:
    """An account goes; ``statement`` says why when the committer is no admin."""

    user: bytes
    amk_pub: bytes
    joined_epoch: int
    statement: bytes = b""

    def encode(self) -> bytes:
        """Write the operation."""
        return lp(u8(REMOVE), self.user, self.amk_pub, u64(self.joined_epoch), self.statement)


@dataclass(frozen=True)
class SetRole:
    """An account becomes admin or member."""

    user: bytes
    role: int

    def encode(self) -> bytes:
        """Write the operation."""
        return lp(u8(ROLE), self.user, u8(self.role))


@dataclass(frozen=True)
class Refresh:
    """A newer device list of an account."""

    user: bytes
    list_version: int
    list_hash: bytes

    def encode(self) -> bytes:
        """Write the operation."""
        return lp(u8(REFRESH), self.user, u64(self.list_version), self.list_hash)


@dataclass(frozen=True)
class ChangeState:
    """The clear state or the title changes in this commit."""

    def encode(self) -> bytes:
        """Write the operation."""
        return lp(u8(STATE))


@dataclass(frozen=True)
class Seen:
    """How far a device's messages of the closing epoch were seen."""

    device: bytes
    next_n: int

    def encode(self) -> bytes:
        """Write the operation."""
        return lp(u8(SEEN), self.device, u32(self.next_n))


@dataclass(frozen=True)
class UnknownOp:
    """An operation that this version does not know; ``apply_ops`` refuses it."""

    data: bytes

    def encode(self) -> bytes:
        """Write the operation as it was received."""
        return self.data


Op = Create | Add | Remove | SetRole | Refresh | ChangeState | Seen | UnknownOp


def _order(op: Op) -> bytes:
    if isinstance(op, Add):
        return u8(ADD) + op.member.user
    if isinstance(op, Seen):
        return u8(SEEN) + op.device
    if isinstance(op, Remove | SetRole | Refresh):
        return op.encode()[4:5] + op.user
    return lp_split(op.encode())[0]


def encode_ops(ops: Sequence[Op]) -> bytes:
    """Write operations in their one order: ascending by type and subject."""
    return lp(*(op.encode() for op in sorted(ops, key=_order)))


def parse_ops(data: bytes) -> tuple[Op, ...]:
    """Read operations; ``parse`` for another shape or order, unknown types are kept."""
    ops = tuple(_parse_op(op) for op in lp_split(data, MAX_OPS))
    ascending([_order(op) for op in ops])
    return ops


def _parse_op(data: bytes) -> Op:
    kind = lp_split(data)[:1]
    if not kind or len(kind[0]) != 1:
        raise ParseError("an operation without a type")
    match uint(kind[0]):
        case 1:
            _, origin, rows = lp_fields(data, [1, None, None])
            return Create(parse_origin(origin), parse_roster(rows))
        case 2:
            return Add(Member.parse(lp_fields(data, [1, None])[1]))
        case 3:
            _, user, amk_pub, joined, statement = lp_fields(data, [1, ID_SIZE, KEY_SIZE, 8, None])
            return Remove(user, amk_pub, uint(joined), statement)
        case 4:
            _, user, role = lp_fields(data, [1, ID_SIZE, 1])
            return SetRole(user, uint(role))
        case 5:
            _, user, version, list_hash = lp_fields(data, [1, ID_SIZE, 8, HASH_SIZE])
            return Refresh(user, uint(version), list_hash)
        case 6:
            lp_fields(data, [1])
            return ChangeState()
        case 7:
            _, device, next_n = lp_fields(data, [1, ID_SIZE, 4])
            if uint(next_n) > COUNTER_LIMIT:
                raise ParseError("a counter beyond the epoch's limit")
            return Seen(device, uint(next_n))
    return UnknownOp(data)


def apply_ops(previous: Roster | None, ops: Sequence[Op]) -> Roster:
    """Compute the roster that operations make; ``roster`` when they do not fit (protocol.md §6.3).

    ``previous`` is None before epoch 0. Whether the committer may do them is not asked here.
    """
    if previous is None:
        if len(ops) != 1 or not isinstance(ops[0], Create):
            raise RosterError("a room begins with one create")
        return ops[0].roster
    rows = {member.user: member for member in previous}
    touched: set[bytes] = set()
    for op in ops:
        user = _apply_one(rows, op)
        if user in touched:
            raise RosterError("two operations on one account")
        if user is not None:
            touched.add(user)
    if not 1 <= len(rows) <= MAX_MEMBERS:
        raise RosterError("a roster has 1 to 1000 members")
    return tuple(rows[user] for user in sorted(rows))


def _apply_one(rows: dict[bytes, Member], op: Op) -> bytes | None:
    if isinstance(op, ChangeState | Seen):
        return None
    if isinstance(op, Create | UnknownOp):
        raise RosterError("an operation that is unknown here")
    if isinstance(op, Add):
        if op.member.user in rows:
            raise RosterError("an account that is there already")
        rows[op.member.user] = op.member
        return op.member.user
    row = rows.get(op.user)
    if row is None:
        raise RosterError("an operation on an account that is not there")
    if isinstance(op, Remove):
        if (op.amk_pub, op.joined_epoch) != (row.amk_pub, row.joined_epoch):
            raise RosterError("a removal that names another row")
        del rows[op.user]
        return op.user
    changed = _changed_row(row, op)
    if changed == row:
        raise RosterError("an operation that changes nothing")
    rows[op.user] = changed
    return op.user


def _changed_row(row: Member, op: SetRole | Refresh) -> Member:
    if isinstance(op, SetRole):
        return replace(row, role=op.role)
    return replace(row, list_version=op.list_version, list_hash=op.list_hash)
