"""Vectors of docs/protocol.md §7.3, steps 2 to 4: who may commit what."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from crypto_client.commit import ClearState, Commit
from crypto_client.committing import commit_add, commit_refresh, commit_remove, commit_role
from crypto_client.device_list import (
    SignedDeviceList,
    next_device_list,
    parse_device_list,
    sign_device_list,
)
from crypto_client.encoding import SUITE_BYTE, lp
from crypto_client.encoding import encode_base64url as b64
from crypto_client.identity import AccountKey, DeviceEntry, DeviceKeys, device_id, new_device
from crypto_client.ops import (
    Add,
    ChangeState,
    Create,
    Op,
    Refresh,
    Remove,
    Seen,
    SetRole,
    UnknownOp,
)
from crypto_client.primitives import public_key, sign
from crypto_client.receiving import Received
from crypto_client.roster import ROLE_ADMIN, group_origin
from crypto_client.statements import Subject, make_leave, make_remove_intent, make_server_remove
from crypto_client.vectors.case import Case
from crypto_client.vectors.cast import NOW, Person, World, direct, everyone, group, seeded
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
        *rules.devices(),
        *rules.creations(),
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
        role = self.forge(carol, SetRole(self.carol.user, 2))
        yield self.case("commit-role-by-member", "carol promotes herself", role)
        nobody = self.forge(self.alice.keys, SetRole(self.alice.user, 1))
        yield self.case("role-results-in-no-admin", "the last admin stays", nobody)
        third = self.forge(self.alice.keys, SetRole(self.bob.user, 3))
        yield self.case("role-3", "an unknown role", third)
        good = commit_add(self.view, [mallory.devices], by_of(self.cast, self.received))
        case = self.case("add-list-unsigned", "anybody's list", good, "signature")
        unsigned = {"data": b64(mallory.devices.data), "sig": b64(bytes(64))}
        lists = [item for item in case.given["lists"] if item["data"] != unsigned["data"]]
        yield replace(case, given={**case.given, "lists": [*lists, unsigned]})
        pin = {mallory.user: self.alice.account.public}
        why = "a person decides before anything is written"
        yield self.case("add-existing-user-new-amk", why, good, "pin_mismatch", pins=pin)
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
        yield from self._intents(subject)
        drop = Remove(carol.user, carol.account.public, 0)
        unseen = self.forge(alice.keys, drop)
        yield self.case("drop-without-seen", "her end is not said", unseen)
        last = make_leave(alice.keys, room, 0).encode()
        why = "hand the role on first"
        yield self.case("last-admin-leaves-without-heir", why, self.remove(alice, bob.keys, last))

    def _intents(self, subject: Subject) -> Iterator[Case]:
        alice, bob, carol = self.alice, self.bob, self.carol
        hers = replace(subject, user=carol.user, amk_pub=carol.account.public)
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
        by = by_of(self.cast, self.received)
        second = everyone(self.cast, self.received, commit_role(self.view, bob.user, 2, by))
        demoted = everyone(
            self.cast,
            second,
            commit_role(
                second["bob"].view, alice.user, 1, self.cast.committer(bob, second["bob"].epoch)
            ),
        )
        stale = Forgery(
            demoted["carol"].view,
            carol.keys,
            [
                Remove(
                    bob.user,
                    bob.account.public,
                    0,
                    make_remove_intent(
                        alice.keys, replace(hers, user=bob.user, amk_pub=bob.account.public)
                    ).encode(),
                ),
                Seen(bob.keys.device, 0),
            ],
            [self.bob],
        ).make()
        name = "remove-intent-signer-no-longer-admin"
        yield self.case(name, "alice was admin", stale, before=demoted["bob"])
        pinned = {"server_key": b64(public_key(SERVER_SEED))}
        gone = make_server_remove(SERVER_SEED, subject, time=NOW, reason=1).encode()
        commit = self.remove(alice, bob.keys, gone)
        why = "even the last admin"
        yield self.case("server-remove", why, commit, "ok", **pinned)
        yield self.case("server-remove-without-pin", "no server key", commit)
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

    def devices(self) -> Iterator[Case]:
        """Device lists in rosters: entering, leaving, rolling back."""
        bob, carol = self.bob, self.carol
        laptop = new_device(carol.user, carol.account.public, NOW, seeded("laptop"))
        both = next_device_list(
            carol.account, carol.devices, [carol.keys.entry(), laptop.entry()], time=NOW
        )
        lists = {"lists": [both]}
        refresh = Refresh(carol.user, 2, both.list_hash)
        entering = self.forge(laptop, refresh)
        why = "a device comes in with its own refresh"
        yield self.case("self-add", why, entering, "ok", **lists)
        bare = self.forge(laptop)
        yield self.case("self-add-without-refresh", "not in yet", bare, "committer", **lists)
        only = next_device_list(carol.account, carol.devices, [laptop.entry()], time=NOW)
        revoking = self.forge(
            carol.keys, Refresh(carol.user, 2, only.list_hash), Seen(carol.keys.device, 0)
        )
        name = "commit-by-device-it-revokes"
        yield self.case(name, "it would know the secret", revoking, "committer", lists=[only])
        yield self.case(
            "commit-by-device-absent-in-new-list",
            "a stranger's device",
            self.forge(replace(self.cast.mallory.keys, user=carol.user)),
            "committer",
        )
        borrowed = self.forge(replace(bob.keys, user=carol.user))
        name = "commit-by-device-of-other-member"
        yield self.case(name, "bob's device in carol's name", borrowed, "committer")
        foreign = Refresh(carol.user, 1, bob.devices.list_hash)
        wrong = self.forge(bob.keys, replace(foreign, list_version=2))
        name = "self-add-list-of-other-user"
        yield self.case(name, "bob's list in carol's row", wrong)
        mallory = AccountKey(carol.user, seeded("stolen")(32))
        theirs = new_device(carol.user, mallory.public, NOW, seeded("ghost"))
        content = replace(
            parse_device_list(both.data), amk_pub=mallory.public, entries=(theirs.entry(),)
        )
        ghost = sign_device_list(mallory, content)
        under = self.forge(bob.keys, Refresh(carol.user, 2, ghost.list_hash))
        why = "a new key is a new party"
        yield self.case("refresh-under-other-amk", why, under, lists=[ghost])
        yield from self._newer(laptop, both)

    def _newer(self, laptop: DeviceKeys, both: SignedDeviceList) -> Iterator[Case]:
        bob, carol = self.bob, self.carol
        by = replace(self.cast.committer(bob), lists={**self.cast.lists, both.list_hash: both})
        after = judged_view(self, commit_refresh(self.view, [both], by), [both])
        older = Forgery(
            after.view, bob.keys, [Refresh(carol.user, 1, carol.devices.list_hash)], [bob]
        ).make()
        name, why = "commit-refresh-to-older-list", "a revocation cannot be undone"
        yield self.case(name, why, older, "list_rollback", before=after, lists=[both])
        content = parse_device_list(both.data)
        torn = sign_device_list(carol.account, replace(content, prev_list_hash=b"x" * 32))
        broken = self.forge(bob.keys, Refresh(carol.user, 2, torn.list_hash))
        name = "refresh-chain-broken"
        yield self.case(name, "another predecessor", broken, "list_fork", lists=[torn])
        forged = replace(both, sig=bytes(64))
        unsigned = self.forge(bob.keys, Refresh(carol.user, 2, both.list_hash))
        yield self.case("refresh-unsigned", "a list", unsigned, "signature", lists=[forged])
        gone = everyone(
            self.cast,
            self.received,
            commit_remove(self.view, carol.user, by_of(self.cast, self.received)),
        )
        back = Forgery(gone["bob"].view, carol.keys, (), [bob]).make()
        name, why = "self-add-after-removal", "removed is removed"
        yield self.case(name, why, back, "committer", before=gone["bob"])
        yield from self._shared_key(laptop)

    def _shared_key(self, laptop: DeviceKeys) -> Iterator[Case]:
        carol, bob = self.carol, self.bob
        device = device_id(carol.user, bob.keys.dsk_pub)
        content = lp(SUITE_BYTE, carol.user, carol.account.public, device)
        accept = sign(bob.keys.dsk_seed, "device-accept", content)
        entry = DeviceEntry(device, bob.keys.dsk_pub, accept, NOW)
        shared = next_device_list(
            carol.account, carol.devices, [carol.keys.entry(), entry], time=NOW
        )
        commit = self.forge(bob.keys, Refresh(carol.user, 2, shared.list_hash))
        name, why = "same-dsk-two-accounts-in-roster", "who wrote what would be open"
        yield self.case(name, why, commit, "roster", lists=[shared])

    def creations(self) -> Iterator[Case]:
        """Epoch 0."""
        alice, bob, carol = self.alice, self.bob, self.carol
        origin = group_origin(
            alice.user, alice.account.public, alice.keys.device, seeded("creations")
        )
        rows = sorted_roster(row(alice, ROLE_ADMIN), row(bob))

        def create(by: DeviceKeys, roster: Sequence[Any] = rows, **parts: Any) -> Commit:
            op = Create(origin, tuple(roster))
            return Forgery(None, by, [op], [bob], **parts).make()

        def case(name: str, comment: str, commit: Commit, expect: str, **more: Any) -> Case:
            return judged(self.cast, None, commit, name, comment, expect, **more)

        yield case("create", "as it should be", create(alice.keys), "ok")
        other = create(bob.keys)
        yield case("genesis-creator-mismatch", "bob begins alice's room", other, "committer")
        two = sorted_roster(row(alice, ROLE_ADMIN), row(bob, ROLE_ADMIN))
        yield case("create-two-admins", "one admin", create(alice.keys, two), "op_forbidden")
        late = sorted_roster(row(alice, ROLE_ADMIN), row(bob, joined=3))
        yield case("create-joined-later", "all at once", create(alice.keys, late), "op_forbidden")
        direct_state = create(alice.keys, clear=ClearState(2))
        yield case("create-other-kind", "kind of origin", direct_state, "op_forbidden")
        elsewhere = create(alice.keys, core={"prev_hash": bytes(32)})
        yield case("create-prev-hash", "names its origin", elsewhere, "fork")
        pin = {alice.user: carol.account.public}
        why = "alice with a new key"
        yield case("create-with-new-amk", why, create(alice.keys), "pin_mismatch", pins=pin)
        later = self.forge(alice.keys)
        yield case("join-without-origin", "starts in the middle", later, "epoch_gap")


def judged_view(rules: Rules, commit: Commit, lists: Sequence[SignedDeviceList]) -> Received:
    """Let bob receive a commit that needs more lists."""
    trust = rules.cast.trust()
    more = {signed.list_hash: signed for signed in lists}
    trust = replace(trust, lists={**trust.lists, **more})
    return rules.cast.receive(rules.bob, rules.view, commit, trust)
