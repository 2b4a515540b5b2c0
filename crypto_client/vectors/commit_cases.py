"""Vectors of docs/protocol.md §7: commits that are accepted, and structural refusals."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from crypto_client import xwing
from crypto_client.commit import ClearState, Commit, parse_core
from crypto_client.committing import (
    Committer,
    commit_add,
    commit_history_off,
    commit_remove,
    commit_role,
    commit_rotation,
    commit_title,
)
from crypto_client.encoding import encode_base64url as b64
from crypto_client.encoding import lp, lp_split, u8
from crypto_client.ops import Add, ChangeState, Op, Seen
from crypto_client.primitives import h
from crypto_client.receiving import Received
from crypto_client.statements import make_leave
from crypto_client.vectors.case import Case, commit_in
from crypto_client.vectors.cast import World, direct, everyone, group
from crypto_client.vectors.forge import Forgery, with_core
from crypto_client.vectors.room_cases import row


def cases(cast: World) -> Iterator[tuple[str, Case]]:
    """Give every case with its topic."""
    first, received = group(cast, "alice", "bob")
    by = by_of(cast, received)
    for case in (
        *_beginnings(cast, first),
        *_memberships(cast, first, received, by),
        *_titles_and_policies(cast, received, by),
        *_tolerated(cast, first, received, by),
        *_chain(cast, received),
        *_cores(cast, received),
        *_parts_flipped_by_server(cast, received),
        *_signatures_and_tags(cast, received),
        *_beyond_limits(cast, received),
        *_list_missing(cast, received),
        *_unusable(cast, received),
    ):
        yield "commit", case
    for case in _wraps(cast, first):
        yield "wrap", case


def judged(
    cast: World,
    before: Received | None,
    commit: Commit,
    name: str,
    comment: str,
    expect: str = "ok",
    **more: Any,
) -> Case:
    """Make the case in which bob, or another ``reader``, receives a commit."""
    reader = more.pop("reader", cast.bob)
    room = before.view.room if before else parse_core(commit.core).room
    view = before.view if before else None
    given = commit_in(cast, view, commit, reader, more.pop("room", room), **more)
    return Case(name, comment, "7.3", "receive_commit", given, expect)


def _beginnings(cast: World, first: Commit) -> Iterator[Case]:
    yield judged(cast, None, first, "create-group", "epoch 0")
    pair, _ = direct(cast, "alice", "bob")
    yield judged(cast, None, pair, "create-direct", "two accounts, no admin")


def _memberships(
    cast: World, first: Commit, received: dict[str, Received], by: Committer
) -> Iterator[Case]:
    hers, his = received["alice"], received["bob"]
    yield judged(cast, his, commit_rotation(hers.view, by), "rotation", "no operation")
    add = commit_add(hers.view, [cast.carol.devices], by)
    yield judged(cast, his, add, "add", "by an admin")
    with_carol = everyone(cast, received, add)
    gone = commit_remove(with_carol["alice"].view, cast.carol.user, by_of(cast, with_carol))
    yield judged(cast, with_carol["bob"], gone, "remove", "by an admin, with a cut")
    why = "the removed one verifies and gets nothing"
    carol = cast.receive(cast.carol, None, first, None)
    carol = replace(carol, view=with_carol["bob"].view)
    yield judged(cast, carol, gone, "remove-read-by-removed", why, reader=cast.carol)
    leave = make_leave(cast.carol.keys, hers.view.room, 1)
    left = commit_remove(
        with_carol["bob"].view,
        cast.carol.user,
        cast.committer(cast.bob, with_carol["bob"].epoch),
        leave,
    )
    yield judged(cast, with_carol["bob"], left, "leave", "a member commits a leave")
    yield judged(cast, his, commit_role(hers.view, cast.bob.user, 2, by), "role", "a second admin")


def _titles_and_policies(
    cast: World, received: dict[str, Received], by: Committer
) -> Iterator[Case]:
    hers, his = received["alice"], received["bob"]
    yield judged(cast, his, commit_title(hers.view, "정원", by), "title", "renamed")
    ignored = Forgery(hers.view, cast.bob.keys, to=[cast.bob], title="other").make()
    why = "without a state operation the old title stays"
    yield judged(cast, his, ignored, "title-changed-without-op", why)
    yield from _unknown_titles(cast, hers, his)
    strict = Forgery(
        hers.view,
        cast.alice.keys,
        [ChangeState()],
        to=[cast.bob],
        clear=ClearState(1, history_policy=0),
    ).make()
    yield judged(cast, his, strict, "policy-stricter", "history off")
    _, pair = direct(cast, "alice", "bob")
    quiet = commit_history_off(pair["bob"].view, cast.committer(cast.bob, pair["bob"].epoch))
    why = "in a direct room either decides"
    yield judged(cast, pair["alice"], quiet, "direct-history-off", why, reader=cast.alice)


def _unknown_titles(cast: World, hers: Received, his: Received) -> Iterator[Case]:
    """Commits by somebody who does not know the title, and readers who do not."""

    def by_alice(title: str, *ops: Op) -> Commit:
        return Forgery(hers.view, cast.alice.keys, ops, to=[cast.bob], title=title).make()

    fresh = replace(his, view=replace(his.view, title=None))
    why = "empty: its committer does not know it"
    yield judged(cast, his, by_alice(""), "title-empty", why)
    yield judged(cast, his, by_alice("", ChangeState()), "title-empty-with-op", why)
    yield judged(cast, fresh, by_alice(""), "title-empty-and-unknown", "nobody knows it here")
    why = "whoever came in without the past learns it"
    yield judged(cast, fresh, by_alice("garden"), "title-learned", why)


def _tolerated(
    cast: World, first: Commit, received: dict[str, Received], by: Committer
) -> Iterator[Case]:
    hers, his = received["alice"], received["bob"]
    year_3000 = Forgery(
        hers.view, cast.alice.keys, to=[cast.bob], core={"time": 32_503_680_000_000}
    ).make()
    yield judged(cast, his, year_3000, "commit-time-year-3000", "time is only a claim")
    yield judged(cast, his, first, "known-again", "the stored commit is ignored")
    only = commit_rotation(hers.view, by)
    no_list = replace(only, prekeys=b"")
    yield judged(cast, his, no_list, "without-prekeys", "readers need no prekey list")
    yield judged(cast, his, only, "verify-only", "without a source", source=None)


def by_of(cast: World, received: dict[str, Received]) -> Committer:
    """Give alice, ready to commit after what she received."""
    return cast.committer(cast.alice, received["alice"].epoch)


def _chain(cast: World, received: dict[str, Received]) -> Iterator[Case]:
    hers, his = received["alice"], received["bob"]
    one = commit_rotation(hers.view, by_of(cast, received))
    after = everyone(cast, received, one)
    two = commit_rotation(after["alice"].view, by_of(cast, after))
    yield judged(cast, his, two, "epoch-gap", "one is missing", "epoch_gap")
    other = Forgery(hers.view, cast.bob.keys, to=[cast.bob], seed="other").make()
    yield judged(cast, after["bob"], other, "self-add-on-old-head", "another epoch 1", "fork")
    elsewhere = Forgery(hers.view, cast.alice.keys, core={"prev_hash": bytes(32)}).make()
    yield judged(cast, his, elsewhere, "prev-hash", "another head", "fork")
    foreign = Forgery(hers.view, cast.alice.keys, core={"room": b"q" * 16}).make()
    yield judged(cast, his, foreign, "room-foreign", "another room", "reference")
    create, _ = group(cast, "alice", "carol", title="other")
    why = "the id follows from the origin"
    yield judged(cast, None, create, "room-id-mismatch", why, "reference", room=b"r" * 16)
    pair, _ = direct(cast, "alice", "mallory")
    why = "a room of other account keys"
    yield judged(cast, None, pair, "direct-room-id-mismatch", why, "reference", room=b"d" * 16)


def _cores(cast: World, received: dict[str, Received]) -> Iterator[Case]:
    hers, his = received["alice"], received["bob"]
    alice = cast.alice.keys
    good = Forgery(hers.view, alice, to=[cast.bob]).make()
    fields = lp_split(good.core)

    def core(name: str, comment: str, data: bytes, expect: str) -> Case:
        return judged(cast, his, with_core(good, data, alice), name, comment, expect)

    for suite in (0, 2, 255):
        changed = lp(fields[0], u8(suite), *fields[2:])
        yield core(f"suite-{suite}", "an unknown suite", changed, "suite")
    yield core("label", "another label", lp(b"commits", *fields[1:]), "parse")
    yield core("field-count-plus-1", "a field more", lp(*fields, b""), "parse")
    yield core("field-count-minus-1", "a field less", lp(*fields[:-1]), "parse")
    yield core("trailing-byte", "a byte more", good.core + b"\0", "parse")
    short = lp(*fields[:3], fields[3][1:], *fields[4:])
    yield core("epoch-7-bytes", "a number of another width", short, "parse")


def _parts_flipped_by_server(cast: World, received: dict[str, Received]) -> Iterator[Case]:
    hers, his = received["alice"], received["bob"]
    good = Forgery(hers.view, cast.alice.keys, to=[cast.bob]).make()
    flipped = replace(good, state=ClearState(1, add_policy=1).encode(lp_split(good.state)[4]))
    why = "not the bytes that the core names"
    yield judged(cast, his, flipped, "state-flip-by-server", why, "reference")
    other_ops = replace(good, ops=lp(ChangeState().encode()))
    yield judged(cast, his, other_ops, "ops-flip-by-server", why, "reference")
    rows = lp(lp(bytes(16), bytes(8), bytes(32)))
    other_keys = replace(good, prekeys=rows)
    yield judged(cast, his, other_keys, "prekeys-flip-by-server", why, "reference")


def _signatures_and_tags(cast: World, received: dict[str, Received]) -> Iterator[Case]:
    hers, his = received["alice"], received["bob"]
    alice = cast.alice.keys
    good = Forgery(hers.view, alice, to=[cast.bob]).make()
    forged = replace(good, sig=bytes(64))
    yield judged(cast, his, forged, "signature", "not signed", "signature")
    by_bob = replace(good, sig=cast.bob.keys.sign("commit", good.hash))
    yield judged(cast, his, by_bob, "signature-by-other", "another member's", "signature")
    as_msg = replace(good, sig=alice.sign("msg", good.hash))
    yield judged(cast, his, as_msg, "signature-other-label", "as a message", "signature")
    short_tag = replace(good, tag=good.tag[:-1])
    yield judged(cast, his, short_tag, "tag-31", "a short tag", "parse")


def _beyond_limits(cast: World, received: dict[str, Received]) -> Iterator[Case]:
    hers, his = received["alice"], received["bob"]
    alice = cast.alice.keys
    bad = ClearState(1, history_policy=2)
    unknown = Forgery(hers.view, alice, [ChangeState()], [cast.bob], clear=bad).make()
    yield judged(cast, his, unknown, "history-policy-2", "an unknown policy", "parse")
    far = Forgery(hers.view, alice, [Seen(cast.bob.keys.device, 4097)], [cast.bob]).make()
    yield judged(cast, his, far, "seen-4097", "beyond the limit", "parse")


def _list_missing(cast: World, received: dict[str, Received]) -> Iterator[Case]:
    hers, his = received["alice"], received["bob"]
    add = Add(row(cast.carol, joined=1))
    no_list = Forgery(hers.view, cast.alice.keys, [add], [cast.bob]).make()
    case = judged(cast, his, no_list, "list-missing", "fetch it first", "reference")
    missing = [item for item in case.given["lists"] if item["data"] != b64(cast.carol.devices.data)]
    yield replace(case, given={**case.given, "lists": missing})


def _unusable(cast: World, received: dict[str, Received]) -> Iterator[Case]:
    hers, his = received["alice"], received["bob"]
    good = commit_rotation(hers.view, by_of(cast, received))
    device = cast.bob.keys.device
    wrap = good.wraps[device]

    def case(name: str, comment: str, commit: Commit) -> Case:
        return judged(cast, his, commit, name, comment, "epoch_unusable")

    def wrapped(data: bytes) -> Commit:
        return replace(good, wraps={device: data})

    yield case("wrap-1167", "a byte missing", wrapped(wrap[:-1]))
    yield case("wrap-1169", "a byte more", wrapped(wrap + b"\0"))
    at = xwing.CIPHERTEXT_SIZE
    low = wrap[: at - 32] + bytes(32) + wrap[at:]
    yield case("wrap-ct-low-order", "no shared secret", wrapped(low))
    flipped = bytes([wrap[0] ^ 1]) + wrap[1:]
    yield case("wrap-bit-flip", "one bit", wrapped(flipped))
    other = wrapped(good.wraps[cast.alice.keys.device])
    yield case("wrap-of-other-device", "alice's wrap", other)
    none = replace(good, wraps={})
    yield case("wrap-missing", "no wrap for this device", none)
    sealed = Forgery(hers.view, cast.alice.keys, to=[cast.bob], sealed_epoch=9).make()
    yield case("sealed-other-epoch", "a title of another epoch", sealed)
    fork = Forgery(hers.view, cast.alice.keys, to=[cast.bob], seed="a").make()
    swapped = replace(fork, tag=bytes(32))
    swapped = replace(swapped, sig=cast.alice.keys.sign("commit", swapped.hash))
    yield case("tag-wrong", "not everybody's secret", swapped)


def _wraps(cast: World, first: Commit) -> Iterator[Case]:
    bob = cast.bob
    wrap = first.wraps[bob.keys.device]

    def case(name: str, comment: str, expect: str = "epoch_unusable", **changed: Any) -> Case:
        values = {
            "wrap": wrap,
            "seed": bob.prekey_seed,
            "core_hash": first.core_hash,
            "user": bob.user,
            "device": bob.keys.device,
            "prekey_hash": bob.prekey.prekey_hash,
            **changed,
        }
        given = {name: b64(value) for name, value in values.items()}
        return Case(name, comment, "7.1", "wrap_open", given, expect)

    yield case("wrap", "the own wrap", "ok")
    yield case("wrap-with-other-prekey-hash", "another prekey", prekey_hash=h("x", b""))
    yield case("wrap-other-core", "another commit", core_hash=bytes(32))
    yield case("wrap-other-user", "another account", user=cast.alice.user)
    yield case("wrap-other-device", "another device", device=cast.alice.keys.device)
    yield case("wrap-other-seed", "another secret", seed=cast.alice.prekey_seed)
    given = {
        "secret": b64(bytes(range(32))),
        "commit_hash": b64(bytes(32)),
        "user": b64(bob.user),
        "device": b64(bob.keys.device),
    }
    for n in (0, 1, 300):
        values = {**given, "n": n}
        yield Case(f"sender-chain-{n}", "CK0 and MK_n", "7.1, 8.1", "sender_chain", values)
