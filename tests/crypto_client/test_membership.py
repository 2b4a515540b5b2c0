"""Who is in a room, and who may decide it."""

from dataclasses import replace

import pytest

from crypto_client.commit import Commit
from crypto_client.committing import (
    Committer,
    commit_add,
    commit_refresh,
    commit_remove,
    commit_role,
    commit_rotation,
    make_commit,
)
from crypto_client.device_list import (
    KnownList,
    accept_device_list,
    first_device_list,
    next_device_list,
)
from crypto_client.epoch import Trust, may_seal, settle, users_to_refresh
from crypto_client.errors import (
    CommitterError,
    ForkError,
    ListRollbackError,
    OpForbiddenError,
    ReferenceMissingError,
    RosterError,
)
from crypto_client.identity import new_account, new_device
from crypto_client.prekeys import SignedPrekey, new_prekey, parse_prekey
from crypto_client.ratchet import seen_ops
from crypto_client.receiving import Received, follow_chain
from crypto_client.roster import find_member
from crypto_client.statements import make_leave
from crypto_client.vectors.cast import NOW, Person, World, everyone, group, world
from crypto_client.vectors.forge import Forgery


@pytest.fixture
def cast() -> World:
    return world("alice", "bob", "carol", "mallory")


@pytest.fixture
def garden(cast: World) -> dict[str, Received]:
    """alice (admin), bob and carol in epoch 0."""
    return group(cast, "alice", "bob", "carol")[1]


def by(cast: World, who: Person, received: Received) -> Committer:
    return cast.committer(who, received.epoch)


def users(received: Received) -> set[bytes]:
    return {member.user for member in received.view.roster}


def test_a_roster_is_computed_and_never_taken_from_a_message(
    cast: World, garden: dict[str, Received]
) -> None:
    rows = garden["bob"].view.roster
    without_alice = tuple(row for row in rows if row.user != cast.alice.user)
    coup = Forgery(garden["bob"].view, cast.carol.keys, to=[cast.bob], roster=without_alice).make()
    with pytest.raises(RosterError):
        cast.receive(cast.bob, garden["bob"].view, coup)


def test_a_plain_member_cannot_promote_himself(cast: World, garden: dict[str, Received]) -> None:
    view = garden["carol"].view
    commit = commit_role(view, cast.carol.user, 2, by(cast, cast.carol, garden["carol"]))
    with pytest.raises(OpForbiddenError):
        cast.receive(cast.bob, view, commit)


def ghost_of(who: Person) -> Person:
    """Give an account key and device that the server invented for somebody."""
    account = replace(new_account(who.user), user=who.user)
    keys = new_device(who.user, account.public, NOW)
    devices = first_device_list(account, [keys.entry()], time=NOW, bk_pub=bytes(1216))
    return replace(who, account=account, keys=keys, devices=devices)


def test_no_automatic_commit_brings_in_a_new_account_key(
    cast: World, garden: dict[str, Received]
) -> None:
    ghost = ghost_of(cast.bob)
    lists = {**cast.lists, ghost.devices.list_hash: ghost.devices}
    committer = replace(by(cast, cast.alice, garden["alice"]), lists=lists)
    with pytest.raises(OpForbiddenError):
        commit_refresh(garden["alice"].view, [ghost.devices], committer)


def test_a_changed_account_key_stops_writing_until_a_person_decides(
    cast: World, garden: dict[str, Received]
) -> None:
    known: dict[bytes, KnownList] = {}
    commit = commit_add(
        garden["alice"].view, [cast.mallory.devices], by(cast, cast.alice, garden["alice"])
    )
    pins = {**cast.trust().pins, cast.mallory.user: cast.bob.account.public}
    got = cast.receive(cast.bob, garden["bob"].view, commit, Trust(cast.lists, pins))
    assert got.outcome == "pin_mismatch"
    assert not may_seal(got.view, known)
    assert may_seal(settle(got.view, cast.mallory.user), known)


def test_who_leaves_does_not_make_the_key_of_the_epoch_without_him(
    cast: World, garden: dict[str, Received]
) -> None:
    carol = garden["carol"]
    leave = make_leave(cast.carol.keys, carol.view.room, 0)
    with pytest.raises(CommitterError):
        commit_remove(carol.view, cast.carol.user, by(cast, cast.carol, carol), leave)


def test_a_leave_is_committed_by_another_member(cast: World, garden: dict[str, Received]) -> None:
    leave = make_leave(cast.carol.keys, garden["carol"].view.room, 0)
    commit = commit_remove(
        garden["bob"].view, cast.carol.user, by(cast, cast.bob, garden["bob"]), leave
    )
    after = everyone(cast, garden, commit)
    assert cast.carol.user not in users(after["alice"])
    assert after["carol"].epoch is None


def test_a_leave_cannot_be_used_again_after_coming_back(
    cast: World, garden: dict[str, Received]
) -> None:
    leave = make_leave(cast.carol.keys, garden["carol"].view.room, 0)
    gone = everyone(
        cast,
        garden,
        commit_remove(
            garden["bob"].view, cast.carol.user, by(cast, cast.bob, garden["bob"]), leave
        ),
    )
    back = everyone(
        cast,
        gone,
        commit_add(gone["alice"].view, [cast.carol.devices], by(cast, cast.alice, gone["alice"])),
    )
    assert find_member(back["bob"].view.roster, cast.carol.user) is not None
    again = commit_remove(back["bob"].view, cast.carol.user, by(cast, cast.bob, back["bob"]), leave)
    with pytest.raises(OpForbiddenError):
        cast.receive(cast.alice, back["alice"].view, again)


def test_a_lost_race_is_made_again_with_a_fresh_secret(
    cast: World, garden: dict[str, Received]
) -> None:
    committer = Committer(cast.alice.keys, cast.lists, cast.prekeys, NOW)
    first = commit_rotation(garden["alice"].view, committer)
    second = commit_rotation(garden["alice"].view, committer)
    assert first.core != second.core
    assert first.tag != second.tag


def test_a_removed_member_cannot_come_back_on_his_own(
    cast: World, garden: dict[str, Received]
) -> None:
    gone = everyone(
        cast,
        garden,
        commit_remove(garden["alice"].view, cast.carol.user, by(cast, cast.alice, garden["alice"])),
    )
    with pytest.raises(CommitterError):
        commit_rotation(gone["carol"].view, cast.committer(cast.carol))
    forged = Forgery(gone["bob"].view, cast.carol.keys, to=[cast.bob]).make()
    with pytest.raises(CommitterError):
        cast.receive(cast.bob, gone["bob"].view, forged)


def test_a_commit_on_an_old_head_is_a_fork(cast: World, garden: dict[str, Received]) -> None:
    after = everyone(
        cast, garden, commit_rotation(garden["alice"].view, by(cast, cast.alice, garden["alice"]))
    )
    late = commit_rotation(garden["bob"].view, by(cast, cast.bob, garden["bob"]))
    with pytest.raises(ForkError):
        cast.receive(cast.carol, after["carol"].view, late)


def test_a_hidden_revocation_is_noticed(cast: World) -> None:
    bob = cast.bob
    laptop = new_device(bob.user, bob.account.public, NOW)
    newer = next_device_list(bob.account, bob.devices, [laptop.entry()], time=NOW)
    amk_pub = bob.account.public
    known = accept_device_list(None, [newer], user=bob.user, amk_pub=amk_pub)
    with pytest.raises(ListRollbackError):
        accept_device_list(known, [bob.devices], user=bob.user, amk_pub=amk_pub)


def test_nobody_writes_in_an_epoch_whose_roster_names_an_older_list(
    cast: World, garden: dict[str, Received]
) -> None:
    bob = cast.bob
    laptop = new_device(bob.user, bob.account.public, NOW)
    newer = next_device_list(bob.account, bob.devices, [laptop.entry()], time=NOW)
    view = garden["alice"].view
    known = {bob.user: KnownList(2, newer.list_hash)}
    assert users_to_refresh(view, known) == (bob.user,)
    assert not may_seal(view, known)
    lists = {**cast.lists, newer.list_hash: newer}
    committer = replace(by(cast, cast.alice, garden["alice"]), lists=lists)
    commit = commit_refresh(view, [newer], committer)
    got = cast.receive(cast.alice, view, commit, replace(cast.trust(), lists=lists))
    assert may_seal(got.view, known)
    assert bob.keys.device in got.cuts


def test_a_missing_device_list_is_named(cast: World, garden: dict[str, Received]) -> None:
    commit = commit_add(
        garden["alice"].view, [cast.mallory.devices], by(cast, cast.alice, garden["alice"])
    )
    lists = {k: v for k, v in cast.lists.items() if k != cast.mallory.devices.list_hash}
    with pytest.raises(ReferenceMissingError) as refusal:
        cast.receive(cast.bob, garden["bob"].view, commit, replace(cast.trust(), lists=lists))
    assert refusal.value.list_hash == cast.mallory.devices.list_hash


def test_a_device_list_is_found_by_its_hash_and_nothing_else(
    cast: World, garden: dict[str, Received]
) -> None:
    commit = commit_rotation(garden["alice"].view, by(cast, cast.alice, garden["alice"]))
    swapped = {**cast.lists, cast.carol.devices.list_hash: cast.mallory.devices}
    with pytest.raises(ReferenceMissingError):
        cast.receive(cast.bob, garden["bob"].view, commit, replace(cast.trust(), lists=swapped))


def broken_prekey(who: Person) -> SignedPrekey:
    """Give a prekey whose X25519 half is of small order, properly signed."""
    data = who.prekey.data.replace(parse_public(who)[-32:], bytes(32))
    assert data != who.prekey.data
    fresh = SignedPrekey(data, b"")
    return replace(fresh, sig=who.keys.sign("prekey", fresh.prekey_hash))


def parse_public(who: Person) -> bytes:
    return parse_prekey(who.prekey.data).public


def test_one_broken_prekey_does_not_stop_a_room(cast: World, garden: dict[str, Received]) -> None:
    prekeys = {**cast.prekeys, cast.bob.keys.device: broken_prekey(cast.bob)}
    committer = replace(by(cast, cast.alice, garden["alice"]), prekeys=prekeys)
    commit = commit_remove(garden["alice"].view, cast.carol.user, committer)
    assert cast.bob.keys.device not in commit.wraps
    got = cast.receive(cast.bob, garden["bob"].view, commit)
    assert got.outcome == "epoch_unusable"
    assert cast.carol.user not in users(got)


def test_a_device_without_a_wrap_recovers_by_committing(
    cast: World, garden: dict[str, Received]
) -> None:
    committer = replace(by(cast, cast.alice, garden["alice"]), prekeys={})
    alone = commit_rotation(garden["alice"].view, committer)
    stuck = everyone(cast, garden, alone)
    assert {got.outcome for got in stuck.values()} == {"epoch_unusable"}
    healed = everyone(
        cast, stuck, commit_rotation(stuck["bob"].view, by(cast, cast.bob, stuck["bob"]))
    )
    assert {got.outcome for got in healed.values()} == {"ok"}


def test_an_older_prekey_than_the_rooms_last_is_not_used(
    cast: World, garden: dict[str, Received]
) -> None:
    _, newer = new_prekey(cast.bob.keys, seq=2, created=NOW)
    device = cast.bob.keys.device
    committer = by(cast, cast.alice, garden["alice"])
    fresh = replace(committer, prekeys={**cast.prekeys, device: newer})
    assert device in commit_rotation(garden["alice"].view, fresh).wraps
    rolled_back = replace(committer, seq_floor={device: 2})
    assert device not in commit_rotation(garden["alice"].view, rolled_back).wraps


def test_every_dropped_device_is_given_its_end(cast: World, garden: dict[str, Received]) -> None:
    dropped = frozenset({cast.carol.keys.device})
    assert [op.next_n for op in seen_ops(garden["alice"].epoch, dropped)] == [0]
    assert [op.next_n for op in seen_ops(None, dropped)] == [4096]


def test_a_newcomer_verifies_the_chain_from_epoch_0(cast: World) -> None:
    first, received = group(cast, "alice", "bob")
    second = commit_add(
        received["alice"].view,
        [cast.carol.devices],
        by(cast, cast.alice, received["alice"]),
    )
    chain: list[Commit] = [replace(first, wraps={}), second]
    room = received["alice"].view.room
    got = follow_chain(None, chain, room=room, trust=cast.trust(), source=cast.carol.source)
    assert got[0].epoch is None
    assert got[1].epoch is not None
    assert got[1].view.title == "garden"


def test_a_stranger_cannot_commit(cast: World, garden: dict[str, Received]) -> None:
    assert cast.mallory.user not in users(garden["alice"])
    with pytest.raises(CommitterError):
        make_commit(garden["alice"].view, [], cast.committer(cast.mallory))
