"""Which commit may follow which head: the server's reading of docs/protocol.md 7.3, steps 1 to 5.

A junk filter: clients rely on their own checks alone. But what a correct client would refuse for
its operations or its roster is refused here first, so that no room is brought to a halt by it.
"""

from dataclasses import dataclass
from uuid import UUID

from accounts.protocol import Malformed, verifies
from accounts.refusals import Refused
from rooms.commit import ReadCommit, State
from rooms.lists import Lists, demand_unbroken, devices_of, signing_key
from rooms.outcomes import CommitRefused, demand
from rooms.roster import (
    KIND_DIRECT,
    KIND_GROUP,
    MAX_MEMBERS,
    ROLE_ADMIN,
    ROLE_MEMBER,
    Add,
    ChangeState,
    Create,
    Member,
    Op,
    Refresh,
    Remove,
    Roster,
    Seen,
    SetRole,
    apply,
    has_admin,
    roster_hash,
)
from rooms.statements import LEAVE, SERVER_REMOVE, Statement, Subject, parse_statement, signed_by


@dataclass(frozen=True, slots=True)
class Head:
    """Where a room's chain stands."""

    room_id: UUID
    epoch: int
    hash: bytes
    roster: Roster
    state: State


@dataclass(frozen=True, slots=True)
class Step:
    """A commit beside the head it wants to follow (None: it begins the room).

    ``server_keys``: those by which a statement counts as this server's own word.
    """

    commit: ReadCommit
    head: Head | None
    before: Roster
    after: Roster
    server_keys: frozenset[bytes] = frozenset()

    @property
    def newcomers(self) -> set[UUID]:
        """Who is in the new roster and was not in the old one."""
        return self.after.keys() - self.before.keys()

    @property
    def committer(self) -> UUID:
        """The account that commits."""
        return self.commit.core.committer_user

    @property
    def is_by_admin(self) -> bool:
        """Whether the committer is admin in the previous roster."""
        row = self.before.get(self.committer)
        return row is not None and row.role == ROLE_ADMIN

    @property
    def is_plain_rotation(self) -> bool:
        """Whether the commit only renews the secret."""
        return all(isinstance(op, Seen) for op in self.commit.ops)


def begin(commit: ReadCommit, room_id: UUID) -> Step:
    """Steps 1 and 2 for the commit of epoch 0 of a new room."""
    core = commit.core
    demand(core.room_id == room_id, "reference")
    demand(core.epoch == 0, "epoch_gap")
    origin = commit.origin
    demand(origin.room_id == room_id, "reference")
    demand(core.prev_hash == origin.head, "fork")
    after = apply(None, commit.ops)
    _demand_roster(commit, after)
    return Step(commit, None, {}, after)


def follow(commit: ReadCommit, head: Head) -> Step:
    """Steps 1 and 2 for a commit on a head; ``stale_head`` when it follows another one."""
    core = commit.core
    demand(core.room_id == head.room_id, "reference")
    if (core.epoch, core.prev_hash) != (head.epoch + 1, head.hash):
        raise Refused("stale_head")
    after = apply(head.roster, commit.ops)
    _demand_roster(commit, after)
    return Step(commit, head, head.roster, after)


def _demand_roster(commit: ReadCommit, after: Roster) -> None:
    demand(len(after) <= MAX_MEMBERS, "roster")
    demand(commit.core.roster_hash == roster_hash(after), "roster")


def demand_committer(step: Step, user: UUID, device: UUID) -> None:
    """Step 3, as far as no list is needed: the session's person and device, in both rosters."""
    core = step.commit.core
    demand((core.committer_user, core.committer_device) == (user, device), "committer")
    after = step.after.get(user)
    demand(after is not None, "committer")
    if step.head is None:
        origin = step.commit.origin
        demand((user, after.amk_pub if after else b"") in origin.accounts, "committer")
        demand(origin.creator_device in (None, device), "committer")
        return
    before = step.before.get(user)
    same = before is not None and after is not None and before.amk_pub == after.amk_pub
    demand(same, "committer")


def authorise(step: Step, lists: Lists) -> dict[UUID, UUID]:
    """Steps 3 to 5: may this committer do this? Gives device → user of the new roster.

    ``lists`` holds the lists that the old and the new roster name, and those between them.
    """
    devices = devices_of(step.after, lists)
    core = step.commit.core
    key = signing_key(step.after[step.committer], core.committer_device, lists)
    if key is None:
        raise CommitRefused("committer")
    for op in step.commit.ops:
        demand(_is_allowed(op, step, lists), "op_forbidden")
    _demand_state(step)
    _demand_cuts(step, lists, devices)
    demand(verifies(key, "commit", step.commit.hash, step.commit.sent.sig), "signature")
    return devices


def _is_allowed(op: Op, step: Step, lists: Lists) -> bool:
    if isinstance(op, Create):
        return _may_create(op, step.commit.state)
    if step.head is None:
        return False
    is_group = step.head.state.kind == KIND_GROUP
    match op:
        case Add():
            return is_group and _may_add(op.member, step, step.head)
        case Remove():
            return is_group and _may_remove(op, step, step.head, lists)
        case SetRole():
            known = op.role in (ROLE_MEMBER, ROLE_ADMIN)
            return is_group and step.is_by_admin and known and has_admin(step.after.values())
        case Refresh():
            demand_unbroken(step.before[op.user], step.after[op.user], lists)
            return True
        case ChangeState():
            return step.is_by_admin or not is_group
        case Seen():
            return any(signing_key(row, op.device, lists) for row in step.before.values())
    return False


def _may_create(op: Create, state: State) -> bool:
    origin, roster = op.origin, op.roster
    named = all(
        user in roster and roster[user].amk_pub == amk_pub for user, amk_pub in origin.accounts
    )
    admins = {user for user, row in roster.items() if row.role == ROLE_ADMIN}
    expected = set() if origin.kind == KIND_DIRECT else {origin.accounts[0][0]}
    complete = origin.kind == KIND_GROUP or len(roster) == len(origin.accounts)
    joined = all(row.joined_epoch == 0 for row in roster.values())
    return named and admins == expected and complete and joined and state.kind == origin.kind


def _may_add(member: Member, step: Step, head: Head) -> bool:
    open_to_members = head.state.add_policy == 1
    return (
        (step.is_by_admin or open_to_members)
        and has_admin(step.before.values())
        and member.role == ROLE_MEMBER
        and member.joined_epoch == step.commit.core.epoch
    )


def _may_remove(op: Remove, step: Step, head: Head, lists: Lists) -> bool:
    try:
        statement = parse_statement(op.statement) if op.statement else None
    except Malformed:
        return False
    subject = Subject(head.room_id, op.user, op.amk_pub, op.joined_epoch)
    if statement is not None and statement.kind == SERVER_REMOVE:
        return any(signed_by(statement, subject, key) for key in step.server_keys)
    if has_admin(step.before.values()) and not has_admin(step.after.values()):
        return False
    if statement is None:
        return step.is_by_admin
    return _is_members_word(statement, subject, step, lists)


def _is_members_word(statement: Statement, subject: Subject, step: Step, lists: Lists) -> bool:
    """Whether a member who may say so signed it: the leaver, or an admin."""
    user, device = statement.signer_user, statement.signer_device
    signer = step.before.get(user) if user else None
    if signer is None or device is None:
        return False
    is_leaver = signer.user == subject.user
    entitled = is_leaver if statement.kind == LEAVE else signer.role == ROLE_ADMIN
    key = signing_key(signer, device, lists)
    return entitled and key is not None and signed_by(statement, subject, key)


def _demand_state(step: Step) -> None:
    """Clear fields change only with a state operation, and history only becomes stricter."""
    if step.head is None:
        return
    old, new = step.head.state, step.commit.state
    if not any(isinstance(op, ChangeState) for op in step.commit.ops):
        demand(new == old, "op_forbidden")
    demand(new.kind == old.kind, "op_forbidden")
    demand(new.history_policy <= old.history_policy, "op_forbidden")


def _demand_cuts(step: Step, lists: Lists, after: dict[UUID, UUID]) -> None:
    """Every device that the new roster drops has its end named by a ``seen``."""
    known = {member.list_hash for member in step.before.values()} & lists.keys()
    before = {entry.device for list_hash in known for entry in lists[list_hash].entries}
    cut = {op.device for op in step.commit.ops if isinstance(op, Seen)}
    demand(before - after.keys() <= cut, "op_forbidden")
