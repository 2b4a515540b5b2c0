"""What the server refuses of a commit, so that no room is halted by one that no client accepts.

Every forged commit is given to the client too: the server may be stricter, never more lenient.
"""

from dataclasses import replace
from uuid import UUID

import pytest

from crypto_client.commit import ClearState, Commit
from crypto_client.committing import commit_refresh, commit_role, commit_title, member_row
from crypto_client.encoding import lp
from crypto_client.epoch import Trust
from crypto_client.errors import ProtocolError
from crypto_client.ops import (
    Add,
    ChangeState,
    Refresh,
    Remove,
    Seen,
    SetRole,
    UnknownOp,
    apply_ops,
)
from crypto_client.receiving import receive_commit
from crypto_client.roster import find_member, roster_hash
from crypto_client.statements import Subject, make_leave, make_remove_intent
from rooms import services
from rooms.access import chain_roster
from rooms.models import EpochCommit, Room
from rooms.outcomes import CommitRefused
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


def offer(garden, by, forged, device=None):
    """Hand a commit to the server as one of the cast; gives the outcome, "ok" when it took it."""
    sent, wraps = forged
    person = garden.cast[by]
    try:
        services.insert_pending_commit(
            actor=person.user,
            device_id=device or person.device_id,
            room_id=garden.id,
            sent=sent,
            wraps=wraps,
        )
    except CommitRefused as refused:
        assert not EpochCommit.objects.filter(status=EpochCommit.Status.PENDING).exists()
        return refused.outcome
    return "ok"


def judge(garden, forged):
    """What a client says to it: an outcome, or "ok"."""
    sent, _ = forged
    commit = Commit(sent.core, sent.tag, sent.sig, sent.ops, sent.state, sent.prekeys)
    trust = Trust(garden.chain.lists, {})
    try:
        received = receive_commit(
            garden.chain.head, commit, room=garden.chain.head.room, trust=trust
        )
    except ProtocolError as error:
        return error.outcome
    return received.outcome


def row(garden, name):
    found = find_member(garden.chain.head.roster, id_bytes(name))
    assert found is not None
    return found


def removal(garden, name, statement=b""):
    member = row(garden, name)
    return Remove(member.user, member.amk_pub, member.joined_epoch, statement)


def subject(garden, name, **changes):
    member = row(garden, name)
    about = Subject(garden.chain.head.room, member.user, member.amk_pub, member.joined_epoch)
    return replace(about, **changes)


def cut(garden, name):
    return Seen(garden.chain.keys[name].device.device, 4096)


def after(garden, *ops):
    return apply_ops(garden.chain.head.roster, ops)


def with_ops(garden, by, *ops, **changes):
    """A commit whose roster is what its operations make."""
    return forge(garden.chain, by, ops, roster=after(garden, *ops), **changes)


def newcomer(garden, name, **changes):
    epoch = garden.chain.head.epoch + 1
    return Add(replace(member_row(garden.chain.list_of(name), joined_epoch=epoch), **changes))


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
    ops = [removal(garden, "carol", intent.encode()), cut(garden, "carol")]

    assert offer(garden, "bob", with_ops(garden, "bob", *ops)) == "ok"


# F1: the roster is computed, and every operation has its right


def rotation_that_drops_alice(g):
    rest = tuple(m for m in g.chain.head.roster if m.user != id_bytes("alice"))
    return forge(g.chain, "bob", [], roster=rest)


def rotation_that_adds_a_ghost(g):
    ghost = member_row(g.chain.list_of("mallory"), joined_epoch=0)
    roster = tuple(sorted([*g.chain.head.roster, ghost], key=lambda m: m.user))
    return forge(g.chain, "bob", [], roster=roster)


def rotation_that_raises_a_role(g):
    roster = tuple(replace(m, role=2) for m in g.chain.head.roster)
    return forge(g.chain, "bob", [], roster=roster)


def two_ops_on_one_account(g):
    ops = [SetRole(id_bytes("bob"), 2), removal(g, "bob"), cut(g, "bob")]
    rest = tuple(m for m in g.chain.head.roster if m.user != id_bytes("bob"))
    return forge(g.chain, "alice", ops, roster=rest)


def ops_out_of_order(g):
    ops = lp(lp(b"\x06"), lp(b"\x04", id_bytes("bob"), b"\x02"))
    return forge(g.chain, "alice", [], raw_ops=ops)


def open_group_closed_by_a_member(g):
    clear = replace(g.chain.head.clear, add_policy=1)
    return forge(g.chain, "bob", [ChangeState()], clear=clear)


FORGED = {
    "rotate-drops-member": (rotation_that_drops_alice, "bob", "roster"),
    "rotate-adds-ghost": (rotation_that_adds_a_ghost, "bob", "roster"),
    "rotate-raises-role": (rotation_that_raises_a_role, "bob", "roster"),
    "remove-by-member": (
        lambda g: with_ops(g, "bob", removal(g, "alice"), cut(g, "alice")),
        "bob",
        "op_forbidden",
    ),
    "role-by-member": (
        lambda g: with_ops(g, "bob", SetRole(id_bytes("bob"), 2)),
        "bob",
        "op_forbidden",
    ),
    "role-unknown": (
        lambda g: with_ops(g, "alice", SetRole(id_bytes("bob"), 3)),
        "alice",
        "op_forbidden",
    ),
    "role-results-in-no-admin": (
        lambda g: with_ops(g, "alice", SetRole(id_bytes("alice"), 1)),
        "alice",
        "op_forbidden",
    ),
    "state-by-member": (open_group_closed_by_a_member, "bob", "op_forbidden"),
    "state-without-op": (
        lambda g: forge(g.chain, "alice", [], clear=replace(g.chain.head.clear, add_policy=1)),
        "alice",
        "op_forbidden",
    ),
    "state-other-kind": (
        lambda g: forge(g.chain, "alice", [ChangeState()], clear=ClearState(2)),
        "alice",
        "op_forbidden",
    ),
    "op-unknown": (lambda g: forge(g.chain, "alice", [UnknownOp(lp(b"\x09"))]), "alice", "roster"),
    "op-noop": (
        lambda g: forge(g.chain, "alice", [SetRole(id_bytes("bob"), 1)]),
        "alice",
        "roster",
    ),
    "two-ops-one-user": (two_ops_on_one_account, "alice", "roster"),
    "ops-out-of-order": (ops_out_of_order, "alice", "parse"),
    "roster-hash-wrong": (
        lambda g: forge(g.chain, "alice", [], roster_hash=bytes(32)),
        "alice",
        "roster",
    ),
    "ops-not-the-named": (
        lambda g: forge(g.chain, "alice", [], ops_hash=bytes(32)),
        "alice",
        "reference",
    ),
    "other-room": (lambda g: forge(g.chain, "alice", [], room=bytes(16)), "alice", "reference"),
    "removal-of-another-stay": (
        lambda g: forge(
            g.chain, "alice", [replace(removal(g, "bob"), joined_epoch=1), cut(g, "bob")]
        ),
        "alice",
        "roster",
    ),
    "drop-without-seen": (
        lambda g: with_ops(g, "alice", removal(g, "bob")),
        "alice",
        "op_forbidden",
    ),
    "seen-of-a-stranger": (
        lambda g: forge(g.chain, "alice", [Seen(bytes(16), 1)]),
        "alice",
        "op_forbidden",
    ),
    "signed-by-another-device": (
        lambda g: forge(g.chain, "bob", [], signer=g.chain.keys["alice"].device),
        "bob",
        "signature",
    ),
    # F3, F5: who may be the committer
    "commit-by-leaver": (
        lambda g: with_ops(
            g,
            "bob",
            removal(g, "bob", g.leave_statement("bob").encode()),
            cut(g, "bob"),
        ),
        "bob",
        "committer",
    ),
    "leave-statement-forged": (
        lambda g: with_ops(
            g,
            "bob",
            removal(g, "alice", replace(g.leave_statement("alice"), sig=bytes(64)).encode()),
            cut(g, "alice"),
        ),
        "bob",
        "op_forbidden",
    ),
    "leave-statement-by-another": (
        lambda g: with_ops(
            g,
            "bob",
            removal(g, "alice", g.leave_statement("bob").encode()),
            cut(g, "alice"),
        ),
        "bob",
        "op_forbidden",
    ),
    "remove-intent-by-non-admin": (
        lambda g: with_ops(
            g,
            "bob",
            removal(g, "alice", intent_by(g, "bob", "alice").encode()),
            cut(g, "alice"),
        ),
        "bob",
        "op_forbidden",
    ),
    # F4: lists
    "refresh-to-unknown-list": (
        lambda g: with_ops_raw(g, "alice", Refresh(id_bytes("bob"), 2, bytes(32))),
        "alice",
        "reference",
    ),
    "refresh-to-list-of-other-user": (
        lambda g: with_ops_raw(
            g, "alice", Refresh(id_bytes("bob"), 2, g.chain.list_of("alice").list_hash)
        ),
        "alice",
        "op_forbidden",
    ),
}


def intent_by(garden, signer, name):
    return make_remove_intent(garden.chain.keys[signer].device, subject(garden, name))


def with_ops_raw(garden, by, *ops):
    """The operations' own result is claimed, though no list for it is at hand."""
    return forge(garden.chain, by, ops, roster=after(garden, *ops), rows=[], wraps={})


@pytest.mark.parametrize("case", FORGED)
def test_a_forged_commit_is_refused_by_the_name_the_client_has_for_it(garden, case):
    make, by, outcome = FORGED[case]
    forged = make(garden)

    assert judge(garden, forged) == outcome
    assert offer(garden, by, forged) == outcome


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


def commit_of(sent, wraps):
    by_device = {device.bytes: wrap for device, wrap in wraps.items()}
    return Commit(
        sent.core, sent.tag, sent.sig, sent.ops, sent.state, sent.prekeys, wraps=by_device
    )


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
    ops = [removal(garden, "carol", intent.encode()), cut(garden, "carol")]
    forged = with_ops(garden, "bob", *ops)

    assert judge(garden, forged) == offer(garden, "bob", forged) == "op_forbidden"


def test_a_revoked_device_is_never_the_committer(garden):
    thief, safe = garden.chain.keys["bob"].device, another_device(garden, "bob")
    signed = relist(garden, "bob", safe)
    ops = [Refresh(id_bytes("bob"), 2, signed.list_hash), cut(garden, "bob")]
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
    ops = [Refresh(id_bytes("bob"), 1, older.list_hash), Seen(tablet.device, 4096)]
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
