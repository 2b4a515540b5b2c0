"""Vectors of docs/protocol.md §7.3, steps 2 to 4: who may commit what."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from crypto_client.commit import ClearState, Commit
from crypto_client.committing import commit_add, commit_role
from crypto_client.encoding import encode_base64url as b64
from crypto_client.encoding import lp
from crypto_client.identity import DeviceKeys
from crypto_client.ops import (
    Add,
    ChangeState,
    Op,
    Refresh,
    Remove,
    Seen,
    SetRole,
    UnknownOp,
)
from crypto_client.primitives import public_key
from crypto_client.receiving import Received
from crypto_client.statements import Subject, make_leave, make_remove_intent, make_server_remove
from crypto_client.vectors.case import Case
from crypto_client.vectors.cast import NOW, Person, World, direct, everyone, group
from crypto_client.vectors.commit_cases import by_of, judged
from crypto_client.vectors.forge import Forgery
from crypto_client.vectors.room_cases import SERVER_SEED, row, sorted_roster


def cases(cast: World) -> Iterator[tuple[str, Case]]:
    """Give every case with its topic."""
    _, received = group(cast, "alice", "bob", "carol")
    rules = Rules(cast, received)
    for case in (
        *rules.roster(),
        *rules.members(),
        *rules.removals(),
        *rules.states(),
    ):
        yield "rules", case


class Rules:
    """A group of alice (admin), bob and carol at epoch 0, and what they try; bob reads."""

    def __init__(self, cast: World, received: dict[str, Received]) -> None:
        self.cast = cast
        self.received = received
        self.view = received["alice"].view
        self.alice, self.bob, self.carol = cast.alice, cast.bob, cast.carol

    def forge(self, by: DeviceKeys, *ops: Op, **parts: Any) -> Commit:
        """Make a commit without asking whether it is allowed."""
        return Forgery(self.view, by, ops, to=[self.bob], **parts).make()

    def case(
        self, name: str, comment: str, commit: Commit, expect: str = "op_forbidden", **more: Any
    ) -> Case:
        """Let bob receive it."""
        before = more.pop("before", self.received["bob"])
        return judged(self.cast, before, commit, name, comment, expect, **more)

    def roster(self) -> Iterator[Case]:
        """The roster is computed, never taken from a message."""
        alice, bob, carol = self.alice.keys, self.bob.keys, self.carol.keys
        rows = self.view.roster
        without = tuple(member for member in rows if member.user != self.alice.user)
        ghost = sorted_roster(*rows, row(self.cast.mallory))
        raised = tuple(replace(m, role=2) if m.user == self.bob.user else m for m in rows)
        rosters = (
            ("commit-rotate-drops-member", "no operation drops alice", carol, without),
            ("commit-rotate-adds-ghost", "no operation adds mallory", carol, ghost),
            ("commit-rotate-raises-role", "no operation makes bob admin", bob, raised),
        )
        for name, comment, by, other in rosters:
            yield self.case(name, comment, self.forge(by, roster=other), "roster")
        bad = self.forge(alice, core={"roster_hash": bytes(32)})
        yield self.case("commit-roster-hash-wrong", "of nothing", bad, "roster")
        unknown = self.forge(alice, UnknownOp(lp(b"\x09")), roster=rows)
        yield self.case("commit-op-unknown", "type 9", unknown, "roster")
        noop = self.forge(alice, SetRole(self.bob.user, 1), roster=rows)
        yield self.case("commit-op-noop", "nothing changes", noop, "roster")
        two = (SetRole(self.bob.user, 2), Refresh(self.bob.user, 2, bytes(32)))
        both = self.forge(alice, *two, roster=rows)
        yield self.case("commit-two-ops-one-user", "one at a time", both, "roster")

    def members(self) -> Iterator[Case]:
        """Adding, roles, pins."""
        yield from self._adding()
        yield from self._roles()
        yield from self._newcomers_keys()
        yield from self._direct_rooms()

    def _adding(self) -> Iterator[Case]:
        mallory, carol = self.cast.mallory, self.carol.keys
        newcomer = row(mallory, joined=1)
        by_member = self.forge(carol, Add(newcomer))
        yield self.case("commit-add-by-member", "admins add here", by_member)
        opened = self.forge(self.alice.keys, ChangeState(), clear=ClearState(1, add_policy=1))
        after = self.cast.receive(self.bob, self.view, opened)
        by_itself = Forgery(after.view, mallory.keys, [Add(row(mallory, joined=2))], [self.bob])
        name, why = "commit-add-of-oneself", "members add here, strangers do not"
        yield self.case(name, why, by_itself.make(), "committer", before=after)
        by_carol = Forgery(after.view, carol, [Add(row(mallory, joined=2))], [self.bob])
        name, why = "commit-add-by-member-allowed", "add_policy 1"
        yield self.case(name, why, by_carol.make(), "ok", before=after)
        early = self.forge(self.alice.keys, Add(row(mallory, joined=0)))
        yield self.case("add-joined-epoch", "joins now, not before", early)
        admin = self.forge(self.alice.keys, Add(row(mallory, 2, 1)))
        yield self.case("role-carried-over-after-reset", "a newcomer is a member", admin)

    def _roles(self) -> Iterator[Case]:
        role = self.forge(self.carol.keys, SetRole(self.carol.user, 2))
        yield self.case("commit-role-by-member", "carol promotes herself", role)
        nobody = self.forge(self.alice.keys, SetRole(self.alice.user, 1))
        yield self.case("role-results-in-no-admin", "the last admin stays", nobody)
        third = self.forge(self.alice.keys, SetRole(self.bob.user, 3))
        yield self.case("role-3", "an unknown role", third)

    def _newcomers_keys(self) -> Iterator[Case]:
        mallory = self.cast.mallory
        good = commit_add(self.view, [mallory.devices], by_of(self.cast, self.received))
        case = self.case("add-list-unsigned", "anybody's list", good, "signature")
        unsigned = {"data": b64(mallory.devices.data), "sig": b64(bytes(64))}
        lists = [item for item in case.given["lists"] if item["data"] != unsigned["data"]]
        yield replace(case, given={**case.given, "lists": [*lists, unsigned]})
        pin = {mallory.user: self.alice.account.public}
        why = "a person decides before anything is written"
        yield self.case("add-existing-user-new-amk", why, good, "pin_mismatch", pins=pin)

    def _direct_rooms(self) -> Iterator[Case]:
        _, received = direct(self.cast, "alice", "bob")
        view = received["bob"].view
        third_one = Forgery(view, self.alice.keys, [Add(row(self.carol, joined=1))], [self.bob])
        why = "a direct room has two"
        yield self.case("commit-direct-add", why, third_one.make(), before=received["bob"])
        gone = Remove(self.bob.user, self.bob.account.public, 0)
        dropped = Seen(self.bob.keys.device, 0)
        without = Forgery(view, self.alice.keys, [gone, dropped], [self.bob]).make()
        yield self.case("commit-direct-remove", why, without, before=received["bob"])
        leave = make_leave(self.bob.keys, view.room, 0).encode()
        left: list[Op] = [replace(gone, statement=leave), dropped]
        leaving = Forgery(view, self.alice.keys, left, [self.bob]).make()
        yield self.case("direct-leave", "nobody leaves it", leaving, before=received["bob"])

    def remove(self, who: Person, by: DeviceKeys, statement: bytes = b"", **parts: Any) -> Commit:
        """Make a removal with the cut it needs."""
        gone = Remove(who.user, who.account.public, 0, statement)
        return self.forge(by, gone, Seen(who.keys.device, 0), **parts)

    def removals(self) -> Iterator[Case]:
        """Removing and leaving."""
        alice, bob, carol = self.alice, self.bob, self.carol
        room = self.view.room
        subject = Subject(room, alice.user, alice.account.public, 0)
        plain = self.remove(carol, bob.keys)
        yield self.case("commit-remove-by-member", "bob is no admin", plain)
        leave = make_leave(carol.keys, room, 0)
        itself = self.forge(
            carol.keys,
            Remove(carol.user, carol.account.public, 0, leave.encode()),
            Seen(carol.keys.device, 0),
        )
        why = "she would know the secret"
        yield self.case("commit-by-leaver", why, itself, "committer")
        other = make_leave(carol.keys, b"q" * 16, 0).encode()
        yield self.case(
            "leave-statement-other-room", "of a room", self.remove(carol, bob.keys, other)
        )
        old = make_leave(carol.keys, room, 7).encode()
        why = "of another membership"
        yield self.case("leave-statement-old-joined-epoch", why, self.remove(carol, bob.keys, old))
        stolen = replace(leave, sig=bytes(64)).encode()
        why = "not signed by her"
        yield self.case("leave-statement-forged", why, self.remove(carol, bob.keys, stolen))
        for_alice = replace(make_leave(bob.keys, room, 0), signer_user=bob.user).encode()
        why = "bob leaves for alice"
        yield self.case("leave-for-other", why, self.remove(alice, carol.keys, for_alice))
        yield from self._intents(replace(subject, user=carol.user, amk_pub=carol.account.public))
        gone = make_server_remove(SERVER_SEED, subject, time=NOW, reason=1).encode()
        yield from self._server_removals(gone)
        yield from self._without_admin(gone)
        drop = Remove(carol.user, carol.account.public, 0)
        unseen = self.forge(alice.keys, drop)
        yield self.case("drop-without-seen", "her end is not said", unseen)
        last = make_leave(alice.keys, room, 0).encode()
        why = "hand the role on first"
        yield self.case("last-admin-leaves-without-heir", why, self.remove(alice, bob.keys, last))

    def _intents(self, hers: Subject) -> Iterator[Case]:
        alice, bob, carol = self.alice, self.bob, self.carol
        good = make_remove_intent(alice.keys, hers).encode()
        yield self.case("remove-intent", "bob executes", self.remove(carol, bob.keys, good), "ok")
        elsewhere, earlier = replace(hers, room=b"q" * 16), replace(hers, joined_epoch=7)
        rows = (
            ("remove-intent-by-non-admin", make_remove_intent(bob.keys, hers)),
            ("remove-intent-other-room", make_remove_intent(alice.keys, elsewhere)),
            ("remove-intent-old-joined-epoch", make_remove_intent(alice.keys, earlier)),
        )
        for name, statement in rows:
            commit = self.remove(carol, bob.keys, statement.encode())
            yield self.case(name, "not valid here", commit)
        his = replace(hers, user=bob.user, amk_pub=bob.account.public)
        yield self._intent_of_a_former_admin(make_remove_intent(alice.keys, his).encode())

    def _intent_of_a_former_admin(self, intent: bytes) -> Case:
        alice, bob, carol = self.alice, self.bob, self.carol
        by = by_of(self.cast, self.received)
        second = everyone(self.cast, self.received, commit_role(self.view, bob.user, 2, by))
        by = self.cast.committer(bob, second["bob"].epoch)
        demotion = commit_role(second["bob"].view, alice.user, 1, by)
        demoted = everyone(self.cast, second, demotion)
        gone = Remove(bob.user, bob.account.public, 0, intent)
        ops: list[Op] = [gone, Seen(bob.keys.device, 0)]
        stale = Forgery(demoted["carol"].view, carol.keys, ops, [bob]).make()
        name = "remove-intent-signer-no-longer-admin"
        return self.case(name, "alice was admin", stale, before=demoted["bob"])

    def _server_removals(self, gone: bytes) -> Iterator[Case]:
        pinned = {"server_key": b64(public_key(SERVER_SEED))}
        commit = self.remove(self.alice, self.bob.keys, gone)
        why = "even the last admin"
        yield self.case("server-remove", why, commit, "ok", **pinned)
        yield self.case("server-remove-without-pin", "no server key", commit)

    def _without_admin(self, gone: bytes) -> Iterator[Case]:
        alice, bob, carol = self.alice, self.bob, self.carol
        trust = self.cast.trust(public_key(SERVER_SEED))
        opened = self.forge(alice.keys, ChangeState(), clear=ClearState(1, add_policy=1))
        open_room = self.cast.receive(bob, self.view, opened).view
        ops: list[Op] = [
            Remove(alice.user, alice.account.public, 0, gone),
            Seen(alice.keys.device, 0),
        ]
        headless = Forgery(open_room, bob.keys, ops, [bob]).make()
        after = self.cast.receive(bob, open_room, headless, trust)
        mallory = row(self.cast.mallory, joined=3)
        more = Forgery(after.view, carol.keys, [Add(mallory)], [bob]).make()
        why = "it can only shrink"
        yield self.case("add-in-room-without-admin", why, more, before=after)

    def states(self) -> Iterator[Case]:
        """Clear fields and cuts."""
        alice, carol = self.alice.keys, self.carol.keys
        by_member = self.forge(carol, ChangeState(), title="mine")
        yield self.case("commit-state-by-member", "admins rename", by_member)
        silent = self.forge(alice, clear=ClearState(1, history_policy=0))
        yield self.case("clear-state-changed-without-op", "not said", silent)
        quiet = self.forge(carol, ChangeState(), clear=ClearState(1, history_policy=0))
        yield self.case("commit-history-off-by-member", "admins decide", quiet)
        kind = self.forge(alice, ChangeState(), clear=ClearState(2))
        yield self.case("state-changes-kind", "a group stays one", kind)
        off = self.forge(alice, ChangeState(), clear=ClearState(1, history_policy=0))
        after = self.cast.receive(self.bob, self.view, off)
        loose = Forgery(
            after.view, alice, [ChangeState()], [self.bob], clear=ClearState(1), seed="l"
        ).make()
        yield self.case("policy-loosened", "only stricter", loose, before=after)
        stranger = self.forge(alice, Seen(b"\x09" * 16, 1))
        yield self.case("seen-of-stranger", "not a device here", stranger)
