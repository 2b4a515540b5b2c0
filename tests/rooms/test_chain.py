"""What the server refuses of a commit, so that no room is halted by one that no client accepts.

Every forged commit is given to the client too: the server may be stricter, never more lenient.
"""

from dataclasses import replace
from uuid import UUID

import pytest

from crypto_client.committing import commit_refresh, commit_role, commit_title
from crypto_client.ops import (
    ChangeState,
    Op,
    Refresh,
    Seen,
)
from crypto_client.roster import roster_hash
from crypto_client.statements import make_leave, make_remove_intent
from rooms.access import chain_roster
from rooms.models import Room
from rooms.roster import roster_hash as own_roster_hash
from rooms.services.commits import roster_of
from tests.rooms.forging import forge
from tests.rooms.garden import (
    another_device,
    befriend,
    id_bytes,
    make_direct,
    relist,
    sent_of,
    wraps_of,
)
from tests.rooms.judging import (
    commit_of,
    cut,
    judge,
    newcomer,
    offer,
    removal,
    subject,
    with_ops,
)

# What is allowed


def test_a_plain_rotation_by_a_member_is_taken(garden):
    assert offer(garden, "bob", forge(garden.chain, "bob", [])) == "ok"


def test_the_servers_hashes_are_the_clients(garden):
    room = Room.objects.get()

    assert room.id == UUID(bytes=garden.chain.head.room)
    assert bytes(room.head_hash) == garden.chain.head.head == garden.chain.commits[-1].hash
    assert own_roster_hash(roster_of(chain_roster(room.id))) == roster_hash(
        garden.chain.head.roster
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda g: g.add("alice", "carol"),
        lambda g: g.remove("alice", "bob"),
        lambda g: commit_role(g.chain.head, id_bytes("bob"), 2, g.chain.by("alice")),
        lambda g: commit_title(g.chain.head, "orchard", g.chain.by("alice")),
        lambda g: g.rotate("alice"),
    ],
    ids=["add", "remove", "role", "title", "rotate"],
)
def test_what_an_admins_client_makes_is_taken_and_the_rosters_agree(garden, make):
    garden.commit("alice", make(garden))

    roster = roster_of(chain_roster(garden.id))
    assert own_roster_hash(roster) == roster_hash(garden.chain.head.roster)


def test_a_new_device_enters_by_a_refresh_that_it_may_commit_itself(garden):
    tablet = another_device(garden, "bob")
    signed = relist(garden, "bob", garden.chain.keys["bob"].device, tablet)
    commit = commit_refresh(garden.chain.head, [signed], garden.chain.by("bob", keys=tablet))
    offered = (sent_of(commit), wraps_of(commit))

    assert offer(garden, "bob", offered, device=UUID(bytes=tablet.device)) == "ok"


def test_any_member_may_carry_out_what_an_admin_has_signed(garden):
    garden.commit("alice", garden.add("alice", "carol"))
    intent = make_remove_intent(garden.chain.keys["alice"].device, subject(garden, "carol"))
    ops: list[Op] = [removal(garden, "carol", intent.encode()), cut(garden, "carol")]

    assert offer(garden, "bob", with_ops(garden, "bob", *ops)) == "ok"


def test_a_member_may_not_add_where_only_admins_do(garden):
    befriend(garden.cast.bob, garden.cast.carol)
    forged = with_ops(garden, "bob", newcomer(garden, "carol"))

    assert judge(garden, forged) == offer(garden, "bob", forged) == "op_forbidden"


@pytest.mark.parametrize("change", [{"role": 2}, {"joined_epoch": 0}], ids=["role", "joined"])
def test_nobody_joins_as_admin_or_in_the_past(garden, change):
    forged = with_ops(garden, "alice", newcomer(garden, "carol", **change))

    assert judge(garden, forged) == offer(garden, "alice", forged) == "op_forbidden"


def test_history_only_becomes_stricter(garden):
    strict = replace(garden.chain.head.clear, history_policy=0)
    sent, wraps = forge(garden.chain, "alice", [ChangeState()], clear=strict)
    garden.commit("alice", commit_of(sent, wraps))
    loose = replace(strict, history_policy=1)
    forged = forge(garden.chain, "alice", [ChangeState()], clear=loose)

    assert judge(garden, forged) == offer(garden, "alice", forged) == "op_forbidden"


@pytest.mark.parametrize(
    "change",
    [{"room": bytes(16)}, {"joined_epoch": 7}, {"user": id_bytes("alice")}],
    ids=["other-room", "old-joined-epoch", "other-person"],
)
def test_an_old_or_foreign_statement_removes_nobody(garden, change):
    garden.commit("alice", garden.add("alice", "carol"))
    intent = make_remove_intent(
        garden.chain.keys["alice"].device, subject(garden, "carol", **change)
    )
    ops: list[Op] = [removal(garden, "carol", intent.encode()), cut(garden, "carol")]
    forged = with_ops(garden, "bob", *ops)

    assert judge(garden, forged) == offer(garden, "bob", forged) == "op_forbidden"


def test_a_revoked_device_is_never_the_committer(garden):
    thief, safe = garden.chain.keys["bob"].device, another_device(garden, "bob")
    signed = relist(garden, "bob", safe)
    ops: list[Op] = [Refresh(id_bytes("bob"), 2, signed.list_hash), cut(garden, "bob")]
    forged = with_ops(garden, "bob", *ops)

    assert judge(garden, forged) == "committer"
    assert offer(garden, "bob", forged, device=UUID(bytes=thief.device)) == "committer"


def test_a_new_device_cannot_commit_without_its_refresh(garden):
    tablet = another_device(garden, "bob")
    relist(garden, "bob", garden.chain.keys["bob"].device, tablet)
    forged = forge(garden.chain, "bob", [], signer=tablet, committer_device=tablet.device)

    assert judge(garden, forged) == "committer"
    assert offer(garden, "bob", forged, device=UUID(bytes=tablet.device)) == "committer"


def test_a_commit_in_the_name_of_another_device_is_refused(garden):
    forged = forge(garden.chain, "alice", [])
    assert judge(garden, forged) == "ok"

    assert offer(garden, "bob", forged) == "committer"


def test_a_list_is_never_taken_back(garden):
    older = garden.chain.list_of("bob")
    tablet = another_device(garden, "bob")
    signed = relist(garden, "bob", garden.chain.keys["bob"].device, tablet)
    garden.commit("alice", commit_refresh(garden.chain.head, [signed], garden.chain.by("alice")))
    ops: list[Op] = [Refresh(id_bytes("bob"), 1, older.list_hash), Seen(tablet.device, 4096)]
    forged = with_ops(garden, "alice", *ops)

    assert judge(garden, forged) == offer(garden, "alice", forged) == "list_rollback"


def test_nobody_is_added_to_or_removed_from_a_direct_room(cast):
    direct = make_direct(cast, "alice", "bob")
    add = with_ops(direct, "alice", newcomer(direct, "carol"))
    statement = make_leave(direct.chain.keys["bob"].device, direct.chain.head.room, 0)
    gone = with_ops(direct, "alice", removal(direct, "bob", statement.encode()), cut(direct, "bob"))

    assert judge(direct, add) == offer(direct, "alice", add) == "op_forbidden"
    assert judge(direct, gone) == offer(direct, "alice", gone) == "op_forbidden"


@pytest.mark.parametrize("field", ["core", "ops", "state", "prekeys"])
def test_a_trailing_byte_in_any_part_does_not_parse(garden, field):
    sent, wraps = forge(garden.chain, "bob", [])
    forged = (replace(sent, **{field: getattr(sent, field) + b"\0"}), wraps)

    assert judge(garden, forged) == offer(garden, "bob", forged) == "parse"


def test_another_suite_is_refused_by_its_name(garden):
    sent, wraps = forge(garden.chain, "bob", [])
    other = sent.core.replace(b"commit\0\0\0\1\1", b"commit\0\0\0\1\2")
    assert other != sent.core

    assert judge(garden, (replace(sent, core=other), wraps)) == "suite"
    assert offer(garden, "bob", (replace(sent, core=other), wraps)) == "suite"
