"""A device's view of a room: head, roster, policies (docs/protocol.md §6, §7)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from crypto_client.commit import HISTORY_OFF, ClearState
from crypto_client.device_list import (
    DeviceList,
    KnownList,
    SignedDeviceList,
    parse_device_list,
    verify_device_list,
)
from crypto_client.encoding import decode_base64url, encode_base64url
from crypto_client.errors import OpForbiddenError, ReferenceMissingError, RosterError
from crypto_client.identity import DeviceEntry
from crypto_client.roster import Member, Roster, encode_roster, parse_roster

KEPT_COMMITS = 64
MOST_READ = 4096


class ReadLists:
    """Device lists that were read, by hash: what was read under a hash stays true.

    A client keeps one for all its rooms, so that a commit costs the reading of what it changes.
    It says nothing about signatures: whatever is new to a roster is verified as it was served.
    Beyond ``limit`` lists the ones that were read first are forgotten, and read again when needed.
    """

    def __init__(self, limit: int = MOST_READ) -> None:
        self.limit = limit
        self._lists: dict[bytes, DeviceList] = {}

    def get(self, list_hash: bytes) -> DeviceList | None:
        """Give the list with this hash, or None when it was not read or is forgotten."""
        return self._lists.get(list_hash)

    def keep(self, list_hash: bytes, devices: DeviceList) -> None:
        """Keep what was read of the list with this hash; the caller has compared the hash."""
        self._lists[list_hash] = devices
        if len(self._lists) > self.limit:
            del self._lists[next(iter(self._lists))]


@dataclass(frozen=True)
class Trust:
    """What a reader judges commits with.

    ``lists`` maps list hashes to device lists (as served: they are verified here), ``pins`` maps
    users to the account key this client knows, ``server_keys`` are those of the pinned key log
    and of the logs before it, ``read`` is what was read of lists before.
    """

    lists: Mapping[bytes, SignedDeviceList]
    pins: Mapping[bytes, bytes]
    server_keys: frozenset[bytes] = frozenset()
    read: ReadLists = field(default_factory=ReadLists, repr=False, compare=False)

    def find(self, list_hash: bytes) -> SignedDeviceList:
        """Give the list with this hash; ``reference`` (with the hash) when it is not at hand."""
        signed = self.lists.get(list_hash)
        if signed is None or signed.list_hash != list_hash:
            raise ReferenceMissingError("a device list is not at hand", list_hash=list_hash)
        return signed

    def list_of(self, member: Member) -> DeviceList:
        """Read the list that a roster row names; ``op_forbidden`` when it is another account's."""
        devices = self.read.get(member.list_hash)
        if devices is None:
            devices = parse_device_list(self.find(member.list_hash).data)
            self.read.keep(member.list_hash, devices)
        row = (member.user, member.amk_pub, member.list_version)
        if (devices.user, devices.amk_pub, devices.version) != row:
            raise OpForbiddenError("a roster row that names another account's list")
        return devices

    def verified_list_of(self, member: Member) -> DeviceList:
        """Read and verify the list of a row that is new to the roster."""
        self.list_of(member)
        return verify_device_list(self.find(member.list_hash), member.user, member.amk_pub)


Senders = dict[bytes, tuple[bytes, DeviceEntry]]


def senders_of(roster: Roster, trust: Trust) -> Senders:
    """Give every device of a roster with its user; ``roster`` when two accounts share a key."""
    senders: Senders = {}
    keys: set[bytes] = set()
    for member in roster:
        for entry in trust.list_of(member).entries:
            if entry.device in senders or entry.dsk_pub in keys:
                raise RosterError("one device key in two accounts")
            senders[entry.device] = (member.user, entry)
            keys.add(entry.dsk_pub)
    return senders


@dataclass(frozen=True)
class RoomView:
    """What a device knows of a room after a commit; ``title`` is None while it is not readable.

    ``recent`` holds the hashes of the last 64 commits by epoch, ``unsettled`` the users whose
    account key differs from the pin until a person has decided. ``title_due``: the head carries no
    title, so whoever writes next and knows it commits first. ``unkept_from`` is the first
    epoch of which no history is kept, None while it is kept of all. ``former_title`` is what it was
    called before an epoch that did not open here, and that may have renamed it.
    """

    room: bytes
    origin: bytes
    epoch: int
    head: bytes
    roster: Roster
    clear: ClearState
    title: str | None
    recent: Mapping[int, bytes]
    unsettled: tuple[bytes, ...] = ()
    title_due: bool = False
    unkept_from: int | None = None
    former_title: str | None = None

    @property
    def shown_title(self) -> str | None:
        """The title, or the last one that this device knew."""
        return self.title if self.title is not None else self.former_title

    @property
    def keeps_history(self) -> bool:
        """Whether what is written now comes back on a further device."""
        return self.clear.history_policy != HISTORY_OFF


def remember(recent: Mapping[int, bytes], epoch: int, commit_hash: bytes) -> dict[int, bytes]:
    """Add a commit to the recent ones and forget all but the last 64."""
    kept = {known: value for known, value in recent.items() if known > epoch - KEPT_COMMITS}
    return {**kept, epoch: commit_hash}


def settle(view: RoomView, user: bytes) -> RoomView:
    """Note that a person has looked at a changed account key."""
    return replace(view, unsettled=tuple(other for other in view.unsettled if other != user))


def users_to_refresh(view: RoomView, known: Mapping[bytes, KnownList]) -> tuple[bytes, ...]:
    """Name the members of whom a newer device list is known than the roster holds."""
    return tuple(
        member.user
        for member in view.roster
        if member.user in known and known[member.user].version > member.list_version
    )


def may_seal(view: RoomView, known: Mapping[bytes, KnownList]) -> bool:
    """Say whether this epoch may be written in: nobody unsettled, no device list outdated."""
    return not view.unsettled and not users_to_refresh(view, known)


def view_to_json(view: RoomView) -> dict[str, object]:
    """Write a view as plain JSON values, bytes as base64url."""
    return {
        "room": encode_base64url(view.room),
        "origin": encode_base64url(view.origin),
        "epoch": view.epoch,
        "head": encode_base64url(view.head),
        "roster": encode_base64url(encode_roster(view.roster)),
        "clear": [
            view.clear.kind,
            view.clear.history_policy,
            view.clear.add_policy,
            view.clear.ttl_seconds,
        ],
        "title": view.title,
        "recent": [[epoch, encode_base64url(value)] for epoch, value in view.recent.items()],
        "unsettled": [encode_base64url(user) for user in view.unsettled],
        "title_due": view.title_due,
        "unkept_from": view.unkept_from,
        "former_title": view.former_title,
    }


def view_from_json(stored: Mapping[str, object]) -> RoomView:
    """Read what ``view_to_json`` wrote."""
    title = stored["title"]
    recent: Iterable[tuple[int, str]] = stored["recent"]  # type: ignore[assignment]
    clear: list[int] = stored["clear"]  # type: ignore[assignment]
    unsettled: list[str] = stored["unsettled"]  # type: ignore[assignment]
    return RoomView(
        decode_base64url(str(stored["room"])),
        decode_base64url(str(stored["origin"])),
        int(str(stored["epoch"])),
        decode_base64url(str(stored["head"])),
        parse_roster(decode_base64url(str(stored["roster"]))),
        ClearState(*clear),
        title if isinstance(title, str) else None,
        {epoch: decode_base64url(value) for epoch, value in recent},
        tuple(decode_base64url(user) for user in unsettled),
        bool(stored.get("title_due", False)),
        unkept if isinstance(unkept := stored.get("unkept_from"), int) else None,
        former if isinstance(former := stored.get("former_title"), str) else None,
    )
