"""Commits with one thing wrong, refused by the name that clients have for it."""

from dataclasses import replace

import pytest

from crypto_client.commit import ClearState
from crypto_client.committing import member_row
from crypto_client.encoding import lp
from crypto_client.ops import ChangeState, Op, Refresh, Seen, SetRole, UnknownOp
from crypto_client.statements import make_remove_intent
from tests.rooms.forging import forge
from tests.rooms.garden import id_bytes
from tests.rooms.judging import (
    after,
    cut,
    judge,
    offer,
    removal,
    subject,
    with_ops,
)

# the roster is computed, and every operation has its right


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
    ops: list[Op] = [SetRole(id_bytes("bob"), 2), removal(g, "bob"), cut(g, "bob")]
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
    # who may be the committer
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
    # lists
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
