"""Receiving a commit in the fixed order of docs/protocol.md §7.3."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from crypto_client.commit import (
    HISTORY_OFF,
    ClearState,
    Commit,
    Core,
    EpochSource,
    confirm_tag,
    open_title,
    parse_core,
    parse_prekeys,
    parse_state,
    title_after,
)
from crypto_client.encoding import HASH_SIZE, SIGNATURE_SIZE
from crypto_client.epoch import RoomView, Trust, remember, senders_of
from crypto_client.errors import (
    AeadError,
    BodyError,
    CommitterError,
    EpochGapError,
    EpochUnusableError,
    ForkError,
    ParseError,
    ReferenceMissingError,
    RosterError,
)
from crypto_client.history import EpochName, HistoryRecord, HistoryWriter, seal_history
from crypto_client.ops import ChangeState, Create, Op, Seen, apply_ops, parse_ops
from crypto_client.primitives import Random, h, same, system_random, verify
from crypto_client.ratchet import EpochState, start_epoch, unusable_epoch
from crypto_client.roster import Origin, Roster, find_member, roster_hash
from crypto_client.rules import Step, check_committer, check_ops, is_stranger


@dataclass(frozen=True)
class Received:
    """What a commit made of the room.

    ``outcome`` is ``ok``, ``pin_mismatch`` or ``epoch_unusable``. ``epoch`` is None when the commit
    was known already, when no source was given, or when the own device is not in the roster.
    ``cuts`` end dropped devices in the closing epoch, ``floors`` say how far others were seen.
    """

    view: RoomView
    epoch: EpochState | None = None
    outcome: str = "ok"
    ignored: bool = False
    strangers: tuple[bytes, ...] = ()
    cuts: Mapping[bytes, int] = field(default_factory=dict)
    floors: Mapping[bytes, int] = field(default_factory=dict)
    history: HistoryRecord | None = None


@dataclass(frozen=True)
class ReadCommit:
    """A commit taken apart, not yet believed."""

    commit: Commit
    core: Core
    ops: tuple[Op, ...]
    clear: ClearState
    sealed: bytes


def read_commit(commit: Commit, room: bytes) -> ReadCommit:
    """Take a commit apart (first half of step 1): ``parse``, ``suite`` or ``reference``."""
    if len(commit.tag) != HASH_SIZE or len(commit.sig) != SIGNATURE_SIZE:
        raise ParseError("a tag or signature of another length")
    core = parse_core(commit.core)
    ops = parse_ops(commit.ops)
    clear, sealed = parse_state(commit.state)
    if commit.prekeys:
        parse_prekeys(commit.prekeys)
    if core.room != room:
        raise ReferenceMissingError("a commit of another room")
    attached = [("ops", commit.ops, core.ops_hash), ("state", commit.state, core.state_hash)]
    if commit.prekeys:
        attached.append(("prekeys", commit.prekeys, core.prekeys_hash))
    if any(h(label, data) != named for label, data, named in attached):
        raise ReferenceMissingError("bytes that the core does not name")
    return ReadCommit(commit, core, ops, clear, sealed)


def _is_known(view: RoomView | None, read: ReadCommit) -> bool:
    expected = 0 if view is None else view.epoch + 1
    if read.core.epoch > expected:
        raise EpochGapError(f"epoch {read.core.epoch} where {expected} comes next")
    if view is not None and read.core.epoch < expected:
        if read.core.epoch not in view.recent and read.core.epoch < min(view.recent):
            return True
        if view.recent.get(read.core.epoch) != read.commit.hash:
            raise ForkError(f"another commit for epoch {read.core.epoch}")
        return True
    return False


def _check_link(view: RoomView | None, read: ReadCommit, room: bytes) -> bytes:
    if view is not None:
        if read.core.prev_hash != view.head:
            raise ForkError("a commit on another head")
        return view.origin
    create = read.ops[0] if read.ops else None
    if not isinstance(create, Create):
        raise RosterError("a room begins with one create")
    if create.origin.room != room:
        raise ReferenceMissingError("an origin of another room")
    if read.core.prev_hash != create.origin.head:
        raise ForkError("a first commit on another origin")
    return create.origin.data


def _judge(view: RoomView | None, read: ReadCommit, trust: Trust) -> tuple[Step, tuple[bytes, ...]]:
    roster = apply_ops(None if view is None else view.roster, read.ops)
    if roster_hash(roster) != read.core.roster_hash:
        raise RosterError("another roster than the operations make")
    rows = () if view is None else view.roster
    before = senders_of(rows, trust)
    after = before if roster == rows else senders_of(roster, trust)
    step = Step(view, read.core, read.ops, read.clear, roster, before, after, trust)
    committer = check_committer(step)
    strangers = check_ops(step)
    verify(committer.dsk_pub, "commit", read.commit.hash, read.commit.sig)
    return step, strangers


def _open(source: EpochSource, read: ReadCommit) -> tuple[bytes, str]:
    secret = source.secret(read.commit)
    if not same(confirm_tag(secret, read.commit.core_hash), read.commit.tag):
        raise EpochUnusableError("a secret that does not make the tag")
    try:
        return secret, open_title(secret, read.core, read.sealed)
    except (AeadError, BodyError):
        raise EpochUnusableError("the sealed state does not open") from None


def receive_commit(
    view: RoomView | None,
    commit: Commit,
    *,
    room: bytes,
    trust: Trust,
    source: EpochSource | None = None,
    history: HistoryWriter | None = None,
    random: Random = system_random,
) -> Received:
    """Check a commit against the own view (None before epoch 0) and open its epoch.

    Without ``source`` the chain is only verified. The order of checks, and so the name of a
    refusal, is that of docs/protocol.md §7.3; nothing changes when one is raised. The caller
    stores the result in one transaction, then forgets the wrap.
    """
    read = read_commit(commit, room)
    if _is_known(view, read) and view is not None:
        return Received(view, ignored=True)
    origin = _check_link(view, read, room)
    step, strangers = _judge(view, read, trust)
    next_view = _advance(step, read, origin, strangers)
    result = Received(next_view, strangers=strangers)
    result = _with_ends(result, step)
    if strangers:
        result = replace(result, outcome="pin_mismatch")
    return _enter(result, step, read, source, history, random)


def _advance(step: Step, read: ReadCommit, origin: bytes, strangers: tuple[bytes, ...]) -> RoomView:
    before = step.view
    title = None if before is None or _changes_state(step) else before.title
    waiting = (*(before.unsettled if before else ()), *strangers)
    return RoomView(
        room=step.core.room,
        origin=origin,
        epoch=step.core.epoch,
        head=read.commit.hash,
        roster=step.roster,
        clear=step.clear,
        title=title,
        recent=remember(before.recent if before else {}, step.core.epoch, read.commit.hash),
        unsettled=tuple(user for user in waiting if find_member(step.roster, user)),
        unkept_from=_unkept_from(step),
        former_title=before.shown_title if before else None,
    )


def _unkept_from(step: Step) -> int | None:
    """The policy only ever falls, so one epoch says it for all."""
    if step.view is not None and step.view.unkept_from is not None:
        return step.view.unkept_from
    return step.core.epoch if step.clear.history_policy == HISTORY_OFF else None


def _changes_state(step: Step) -> bool:
    return any(isinstance(op, ChangeState) for op in step.ops)


def _with_ends(result: Received, step: Step) -> Received:
    seen = {op.device: op.next_n for op in step.ops if isinstance(op, Seen)}
    cuts = {device: n for device, n in seen.items() if device not in step.after}
    floors = {device: n for device, n in seen.items() if device in step.after}
    return replace(result, cuts=cuts, floors=floors)


def _enter(
    result: Received,
    step: Step,
    read: ReadCommit,
    source: EpochSource | None,
    history: HistoryWriter | None,
    random: Random,
) -> Received:
    if source is None or step.after.get(source.device, (None,))[0] != source.user:
        return result
    name = EpochName(step.core.room, step.core.epoch, read.commit.hash)
    try:
        secret, title = _open(source, read)
    except EpochUnusableError:
        closed = unusable_epoch(name.room, name.epoch, name.commit_hash)
        outcome = result.outcome if result.strangers else "epoch_unusable"
        return replace(result, epoch=closed, outcome=outcome)
    senders = {device: (user, entry.dsk_pub) for device, (user, entry) in step.after.items()}
    epoch = start_epoch(name.room, name.epoch, name.commit_hash, secret, senders)
    view = _told(result.view, step, title)
    wanted = history is not None and step.clear.history_policy != HISTORY_OFF
    record = seal_history(history, name, secret, random) if wanted and history else None
    return replace(result, epoch=epoch, view=view, history=record)


def _told(view: RoomView, step: Step, said: str) -> RoomView:
    known = step.view.title if step.view else None
    is_first, changes = step.core.epoch == 0, _changes_state(step)
    title = title_after(known, said, is_first=is_first, changes=changes)
    return replace(view, title=title, title_due=bool(title) and not said)


def enter_at(
    read: ReadCommit,
    origin: Origin,
    roster: Roster,
    trust: Trust,
    source: EpochSource,
    history: HistoryWriter | None,
    random: Random,
) -> Received:
    """Begin at a commit whose roster is known from an invitation; the caller has checked both."""
    after = senders_of(roster, trust)
    step = Step(None, read.core, read.ops, read.clear, roster, {}, after, trust)
    owner, entry = after.get(read.core.committer_device, (None, None))
    if entry is None or owner != read.core.committer_user:
        raise CommitterError("a committer who is not in the roster")
    verify(entry.dsk_pub, "commit", read.commit.hash, read.commit.sig)
    strangers = tuple(row.user for row in roster if is_stranger(trust, row))
    outcome = "pin_mismatch" if strangers else "ok"
    result = Received(_advance(step, read, origin.data, strangers), None, outcome)
    return _enter(replace(result, strangers=strangers), step, read, source, history, random)


def follow_chain(
    view: RoomView | None,
    commits: Iterable[Commit],
    *,
    room: bytes,
    trust: Trust,
    source: EpochSource | None = None,
    history: HistoryWriter | None = None,
) -> list[Received]:
    """Receive commits in order; a newcomer starts with ``view`` None at epoch 0 (§7.4)."""
    results: list[Received] = []
    for commit in commits:
        received = receive_commit(
            view, commit, room=room, trust=trust, source=source, history=history
        )
        results.append(received)
        view = received.view
    return results
