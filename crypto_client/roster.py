"""Who is in a room: where it came from and its roster (docs/protocol.md §6.1–6.2)."""

from dataclasses import dataclass
from functools import cached_property

from crypto_client.encoding import (
    HASH_SIZE,
    ID_SIZE,
    KEY_SIZE,
    SUITE_BYTE,
    ascending,
    lp,
    lp_fields,
    lp_split,
    typed_fields,
    u8,
    u64,
    uint,
)
from crypto_client.errors import ParseError
from crypto_client.primitives import Random, h, system_random

KIND_GROUP, KIND_DIRECT = 1, 2
ROLE_MEMBER, ROLE_ADMIN = 1, 2
MAX_MEMBERS = 1000


@dataclass(frozen=True)
class Member:
    """One account's row of a roster."""

    user: bytes
    amk_pub: bytes
    role: int
    list_version: int
    list_hash: bytes
    joined_epoch: int

    def encode(self) -> bytes:
        """Write ``member`` of docs/protocol.md §6.2."""
        return self._encoded

    @cached_property
    def _encoded(self) -> bytes:
        # Every commit hashes a whole roster, of which it changes a row or none.
        return lp(
            self.user,
            self.amk_pub,
            u8(self.role),
            u64(self.list_version),
            self.list_hash,
            u64(self.joined_epoch),
        )

    @staticmethod
    def parse(data: bytes) -> "Member":
        """Read a row; ``parse`` for another shape or role."""
        user, amk_pub, role, version, list_hash, joined = lp_fields(
            data, [ID_SIZE, KEY_SIZE, 1, 8, HASH_SIZE, 8]
        )
        if uint(role) not in (ROLE_MEMBER, ROLE_ADMIN):
            raise ParseError("an unknown role")
        return Member(user, amk_pub, uint(role), uint(version), list_hash, uint(joined))


Roster = tuple[Member, ...]


def encode_roster(roster: Roster) -> bytes:
    """Write a roster; its hash is H("roster", …)."""
    return lp(*(member.encode() for member in roster))


def parse_roster(data: bytes) -> Roster:
    """Read a roster: 1 to 1000 rows, ascending by user; else ``parse``."""
    roster = tuple(Member.parse(row) for row in lp_split(data, MAX_MEMBERS))
    ascending([member.user for member in roster])
    if not roster:
        raise ParseError("a roster without members")
    return roster


def roster_hash(roster: Roster) -> bytes:
    """Hash a roster."""
    return h("roster", encode_roster(roster))


def find_member(roster: Roster, user: bytes) -> Member | None:
    """Give the row of an account, or None."""
    return next((member for member in roster if member.user == user), None)


@dataclass(frozen=True)
class Origin:
    """How a room began: a group's genesis or the two accounts of a direct room."""

    data: bytes
    kind: int
    accounts: tuple[tuple[bytes, bytes], ...]
    creator_device: bytes | None

    @property
    def room(self) -> bytes:
        """The room id, 16 bytes, which follows from the origin."""
        return h("room-id", self.data)[:ID_SIZE]

    @property
    def head(self) -> bytes:
        """What the first commit names as its predecessor."""
        return h("origin", self.data)


def group_origin(
    user: bytes, amk_pub: bytes, device: bytes, random: Random = system_random
) -> Origin:
    """Make the genesis of a new group."""
    kind = u8(KIND_GROUP)
    return parse_origin(lp(b"genesis", SUITE_BYTE, kind, user, amk_pub, device, random(32)))


def direct_origin(one: tuple[bytes, bytes], other: tuple[bytes, bytes]) -> Origin:
    """Make the origin of the one direct room of two (user, AMK_pub) pairs."""
    first, second = sorted((one, other))
    return parse_origin(lp(b"direct", SUITE_BYTE, lp(*first), lp(*second)))


def parse_origin(data: bytes) -> Origin:
    """Read a genesis or direct origin; ``parse`` or ``suite`` for anything else."""
    if lp_split(data)[:1] == [b"direct"]:
        pairs = [
            lp_fields(pair, [ID_SIZE, KEY_SIZE])
            for pair in typed_fields(data, "direct", [None, None])
        ]
        ascending([pair[0] for pair in pairs])
        accounts = tuple((user, amk_pub) for user, amk_pub in pairs)
        return Origin(data, KIND_DIRECT, accounts, None)
    kind, user, amk_pub, device, _ = typed_fields(
        data, "genesis", [1, ID_SIZE, KEY_SIZE, ID_SIZE, 32]
    )
    if uint(kind) != KIND_GROUP:
        raise ParseError("a genesis of another kind")
    return Origin(data, KIND_GROUP, ((user, amk_pub),), device)
