"""Entering a room by a pinned contact's signed checkpoint (docs/protocol.md §7.4)."""

from dataclasses import dataclass

from crypto_client.commit import Commit, EpochSource
from crypto_client.encoding import SUITE_BYTE, lp, u64
from crypto_client.epoch import RoomView, Trust
from crypto_client.errors import (
    CommitterError,
    ForkError,
    PinMismatchError,
    ReferenceMissingError,
    RosterError,
    SignatureError,
)
from crypto_client.history import HistoryWriter
from crypto_client.identity import DeviceKeys
from crypto_client.primitives import Random, system_random, verify
from crypto_client.receiving import Received, enter_at, read_commit
from crypto_client.roster import Member, Origin, Roster, find_member, parse_origin, roster_hash


@dataclass(frozen=True)
class Invite:
    """A checkpoint: this room, at this commit, with this roster, for this newcomer."""

    room: bytes
    origin: bytes
    epoch: int
    prev_hash: bytes
    roster_hash: bytes
    new_user: bytes
    new_amk_pub: bytes
    adder_user: bytes
    adder_device: bytes
    sig: bytes

    def signed_content(self) -> bytes:
        """Write what the adder signs."""
        return _content(
            self.room,
            self.origin,
            self.epoch,
            self.prev_hash,
            self.roster_hash,
            self.new_user,
            self.new_amk_pub,
        )


def _content(
    room: bytes,
    origin: bytes,
    epoch: int,
    prev_hash: bytes,
    roster: bytes,
    user: bytes,
    amk_pub: bytes,
) -> bytes:
    return lp(SUITE_BYTE, room, origin, u64(epoch), prev_hash, roster, user, amk_pub)


def make_invite(keys: DeviceKeys, view: RoomView, newcomer: Member, prev_hash: bytes) -> Invite:
    """Sign a checkpoint of the commit that added ``newcomer``: ``view`` is the view after it."""
    roster = roster_hash(view.roster)
    user, amk_pub = newcomer.user, newcomer.amk_pub
    content = _content(view.room, view.origin, view.epoch, prev_hash, roster, user, amk_pub)
    return Invite(
        view.room,
        view.origin,
        view.epoch,
        prev_hash,
        roster,
        user,
        amk_pub,
        keys.user,
        keys.device,
        keys.sign("invite", content),
    )


def _check_adder(invite: Invite, roster: Roster, trust: Trust) -> None:
    row = find_member(roster, invite.adder_user)
    pinned = trust.pins.get(invite.adder_user)
    if pinned is None:
        raise PinMismatchError("an invitation by somebody who is no contact")
    if row is None or row.amk_pub != pinned:
        raise RosterError("an invitation by somebody who is not in the roster")
    entry = trust.verified_list_of(row).entry(invite.adder_device)
    if entry is None:
        raise SignatureError("an invitation by an unknown device")
    verify(entry.dsk_pub, "invite", invite.signed_content(), invite.sig)


def _check_newcomer(invite: Invite, roster: Roster, own: tuple[bytes, bytes]) -> Origin:
    origin = parse_origin(invite.origin)
    if origin.room != invite.room or (invite.new_user, invite.new_amk_pub) != own:
        raise ReferenceMissingError("an invitation for another room or account")
    row = find_member(roster, own[0])
    if roster_hash(roster) != invite.roster_hash or row is None:
        raise RosterError("another roster than the invitation's")
    if row.amk_pub != own[1] or row.joined_epoch != invite.epoch:
        raise RosterError("a roster that does not add this account here")
    return origin


def join_by_invite(
    invite: Invite,
    commit: Commit,
    roster: Roster,
    *,
    own: tuple[bytes, bytes],
    trust: Trust,
    source: EpochSource,
    history: HistoryWriter | None = None,
    random: Random = system_random,
) -> Received:
    """Begin a room at the commit that added the own account ``(user, AMK_pub)``.

    Refuses ``reference``, ``roster``, ``pin_mismatch`` (the adder is no pinned contact), ``fork``,
    ``committer`` and ``signature`` as docs/protocol.md §7.4 says.
    """
    origin = _check_newcomer(invite, roster, own)
    _check_adder(invite, roster, trust)
    read = read_commit(commit, invite.room)
    place = (read.core.epoch, read.core.prev_hash, read.core.roster_hash)
    if place != (invite.epoch, invite.prev_hash, invite.roster_hash):
        raise ForkError("another commit than the invitation's")
    if read.clear.kind != origin.kind:
        raise ForkError("a room of another kind than its origin")
    committer = find_member(roster, read.core.committer_user)
    if committer is None:
        raise CommitterError("a committer who is not in the roster")
    for row in roster:
        trust.verified_list_of(row)
    return enter_at(read, origin, roster, trust, source, history, random)
