"""A room's life in random order: whatever happens, members agree and others read nothing."""

import functools

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from crypto_client.body import text_body
from crypto_client.commit import Commit
from crypto_client.committing import (
    Committer,
    commit_add,
    commit_remove,
    commit_role,
    commit_rotation,
)
from crypto_client.envelope import seal_message
from crypto_client.epoch import RoomView
from crypto_client.errors import ForkError, ProtocolError
from crypto_client.opening import open_message
from crypto_client.ratchet import EpochState
from crypto_client.receiving import receive_commit
from crypto_client.roster import ROLE_ADMIN, find_member
from crypto_client.statements import make_leave
from crypto_client.vectors.cast import NOW, World, group, world

NAMES = ("alice", "bob", "carol", "dave")
names = st.sampled_from(NAMES)


@functools.cache
def cast() -> World:
    return world(*NAMES)


class RoomLife(RuleBasedStateMachine):
    """alice begins with bob; everybody follows the chain, members or not."""

    def __init__(self) -> None:
        super().__init__()
        first, received = group(cast(), "alice", "bob")
        self.room = received["alice"].view.room
        self.chain = [first]
        self.views: dict[str, RoomView | None] = dict.fromkeys(NAMES)
        self.epochs: dict[str, EpochState | None] = dict.fromkeys(NAMES)
        self.sent = 0
        self.deliver(first)

    def deliver(self, commit: Commit) -> None:
        for name in NAMES:
            got = receive_commit(
                self.views[name],
                commit,
                room=self.room,
                trust=cast().trust(),
                source=cast().people[name].source,
            )
            self.views[name], self.epochs[name] = got.view, got.epoch
            assert got.outcome == "ok"

    @property
    def head(self) -> RoomView:
        view = self.views["alice"]
        assert view is not None
        return view

    def members(self) -> list[str]:
        return [n for n in NAMES if find_member(self.head.roster, cast().people[n].user)]

    def admins(self) -> list[str]:
        rows = {n: find_member(self.head.roster, cast().people[n].user) for n in NAMES}
        return [n for n, row in rows.items() if row is not None and row.role == ROLE_ADMIN]

    def append(self, commit: Commit) -> None:
        self.chain.append(commit)
        self.deliver(commit)

    def by(self, name: str) -> Committer:
        return cast().committer(cast().people[name], self.epochs[name])

    @rule(who=names)
    def rotate(self, who: str) -> None:
        if who in self.members():
            by = self.by(who)
            self.append(commit_rotation(self.head, by))

    @rule(who=names)
    def come(self, who: str) -> None:
        if who not in self.members():
            admin = self.admins()[0]
            by = self.by(admin)
            self.append(commit_add(self.head, [cast().people[who].devices], by))

    @rule(who=names)
    def be_removed(self, who: str) -> None:
        admins = [name for name in self.admins() if name != who]
        if who in self.members() and admins:
            by = self.by(admins[0])
            self.append(commit_remove(self.head, cast().people[who].user, by))

    @rule(who=names)
    def leave(self, who: str) -> None:
        others = [name for name in self.members() if name != who]
        if who not in self.members() or not others or self.admins() == [who]:
            return
        row = find_member(self.head.roster, cast().people[who].user)
        assert row is not None
        statement = make_leave(cast().people[who].keys, self.room, row.joined_epoch)
        by = self.by(others[0])
        self.append(commit_remove(self.head, row.user, by, statement))

    @rule(who=names)
    def become_admin(self, who: str) -> None:
        if who in self.members() and who not in self.admins():
            admin = self.admins()[0]
            by = self.by(admin)
            self.append(commit_role(self.head, cast().people[who].user, ROLE_ADMIN, by))

    @rule(who=names)
    def write(self, who: str) -> None:
        state = self.epochs[who]
        if state is None:
            return
        self.sent += 1
        msg_id = self.sent.to_bytes(16, "big")
        body = text_body(f"number {self.sent}")
        sealed = seal_message(state, cast().people[who].keys, body, msg_id=msg_id, time=NOW)
        self.epochs[who] = sealed.epoch
        for name in NAMES:
            if name != who:
                self.read(name, sealed.envelope)

    def read(self, name: str, envelope: bytes) -> None:
        if self.epochs[name] is None:
            assert name not in self.members()
            return
        opened = open_message(envelope, self.epochs[name], room=self.room)
        assert opened.message is not None
        assert opened.message.body.text == f"number {self.sent}"
        self.epochs[name] = opened.epoch

    @precondition(lambda self: len(self.chain) > 1)
    @rule(who=names)
    def lose_a_race(self, who: str) -> None:
        late = self.chain[-1]
        twin = Commit(late.core, bytes(32), late.sig, late.ops, late.state, late.prekeys)
        try:
            receive_commit(self.views[who], twin, room=self.room, trust=cast().trust())
        except ForkError:
            return
        raise AssertionError("two commits for one epoch")

    @rule(who=names, bit=st.integers(0, 255))
    def damage(self, who: str, bit: int) -> None:
        by = self.by(self.members()[0])
        good = commit_rotation(self.head, by)
        at = bit % len(good.core)
        core = good.core[:at] + bytes([good.core[at] ^ 1]) + good.core[at + 1 :]
        broken = Commit(core, good.tag, good.sig, good.ops, good.state, good.prekeys, good.wraps)
        try:
            receive_commit(self.views[who], broken, room=self.room, trust=cast().trust())
        except ProtocolError:
            return
        raise AssertionError("a damaged commit was accepted")

    @invariant()
    def one_chain_is_one_roster(self) -> None:
        assert len({view.roster for view in self.views.values() if view is not None}) == 1
        assert len({view.head for view in self.views.values() if view is not None}) == 1

    @invariant()
    def only_members_open_the_epoch(self) -> None:
        assert [name for name in NAMES if self.epochs[name] is not None] == self.members()


TestRoomLife = RoomLife.TestCase
TestRoomLife.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)
