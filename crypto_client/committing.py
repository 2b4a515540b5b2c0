"""Making commits (docs/protocol.md §7.2): a fresh secret, one wrap for each device."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from crypto_client.commit import (
    HISTORY_OFF,
    NO_PREKEY,
    ClearState,
    Commit,
    Core,
    PrekeyRow,
    confirm_tag,
    encode_prekeys,
    seal_title,
    seal_wrap,
)
from crypto_client.device_list import SignedDeviceList, parse_device_list
from crypto_client.encoding import KEY_SIZE
from crypto_client.epoch import ReadLists, RoomView, Senders, Trust, senders_of
from crypto_client.errors import CommitterError, ProtocolError
from crypto_client.identity import DeviceEntry, DeviceKeys
from crypto_client.ops import (
    Add,
    ChangeState,
    Create,
    Op,
    Refresh,
    Remove,
    Seen,
    SetRole,
    apply_ops,
    encode_ops,
)
from crypto_client.own_room import own_origin
from crypto_client.prekeys import SignedPrekey, try_prekey, verify_prekey
from crypto_client.primitives import Random, h, system_random
from crypto_client.ratchet import EpochState, seen_ops
from crypto_client.roster import (
    KIND_DIRECT,
    KIND_GROUP,
    ROLE_ADMIN,
    ROLE_MEMBER,
    Member,
    Origin,
    Roster,
    direct_origin,
    find_member,
    group_origin,
    roster_hash,
)
from crypto_client.statements import Statement


@dataclass(frozen=True)
class Committer:
    """A device about to commit, with what it fetched: lists by hash and prekeys by device.

    ``now`` is in ms; ``seq_floor`` is ``prekey_floors`` of the last commit, and own memory.
    ``closing`` is the own state of the head epoch, None when there is none. ``read`` is what was
    read of lists before.
    """

    keys: DeviceKeys
    lists: Mapping[bytes, SignedDeviceList]
    prekeys: Mapping[bytes, SignedPrekey]
    now: int
    seq_floor: Mapping[bytes, int] = field(default_factory=dict)
    closing: EpochState | None = None
    random: Random = system_random
    read: ReadLists = field(default_factory=ReadLists, repr=False, compare=False)


@dataclass(frozen=True)
class _Recipient:
    user: bytes
    row: PrekeyRow
    encapsulated: tuple[bytes, bytes] | None


def _recipient(by: Committer, user: bytes, entry: DeviceEntry) -> _Recipient:
    signed = by.prekeys.get(entry.device)
    try:
        if signed is None:
            return _Recipient(user, PrekeyRow(entry.device, 0, NO_PREKEY), None)
        floor = by.seq_floor.get(entry.device, 0)
        prekey = verify_prekey(
            signed, user=user, entry=entry, now=by.now, seq_floor=floor, trial=False
        )
        row = PrekeyRow(entry.device, prekey.seq, signed.prekey_hash)
        return _Recipient(user, row, try_prekey(prekey, by.random))
    except ProtocolError:
        return _Recipient(user, PrekeyRow(entry.device, 0, NO_PREKEY), None)


def _with_seen(view: RoomView | None, ops: Sequence[Op], by: Committer, after: Senders) -> list[Op]:
    if view is None:
        return list(ops)
    before = senders_of(view.roster, Trust(by.lists, {}, read=by.read))
    given = {op.device for op in ops if isinstance(op, Seen)}
    dropped = frozenset(before.keys() - after.keys())
    added = [op for op in seen_ops(by.closing, dropped) if op.device not in given]
    return [*ops, *added]


def make_commit(
    view: RoomView | None,
    ops: Sequence[Op],
    by: Committer,
    *,
    clear: ClearState | None = None,
    title: str | None = None,
) -> Commit:
    """Make a commit with these operations on the own head; ``view`` is None for a new room.

    ``seen`` operations are added, a device without a usable prekey gets no wrap. Everything is
    fresh at each call, the secret included: after a lost race call it again on the new head.
    Refuses ``roster`` for operations that do not fit and ``committer`` when the own account is
    not in the result.
    """
    roster = _roster_that_keeps_the_committer(view, ops, by.keys.user)
    senders = senders_of(roster, Trust(by.lists, {}, read=by.read))
    all_ops = _with_seen(view, ops, by, senders)
    recipients = {device: _recipient(by, *sender) for device, sender in senders.items()}
    prekeys = encode_prekeys([recipient.row for recipient in recipients.values()])
    place = _place(view, ops)
    secret = by.random(KEY_SIZE)
    clear = _clear_of(view, ops) if clear is None else clear
    title = _title_of(view) if title is None else title
    state = clear.encode(seal_title(secret, *place, title))
    encoded_ops = encode_ops(all_ops)
    core = Core(
        *place,
        roster_hash(roster),
        h("ops", encoded_ops),
        h("state", state),
        h("prekeys", prekeys),
        by.keys.user,
        by.keys.device,
        by.now,
    ).encode()
    tag = confirm_tag(secret, h("core", core))
    unsigned = Commit(core, tag, b"", encoded_ops, state, prekeys)
    return _sign_and_wrap_for_each(recipients, unsigned, secret, by.keys)


def _roster_that_keeps_the_committer(
    view: RoomView | None, ops: Sequence[Op], committer: bytes
) -> Roster:
    roster = apply_ops(None if view is None else view.roster, ops)
    if find_member(roster, committer) is None:
        raise CommitterError("who leaves does not commit it")
    return roster


def _place(view: RoomView | None, ops: Sequence[Op]) -> tuple[bytes, int, bytes]:
    if view is not None:
        return view.room, view.epoch + 1, view.head
    origin = _origin_of(ops)
    return origin.room, 0, origin.head


def _origin_of(ops: Sequence[Op]) -> Origin:
    if not ops or not isinstance(ops[0], Create):
        raise CommitterError("a room begins with one create")
    return ops[0].origin


def _clear_of(view: RoomView | None, ops: Sequence[Op]) -> ClearState:
    return view.clear if view is not None else ClearState(_origin_of(ops).kind)


def _title_of(view: RoomView | None) -> str:
    return view.title if view and view.title else ""


def _sign_and_wrap_for_each(
    recipients: Mapping[bytes, _Recipient], unsigned: Commit, secret: bytes, keys: DeviceKeys
) -> Commit:
    wraps = _wraps(secret, unsigned.core_hash, recipients)
    return replace(unsigned, sig=keys.sign("commit", unsigned.hash), wraps=wraps)


def _wraps(
    secret: bytes, core_hash: bytes, recipients: Mapping[bytes, _Recipient]
) -> dict[bytes, bytes]:
    return {
        device: seal_wrap(
            secret,
            recipient.encapsulated,
            core_hash=core_hash,
            user=recipient.user,
            device=device,
            prekey_hash=recipient.row.prekey_hash,
        )
        for device, recipient in recipients.items()
        if recipient.encapsulated is not None
    }


def member_row(signed: SignedDeviceList, *, role: int = ROLE_MEMBER, joined_epoch: int) -> Member:
    """Make the roster row of the account that a verified device list belongs to."""
    devices = parse_device_list(signed.data)
    return Member(
        devices.user, devices.amk_pub, role, devices.version, signed.list_hash, joined_epoch
    )


def _rows(lists: Sequence[SignedDeviceList], admin: bytes | None) -> Roster:
    rows = []
    for signed in lists:
        row = member_row(signed, joined_epoch=0)
        rows.append(replace(row, role=ROLE_ADMIN) if row.user == admin else row)
    return tuple(sorted(rows, key=lambda row: row.user))


def create_group(
    by: Committer,
    members: Sequence[SignedDeviceList],
    *,
    title: str,
    clear: ClearState | None = None,
) -> Commit:
    """Begin a group with these accounts' lists (the own one among them) and a title."""
    keys = by.keys
    origin = group_origin(keys.user, keys.amk_pub, keys.device, by.random)
    create = Create(origin, _rows(members, keys.user))
    return make_commit(None, [create], by, clear=clear or ClearState(KIND_GROUP), title=title)


def create_own_room(by: Committer, own: SignedDeviceList) -> Commit:
    """Begin an own room (§8.9): its creator alone is in it, and it has no title."""
    keys = by.keys
    origin = own_origin(keys.user, keys.amk_pub, keys.device, by.random)
    create = Create(origin, _rows([own], keys.user))
    return make_commit(None, [create], by, clear=ClearState(KIND_GROUP), title="")


def create_direct(
    by: Committer,
    one: SignedDeviceList,
    other: SignedDeviceList,
    *,
    clear: ClearState | None = None,
) -> Commit:
    """Begin the direct room of two accounts; its id follows from their keys."""
    rows = _rows([one, other], None)
    origin = direct_origin(*((row.user, row.amk_pub) for row in rows))
    clear = clear or ClearState(KIND_DIRECT)
    return make_commit(None, [Create(origin, rows)], by, clear=clear, title="")


def commit_add(view: RoomView, members: Sequence[SignedDeviceList], by: Committer) -> Commit:
    """Add accounts: a person's act, never an automatic one."""
    epoch = view.epoch + 1
    return make_commit(view, [Add(member_row(row, joined_epoch=epoch)) for row in members], by)


def commit_remove(
    view: RoomView, user: bytes, by: Committer, statement: Statement | None = None
) -> Commit:
    """Remove an account, as an admin or with a statement; ``roster`` when it is not there."""
    row = find_member(view.roster, user)
    amk_pub, joined = (row.amk_pub, row.joined_epoch) if row else (bytes(KEY_SIZE), 0)
    reason = statement.encode() if statement else b""
    return make_commit(view, [Remove(user, amk_pub, joined, reason)], by)


def commit_role(view: RoomView, user: bytes, role: int, by: Committer) -> Commit:
    """Make an account admin (2) or member (1)."""
    return make_commit(view, [SetRole(user, role)], by)


def commit_title(view: RoomView, title: str, by: Committer) -> Commit:
    """Rename a room."""
    return make_commit(view, [ChangeState()], by, title=title)


def commit_history_off(view: RoomView, by: Committer) -> Commit:
    """Keep no history from here on; there is no way back (§6.4)."""
    clear = replace(view.clear, history_policy=HISTORY_OFF)
    return make_commit(view, [ChangeState()], by, clear=clear)


def commit_refresh(view: RoomView, lists: Sequence[SignedDeviceList], by: Committer) -> Commit:
    """Bring newer device lists of members into the roster."""
    rows = [member_row(signed, joined_epoch=0) for signed in lists]
    return make_commit(view, [Refresh(r.user, r.list_version, r.list_hash) for r in rows], by)


def commit_rotation(view: RoomView, by: Committer) -> Commit:
    """Begin a new epoch without a change."""
    return make_commit(view, [], by)
