"""The own room: what an account keeps for all of its devices (docs/protocol.md §8.9)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from crypto_client.body import Body, bytes_member
from crypto_client.encoding import ID_SIZE, KEY_SIZE, SUITE_BYTE, encode_base64url, lp, lp_split
from crypto_client.epoch import RoomView
from crypto_client.errors import BodyError, ReferenceMissingError
from crypto_client.primitives import Random, h, system_random
from crypto_client.roster import KIND_GROUP, Origin, group_origin, parse_origin

NOTE_TYPE = "own"
MAX_NAME = 128
_SALT = 16


def _mark(user: bytes, amk_pub: bytes, salt: bytes) -> bytes:
    return h("own-room", lp(SUITE_BYTE, user, amk_pub, salt))[:_SALT]


def own_origin(
    user: bytes, amk_pub: bytes, device: bytes, random: Random = system_random
) -> Origin:
    """Make the genesis of an own room: a group's, whose nonce names it as one."""
    salt = random(_SALT)
    return group_origin(user, amk_pub, device, lambda _: salt + _mark(user, amk_pub, salt))


def is_own_origin(data: bytes, user: bytes, amk_pub: bytes) -> bool:
    """Say whether an origin is an own room's of this account; ``parse``, ``suite`` if it is none.

    Who may begin it is for the chain to say: its first commit is by the device it names (§7.3).
    """
    origin = parse_origin(data)
    if origin.kind != KIND_GROUP or origin.accounts != ((user, amk_pub),):
        return False
    nonce = lp_split(data)[-1]
    return nonce[_SALT:] == _mark(user, amk_pub, nonce[:_SALT])


def is_own_room(view: RoomView, user: bytes, amk_pub: bytes) -> bool:
    """Say whether a verified room is an own room of this account, with nobody else in it."""
    alone = [(row.user, row.amk_pub) for row in view.roster] == [(user, amk_pub)]
    return alone and is_own_origin(view.origin, user, amk_pub)


@dataclass(frozen=True)
class VerifiedMark:
    """Whether the account key of somebody was compared and found the same."""

    user: bytes
    account: bytes
    is_set: bool

    @property
    def slot(self) -> tuple[str, bytes]:
        """What a later note of this kind takes the place of."""
        return "verified", self.user

    def members(self) -> dict[str, object]:
        """Write the note as a body carries it."""
        named = {"user": encode_base64url(self.user), "account": encode_base64url(self.account)}
        return {"type": NOTE_TYPE, "about": "verified", **named, "set": self.is_set}


@dataclass(frozen=True)
class DeviceName:
    """What the owner calls a device; an empty string takes the name away."""

    device: bytes
    name: str

    @property
    def slot(self) -> tuple[str, bytes]:
        """What a later note of this kind takes the place of."""
        return "device", self.device

    def members(self) -> dict[str, object]:
        """Write the note as a body carries it."""
        named = {"device": encode_base64url(self.device), "name": self.name}
        return {"type": NOTE_TYPE, "about": "device", **named}


Note: TypeAlias = VerifiedMark | DeviceName
Slot: TypeAlias = tuple[str, bytes]


def read_note(body: Body, *, author: bytes, own: bytes) -> Note | None:
    """Read what a body of the own room notes; None for another type, or about something newer.

    ``author`` and ``own`` are accounts. Refuses ``reference`` for a note by another account and
    ``body`` for a malformed one: both are ignored and counted, never an error of the message.
    """
    if body.type != NOTE_TYPE:
        return None
    if author != own:
        raise ReferenceMissingError("everybody notes in their own room")
    about = body.members.get("about")
    if about == "verified":
        return _verified(body.members)
    if about == "device":
        return _device_name(body.members)
    if not isinstance(about, str):
        raise BodyError("a note says what it is about")
    return None


def _verified(members: Mapping[str, object]) -> VerifiedMark:
    user = bytes_member(members.get("user"), ID_SIZE)
    account = bytes_member(members.get("account"), KEY_SIZE)
    is_set = members.get("set")
    if not isinstance(is_set, bool):
        raise BodyError("a mark is set or cleared")
    return VerifiedMark(user, account, is_set)


def _device_name(members: Mapping[str, object]) -> DeviceName:
    device, name = bytes_member(members.get("device"), ID_SIZE), members.get("name")
    if not isinstance(name, str) or not is_device_name(name):
        raise BodyError("a device's name is one short line")
    return DeviceName(device, name)


def is_device_name(name: str) -> bool:
    """Say whether a device may be called this: one line of at most 128 bytes."""
    if any(c < " " or "\x7f" <= c < "\xa0" or "\ud800" <= c <= "\udfff" for c in name):
        return False
    return len(name.encode("utf-8")) <= MAX_NAME


@dataclass(frozen=True)
class Place:
    """Where a note stands: an own room and its number in that room's log."""

    room: bytes
    seq: int

    def outranks(self, other: "Place") -> bool:
        """Say whether what stands here counts before what stands there.

        The room with the lowest id counts before all others, whenever they were written in.
        """
        if self.room == other.room:
            return self.seq > other.seq
        return self.room < other.room


@dataclass(frozen=True)
class KeptNote:
    """A note with its place."""

    note: Note
    place: Place


def keep_note(
    kept: Mapping[Slot, KeptNote], new: KeptNote, rooms: Collection[bytes]
) -> Mapping[Slot, KeptNote]:
    """Give what is kept after a note; the order in which notes arrive makes no difference.

    ``rooms`` are the own rooms there are. A note of one that is gone counts after all others.
    """
    known = kept.get(new.note.slot)
    is_held = known is not None and known.place.room in rooms
    if known is not None and is_held and not new.place.outranks(known.place):
        return kept
    return {**kept, new.note.slot: new}
