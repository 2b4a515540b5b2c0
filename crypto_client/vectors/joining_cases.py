"""Vectors of docs/protocol.md §7.4 (invitations), and of first commits and shapes of §6 and §7."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from crypto_client.commit import ClearState, Commit
from crypto_client.committing import commit_add
from crypto_client.encoding import encode_base64url as b64
from crypto_client.encoding import lp, lp_split, u8
from crypto_client.identity import new_device
from crypto_client.joining import Invite, make_invite
from crypto_client.ops import Create
from crypto_client.primitives import h
from crypto_client.roster import ROLE_ADMIN, Member, direct_origin, encode_roster, find_member
from crypto_client.vectors.case import Case, commit_bytes, signed_in
from crypto_client.vectors.cast import NOW, World, everyone, group, seeded
from crypto_client.vectors.commit_cases import judged
from crypto_client.vectors.forge import Forgery, with_core
from crypto_client.vectors.room_cases import row, sorted_roster


def cases(cast: World) -> Iterator[tuple[str, Case]]:
    """Give every case with its topic."""
    yield from (("joining", case) for case in _Invited(cast).cases())
    yield from (("rules", case) for case in _direct(cast))
    yield from (("commit", case) for case in _shapes(cast))


class _Invited:
    """alice has added carol to the garden of alice and bob and invites her; carol reads."""

    def __init__(self, cast: World) -> None:
        self.cast = cast
        _, received = group(cast, "alice", "bob")
        view = received["alice"].view
        by = cast.committer(cast.alice, received["alice"].epoch)
        self.commit = commit_add(view, [cast.carol.devices], by)
        self.after = everyone(cast, received, self.commit)["alice"].view
        newcomer = find_member(self.after.roster, cast.carol.user)
        if newcomer is None:
            raise ValueError("carol was added")
        self.newcomer = newcomer
        self.invite = make_invite(cast.alice.keys, self.after, newcomer, view.head)

    def signed(self, by: Any = None, **changes: Any) -> Invite:
        """Change an invitation and sign it again."""
        keys = by or self.cast.alice.keys
        unsigned = replace(self.invite, **changes)
        return replace(unsigned, sig=keys.sign("invite", unsigned.signed_content()))

    def case(self, name: str, why: str, expect: str = "ok", **parts: Any) -> Case:
        """Let carol join with parts of one's choice."""
        carol, invite = self.cast.carol, parts.get("invite", self.invite)
        roster: Sequence[Member] = parts.get("roster", self.after.roster)
        pinned = parts.get("pinned", ("alice", "bob", "carol"))
        people = [self.cast.people[one] for one in pinned]
        names = (
            *("room", "origin", "prev_hash", "roster_hash", "new_user", "new_amk_pub"),
            *("adder_user", "adder_device", "sig"),
        )
        given = {
            "invite": {**{n: b64(getattr(invite, n)) for n in names}, "epoch": invite.epoch},
            "commit": commit_bytes(parts.get("commit", self.commit), carol.keys.device),
            "roster": b64(encode_roster(tuple(roster))),
            "own": [b64(carol.user), b64(carol.account.public)],
            "lists": [signed_in(signed) for signed in self.cast.lists.values()],
            "pins": [[b64(p.user), b64(p.account.public)] for p in people],
            "server_key": None,
            "source": {
                "user": b64(carol.user),
                "device": b64(carol.keys.device),
                "prekeys": [[b64(carol.prekey.prekey_hash), b64(carol.prekey_seed)]],
            },
        }
        return Case(name, why, "7.4", "join", given, expect)

    def cases(self) -> Iterator[Case]:
        """Every check of §7.4 fails once."""
        cast, signed = self.cast, self.signed
        yield self.case("join", "by a pinned contact")
        other = signed(new_user=cast.bob.user)
        yield self.case("invite-for-other-account", "bob's", "reference", invite=other)
        moved = signed(room=b"r" * 16)
        yield self.case("invite-other-room", "id and origin differ", "reference", invite=moved)
        unpinned = ("bob", "carol")
        yield self.case("invite-by-unpinned", "no contact", "pin_mismatch", pinned=unpinned)
        forged = replace(self.invite, sig=bytes(64))
        yield self.case("invite-forged", "unsigned", "signature", invite=forged)
        stranger = new_device(cast.alice.user, cast.alice.account.public, NOW, seeded("strange"))
        unknown = signed(stranger, adder_device=stranger.device)
        yield self.case("invite-by-unknown-device", "not listed", "signature", invite=unknown)
        outside = signed(
            cast.mallory.keys, adder_user=cast.mallory.user, adder_device=cast.mallory.keys.device
        )
        why, known = "a contact who is not in the room", ("alice", "carol", "mallory")
        yield self.case("invite-by-outsider", why, "roster", invite=outside, pinned=known)
        smaller = [member for member in self.after.roster if member.user != cast.bob.user]
        yield self.case("invite-other-roster", "bob is hidden", "roster", roster=smaller)
        early = signed(epoch=0)
        yield self.case("invite-other-epoch", "she joins at 1", "roster", invite=early)
        elsewhere = signed(prev_hash=bytes(32))
        yield self.case("invite-other-head", "another branch", "fork", invite=elsewhere)
        yield from self._commits()

    def _commits(self) -> Iterator[Case]:
        cast = self.cast
        unsigned = replace(self.commit, sig=bytes(64))
        yield self.case("join-commit-unsigned", "by nobody", "signature", commit=unsigned)
        fields = lp_split(self.commit.core)
        outsider = cast.mallory.keys
        by_outsider = lp(*fields[:9], outsider.user, outsider.device, fields[11])
        commit = with_core(self.commit, by_outsider, outsider)
        yield self.case("join-commit-by-outsider", "no member", "committer", commit=commit)
        borrowed = lp(*fields[:9], cast.bob.user, cast.alice.keys.device, fields[11])
        commit = with_core(self.commit, borrowed, cast.alice.keys)
        why = "alice's device in bob's name"
        yield self.case("join-commit-by-borrowed-device", why, "committer", commit=commit)


def _direct(cast: World) -> Iterator[Case]:
    alice, bob, carol = cast.alice, cast.bob, cast.carol
    origin = direct_origin(*((p.user, p.account.public) for p in (alice, bob)))
    rosters = {
        "create-direct-third": ("a third one listens", (row(alice), row(bob), row(carol))),
        "create-direct-alone": ("the other one is missing", (row(alice),)),
        "create-direct-admin": ("nobody is admin", (row(alice, ROLE_ADMIN), row(bob))),
    }
    for name, (why, rows) in rosters.items():
        create = Create(origin, sorted_roster(*rows))
        commit = Forgery(None, alice.keys, [create], [bob], clear=ClearState(2)).make()
        yield judged(cast, None, commit, name, why, "op_forbidden")


def _shapes(cast: World) -> Iterator[Case]:
    _, received = group(cast, "alice", "bob")
    alice, his = cast.alice.keys, received["bob"]
    good = Forgery(received["alice"].view, alice, to=[cast.bob]).make()

    def named(commit: Commit, at: int, named_hash: bytes) -> Commit:
        core = lp_split(commit.core)
        core[at] = named_hash
        return with_core(commit, lp(*core), alice)

    rows = [lp(p.keys.device, (1).to_bytes(8, "big"), b"h" * 32) for p in (cast.alice, cast.bob)]
    half = lp(lp(alice.device, bytes(8), b"h" * 32))
    for name, why, data in (
        ("prekeys-half-empty", "a number or none, a hash or none", half),
        ("prekeys-unsorted", "one order only", lp(*sorted(rows, reverse=True))),
    ):
        listed = named(replace(good, prekeys=data), 8, h("prekeys", data))
        yield judged(cast, his, listed, name, why, "parse")
    ops = lp(lp(b"\0" + u8(6)))
    wide = named(replace(good, ops=ops), 6, h("ops", ops))
    yield judged(cast, his, wide, "op-type-two-bytes", "a type is one byte", "parse")
    bare = Forgery(received["alice"].view, alice, to=[cast.bob], core={"epoch": 0}).make()
    why = "a room begins with one create"
    yield judged(cast, None, bare, "epoch-0-without-create", why, "roster")
