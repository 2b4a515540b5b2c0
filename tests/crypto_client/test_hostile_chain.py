"""A server that lies about a room's chain: the command-line client stops, or shows it."""

from dataclasses import replace

import pytest

from crypto_client.client.failures import Unverified
from crypto_client.client.wire_commits import commit_of
from crypto_client.commit import ClearState, Commit
from crypto_client.committing import commit_add, commit_remove, commit_rotation
from crypto_client.device_list import next_device_list
from crypto_client.encoding import lp_split
from crypto_client.identity import new_device
from crypto_client.ops import ChangeState, Create, Refresh
from crypto_client.primitives import sign
from crypto_client.ratchet import EpochState
from crypto_client.receiving import Received
from crypto_client.roster import ROLE_ADMIN, group_origin
from crypto_client.vectors.cast import NOW, everyone, group, seeded
from crypto_client.vectors.forge import Forgery
from crypto_client.vectors.room_cases import row, sorted_roster
from tests.crypto_client.hostile import list_row
from tests.crypto_client.member import Member, Writer


def rotation(bob: Member) -> Commit:
    """What alice commits next."""
    closing = bob.received["alice"].epoch
    return commit_rotation(bob.view, bob.cast.committer(bob.cast.alice, closing))


def first_commit(bob: Member) -> Commit:
    return commit_of(bob.server.answers["commits"]["commits"][0], {})


def stays_at(bob: Member, epoch: int, trouble: str) -> None:
    """Nothing was taken over, it is said, and nobody writes."""
    assert bob.home.trouble() == trouble
    assert bob.head.epoch == epoch
    with pytest.raises(Unverified):
        bob.rooms.demand_verified(bob.home.room)


# What a commit says


def with_policy(commit: Commit, **changed: int) -> Commit:
    sealed = lp_split(commit.state)[4]
    return replace(commit, state=ClearState(1, **changed).encode(sealed))


@pytest.mark.parametrize("changed", [{"history_policy": 0}, {"add_policy": 1}])
def test_a_policy_that_the_server_writes_in_is_refused(
    bob: Member, changed: dict[str, int]
) -> None:
    bob.is_shown(with_policy(rotation(bob), **changed))
    stays_at(bob, 0, "reference")


def test_a_ghost_member_whom_no_operation_adds_is_refused(bob: Member) -> None:
    ghost = sorted_roster(*bob.view.roster, row(bob.cast.mallory, joined=1))
    bob.is_shown(Forgery(bob.view, bob.cast.alice.keys, to=[bob.cast.bob], roster=ghost).make())
    stays_at(bob, 0, "roster")


def test_a_ghost_device_whom_its_account_never_listed_is_refused(bob: Member) -> None:
    owner = bob.cast.bob
    ghost = new_device(owner.user, owner.account.public, NOW)
    rows = [owner.keys.entry(), ghost.entry()]
    unsigned = next_device_list(owner.account, owner.devices, rows, time=NOW)
    forged = replace(
        unsigned, sig=sign(bob.cast.mallory.account.seed, "devices", unsigned.list_hash)
    )
    bob.server.keys[owner.user]["lists"] = [list_row(forged)]
    refresh = Refresh(owner.user, 2, forged.list_hash)
    bob.is_shown(Forgery(bob.view, bob.cast.alice.keys, [refresh], to=[owner]).make())
    stays_at(bob, 0, "signature")


def test_a_member_who_is_no_admin_does_not_end_the_keeping_of_history(bob: Member) -> None:
    with_carol(bob)
    off = replace(bob.head.clear, history_policy=0)
    by = bob.cast.carol.keys
    bob.is_shown(Forgery(bob.head, by, [ChangeState()], to=[bob.cast.bob], clear=off).make())
    stays_at(bob, 1, "op_forbidden")
    assert bob.head.keeps_history


def test_a_room_that_ended_its_history_does_not_begin_it_again(bob: Member) -> None:
    alice, off = bob.cast.alice, replace(bob.view.clear, history_policy=0)
    to = [alice, bob.cast.bob]
    ended = Forgery(bob.view, alice.keys, [ChangeState()], to=to, clear=off).make()
    assert bob.is_shown(ended) == ""
    assert history_epochs(bob) == []
    again = Forgery(bob.head, alice.keys, [ChangeState()], to=to, clear=bob.view.clear, seed="2")
    bob.is_shown(again.make())
    stays_at(bob, 1, "op_forbidden")


def test_who_leaves_or_is_removed_does_not_commit(bob: Member) -> None:
    bob.is_shown(Forgery(bob.view, bob.cast.mallory.keys, to=[bob.cast.bob]).make())
    stays_at(bob, 0, "committer")


# Which chain it is


def test_a_newcomer_is_not_led_over_a_break_in_the_chain(bob: Member) -> None:
    first = first_commit(bob)
    alice = bob.cast.alice.keys
    elsewhere = Forgery(bob.view, alice, to=[bob.cast.bob], core={"prev_hash": bytes(32)}).make()
    bob.forgets_the_room()
    bob.is_shown(first, elsewhere)
    stays_at(bob, 0, "fork")


def test_a_newcomer_is_not_led_into_another_room(bob: Member) -> None:
    other, _ = group(bob.cast, "carol", "bob", title="not the garden")
    bob.forgets_the_room()
    assert bob.is_shown(other) == "reference"
    assert bob.rooms.view(bob.home.room) is None


def test_a_newcomer_is_not_begun_in_the_middle(bob: Member) -> None:
    later = rotation(bob)
    bob.forgets_the_room()
    assert bob.is_shown(later, after=0) == "epoch_gap"
    assert bob.rooms.view(bob.home.room) is None


# Two branches


def branches(bob: Member) -> tuple[Commit, Received]:
    """Two commits of alice for one epoch: the one for bob, and what she has of the other."""
    alice = bob.cast.alice
    mine = Forgery(bob.view, alice.keys, to=[alice, bob.cast.bob], seed="mine").make()
    other = Forgery(bob.view, alice.keys, to=[alice, bob.cast.bob], seed="other").make()
    return mine, bob.cast.receive(alice, bob.received["alice"].view, other)


def test_two_branches_show_when_a_message_crosses(bob: Member) -> None:
    mine, elsewhere = branches(bob)
    assert bob.is_shown(mine) == ""
    assert elsewhere.epoch is not None
    sealed = Writer(bob.cast.alice, elsewhere.epoch).seal("from the other side", b"m" * 16)
    bob.home.stored(sealed.envelope, 1)
    assert bob.home.shown() == [(1, None, "fork")]
    stays_at(bob, 1, "fork")


def test_a_commit_on_another_branch_is_a_fork(bob: Member) -> None:
    mine, elsewhere = branches(bob)
    assert bob.is_shown(mine) == ""
    by = bob.cast.committer(bob.cast.alice, elsewhere.epoch)
    bob.is_shown(commit_rotation(elsewhere.view, by))
    stays_at(bob, 1, "fork")


# What is held back


def test_a_message_whose_commit_is_held_back_waits_for_it_visibly_and_opens_then(
    bob: Member,
) -> None:
    commit = rotation(bob)
    hers = everyone(bob.cast, bob.received, commit, "alice")["alice"].epoch
    assert hers is not None
    bob.home.stored(Writer(bob.cast.alice, hers).seal("later", b"m" * 16).envelope, 1)
    bob.syncs(1)
    assert bob.home.shown() == [(1, None, "epoch_gap")]
    assert bob.is_shown(commit) == ""
    bob.syncs(1)
    assert bob.home.shown() == [(1, "later", "ok")]


def test_who_got_no_secret_commits_a_new_one_and_writes(bob: Member) -> None:
    assert bob.is_shown(rotation(bob), wraps=False) == ""
    closed = bob.rooms.epoch(bob.home.room, 1)
    assert closed is not None
    assert not closed.opened
    bob.server_gives_back(with_wrap=True)
    assert bob.writes() == "accepted"
    assert bob.head.epoch == 2


def test_a_server_that_never_hands_out_a_secret_is_not_asked_for_ever(bob: Member) -> None:
    assert bob.is_shown(rotation(bob), wraps=False) == ""
    bob.server_gives_back(with_wrap=False)
    with pytest.raises(Unverified, match="epoch_unusable"):
        bob.writes()


# Who was removed, and who came later


def with_carol(bob: Member) -> tuple[dict[str, Received], EpochState]:
    """carol is in from epoch 1 on: what everybody has, and her own chains."""
    by = bob.cast.committer(bob.cast.alice, bob.received["alice"].epoch)
    bob.pins(bob.cast.carol)
    add = commit_add(bob.view, [bob.cast.carol.devices], by)
    assert bob.is_shown(add) == ""
    received = {**bob.received, "carol": bob.received["alice"]}
    after = everyone(bob.cast, received, add)
    hers = after["carol"].epoch
    assert hers is not None
    return after, hers


def test_what_a_removed_member_writes_afterwards_is_not_believed(bob: Member) -> None:
    after, hers = with_carol(bob)
    carol = Writer(bob.cast.carol, hers)
    genuine = carol.seal("goodbye", b"1" * 16)
    bob.home.stored(genuine.envelope, 3)
    closing = after["alice"].epoch
    assert closing is not None
    chain = replace(closing.chains[bob.cast.carol.keys.device], n=1)
    closing = closing.with_chain(bob.cast.carol.keys.device, chain)
    by = bob.cast.committer(bob.cast.alice, closing)
    assert bob.is_shown(commit_remove(after["alice"].view, bob.cast.carol.user, by)) == ""
    bob.home.stored(carol.seal("I was never gone", b"2" * 16).envelope, 4)
    assert bob.home.shown() == [(3, "goodbye", "ok"), (4, None, "cut")]


def history_epochs(bob: Member) -> list[int]:
    bodies = bob.server.was_sent("/history-records")
    return [record["epoch"] for body in bodies for record in body["records"]]


def test_no_history_is_written_of_an_epoch_before_joining(bob: Member) -> None:
    """Not even with a secret that an insider slipped bob for it."""
    alice, carol, newcomer = bob.cast.alice, bob.cast.carol, bob.cast.bob
    origin = group_origin(alice.user, alice.account.public, alice.keys.device, seeded("other"))
    create = Create(origin, sorted_roster(row(alice, ROLE_ADMIN), row(carol)))
    first = Forgery(None, alice.keys, [create], to=[alice, carol, newcomer]).make()
    hers = bob.cast.receive(alice, None, first)
    add = commit_add(hers.view, [newcomer.devices], bob.cast.committer(alice, hers.epoch))
    bob.home.room = origin.room
    bob.rooms.store.run("INSERT INTO rooms (room, summary) VALUES (?, '{}')", origin.room)
    assert bob.is_shown(first, add) == ""
    assert bob.rooms.epoch(origin.room, 0) is None
    assert history_epochs(bob) == [1]
