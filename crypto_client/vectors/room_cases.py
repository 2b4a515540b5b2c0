"""Vectors of docs/protocol.md §6: origins, operations, statements."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from crypto_client.committing import member_row
from crypto_client.encoding import encode_base64url as b64
from crypto_client.encoding import lp, lp_split, u8
from crypto_client.ops import Add, Create, Op, Refresh, Remove, SetRole, UnknownOp, encode_ops
from crypto_client.primitives import public_key
from crypto_client.roster import (
    ROLE_ADMIN,
    Member,
    Roster,
    direct_origin,
    encode_roster,
    group_origin,
)
from crypto_client.statements import (
    Statement,
    Subject,
    make_leave,
    make_remove_intent,
    make_server_remove,
)
from crypto_client.vectors.case import Case
from crypto_client.vectors.cast import NOW, Person, World, seeded

SERVER_SEED = seeded("server")(32)


def cases(cast: World) -> Iterator[tuple[str, Case]]:
    """Give every case with its topic."""
    groups = {
        "origin": _origins(cast),
        "ops": _ops(cast),
        "statement": _statements(cast),
    }
    for topic, group in groups.items():
        yield from ((topic, case) for case in group)


def row(who: Person, role: int = 1, joined: int = 0) -> Member:
    """Give somebody's row of a roster."""
    return member_row(who.devices, role=role, joined_epoch=joined)


def sorted_roster(*rows: Member) -> Roster:
    """Put rows in order."""
    return tuple(sorted(rows, key=lambda member: member.user))


def _origins(cast: World) -> Iterator[Case]:
    alice, bob = cast.alice, cast.bob
    pairs = [(p.user, p.account.public) for p in (alice, bob)]
    direct = direct_origin(*pairs).data
    first, second = lp_split(direct)[2:]
    group = group_origin(alice.user, alice.account.public, alice.keys.device, seeded("g")).data
    fields = lp_split(group)
    rows: list[tuple[str, str, bytes, str]] = [
        ("group", "a genesis", group, "ok"),
        ("direct", "two accounts", direct, "ok"),
        ("direct-unsorted", "one form only", lp(b"direct", u8(1), second, first), "parse"),
        ("direct-with-self", "two differ", lp(b"direct", u8(1), first, first), "parse"),
        ("kind-2-genesis", "a genesis is a group", lp(*fields[:2], u8(2), *fields[3:]), "parse"),
        ("suite-2", "an unknown suite", lp(fields[0], u8(2), *fields[2:]), "suite"),
        ("label", "another label", lp(b"geneses", *fields[1:]), "parse"),
    ]
    for name, comment, data, expect in rows:
        yield Case(name, comment, "6.1", "origin", {"data": b64(data)}, expect)


def _ops(cast: World) -> Iterator[Case]:
    alice, bob = cast.alice, cast.bob
    before = sorted_roster(row(alice, ROLE_ADMIN), row(bob))
    origin = group_origin(alice.user, alice.account.public, alice.keys.device, seeded("g"))
    create = Create(origin, before)
    gone = Remove(bob.user, bob.account.public, 0)

    def case(
        name: str, comment: str, ops: Sequence[Op], expect: str = "roster", **more: Any
    ) -> Case:
        encoded = more.get("encoded", encode_ops(ops))
        roster = more.get("roster", before)
        given = {"roster": roster and b64(encode_roster(roster)), "ops": b64(encoded)}
        return Case(name, comment, "6.3", "apply_ops", given, expect)

    yield from _fitting_ops(case, cast, create, gone)
    yield from _ops_that_do_not_fit(case, cast, create, gone)
    yield from _ops_of_another_form(case, cast)


def _fitting_ops(
    case: Callable[..., Case], cast: World, create: Create, gone: Remove
) -> Iterator[Case]:
    bob, carol = cast.bob, cast.carol
    yield case("create", "epoch 0", [create], "ok", roster=None)
    yield case("rotation", "nothing changes", [], "ok")
    yield case("add", "carol", [Add(row(carol, joined=1))], "ok")
    yield case("remove", "bob", [gone], "ok")
    yield case("role", "bob becomes admin", [SetRole(bob.user, 2)], "ok")
    yield case("refresh", "a newer list", [Refresh(bob.user, 2, bytes(32))], "ok")


def _ops_that_do_not_fit(
    case: Callable[..., Case], cast: World, create: Create, gone: Remove
) -> Iterator[Case]:
    bob, carol = cast.bob, cast.carol
    yield case("op-unknown", "type 9", [UnknownOp(lp(u8(9)))])
    yield case("op-noop", "the role that is there", [SetRole(bob.user, 1)])
    yield case("create-later", "a room begins once", [create])
    yield case("create-missing", "nothing to begin with", [], roster=None)
    yield case("add-twice", "bob is there", [Add(row(bob))])
    new_key = replace(row(bob), amk_pub=cast.mallory.account.public)
    yield case("add-existing-user-new-amk", "a new key is a new party", [Add(new_key)])
    yield case("remove-absent", "carol is not there", [replace(gone, user=carol.user)])
    stale = replace(gone, joined_epoch=1)
    yield case("remove-other-joined-epoch", "another membership", [stale])
    yield case("role-absent", "carol is not there", [SetRole(carol.user, 2)])
    two: list[Op] = [SetRole(bob.user, 2), Refresh(bob.user, 2, bytes(32))]
    yield case("two-ops-one-user", "one at a time", two)
    alone = sorted_roster(row(bob))
    yield case("empty-roster", "nobody is left", [gone], roster=alone)


def _ops_of_another_form(case: Callable[..., Case], cast: World) -> Iterator[Case]:
    bob, carol = cast.bob, cast.carol
    later = lp(SetRole(bob.user, 2).encode(), Add(row(carol)).encode())
    yield case("unsorted", "one order only", [], "parse", encoded=later)
    twice = lp(SetRole(bob.user, 2).encode(), SetRole(bob.user, 2).encode())
    yield case("duplicate", "the same twice", [], "parse", encoded=twice)
    bad_role = lp(lp(u8(2), replace(row(carol), role=3).encode()))
    yield case("add-role-3", "an unknown role", [], "parse", encoded=bad_role)


def _statements(cast: World) -> Iterator[Case]:
    alice, bob = cast.alice, cast.bob
    room = b"r" * 16
    subject = Subject(room, bob.user, bob.account.public, 0)
    leave = make_leave(bob.keys, room, 0)
    intent = make_remove_intent(alice.keys, subject)
    by_server = make_server_remove(SERVER_SEED, subject, time=NOW, reason=1)

    def case(
        name: str, comment: str, statement: Statement, expect: str = "ok", **more: Any
    ) -> Case:
        given = {
            "data": b64(statement.encode()),
            "room": b64(room),
            "user": b64(bob.user),
            "amk_pub": b64(bob.account.public),
            "joined_epoch": 0,
            "signer_pub": b64(bob.keys.dsk_pub),
            **more,
        }
        return Case(name, comment, "6.5", "statement", given, expect)

    by_alice = {"signer_pub": b64(alice.keys.dsk_pub)}
    server = {"signer_pub": b64(public_key(SERVER_SEED))}
    yield case("leave", "bob leaves", leave)
    yield case("remove-intent", "alice wants bob to go", intent, **by_alice)
    yield case("server-remove", "bob's account is gone", by_server, **server)
    why = "bound to the room"
    yield case("leave-statement-other-room", why, leave, "signature", room=b64(b"q" * 16))
    why = "bound to the membership"
    yield case("leave-statement-old-joined-epoch", why, leave, "signature", joined_epoch=5)
    yield case("leave-statement-forged", "signed by alice", leave, "signature", **by_alice)
    as_intent = replace(leave, kind=2)
    yield case("leave-as-intent", "labels differ", as_intent, "signature")
    later = replace(by_server, time=bytes(8))
    yield case("server-remove-other-time", "time is signed", later, "signature", **server)
    yield case("kind-4", "an unknown kind", replace(leave, kind=4), "parse")
    timed = replace(leave, time=bytes(8), reason=b"\0")
    yield case("leave-with-time", "no place for it", timed, "parse")
