"""Vectors of docs/protocol.md §7 over several epochs: newcomers, and who is passed over or gone."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from crypto_client.commit import Commit
from crypto_client.committing import commit_add, commit_remove, commit_role, commit_rotation
from crypto_client.device_list import first_device_list
from crypto_client.encoding import encode_base64url as b64
from crypto_client.encoding import lp, lp_split, u8
from crypto_client.history import EpochName, HistoryWriter, seal_history
from crypto_client.identity import AccountKey, new_device
from crypto_client.ops import ChangeState
from crypto_client.prekeys import new_prekey, parse_prekey, sign_prekey
from crypto_client.ratchet import epoch_to_json
from crypto_client.receiving import Received
from crypto_client.vectors.case import Case, commit_bytes, commit_in
from crypto_client.vectors.cast import NOW, Person, World, everyone, group, seeded
from crypto_client.vectors.commit_cases import by_of, judged
from crypto_client.vectors.forge import ForgedMessage, Forgery, with_core
from crypto_client.vectors.message_cases import PADDED


def cases(cast: World) -> Iterator[tuple[str, Case]]:
    """Give every case with its topic."""
    yield from (("joining", case) for case in _newcomers(cast))
    first, received = group(cast, "alice", "bob", "carol")
    yield from (("commit", case) for case in _prekeys(cast, received))
    yield "wrap", _record_as_wrap(cast, first)
    yield "message", _dropped_and_still_writing(cast, received)
    yield "rules", _admin_before_the_reset(cast, received)


def _newcomers(cast: World) -> Iterator[Case]:
    """carol comes at epoch 2 and verifies what was before her."""
    alice = cast.alice.keys
    first, received = group(cast, "alice", "bob")
    second = commit_rotation(received["alice"].view, by_of(cast, received))
    after = everyone(cast, received, second)
    third = commit_add(after["alice"].view, [cast.carol.devices], by_of(cast, after))

    def case(name: str, why: str, commits: Sequence[Commit], expect: str = "ok") -> Case:
        given = commit_in(cast, None, third, cast.carol, received["alice"].view.room)
        del given["view"], given["commit"]
        device = cast.carol.keys.device
        given["commits"] = [commit_bytes(commit, device) for commit in commits]
        return Case(name, why, "7.4", "follow_chain", given, expect)

    yield case("join-chain", "from epoch 0 on", [first, second, third])
    core = {"prev_hash": bytes(32)}
    elsewhere = Forgery(received["alice"].view, alice, to=[cast.bob], core=core).make()
    broken = [first, elsewhere, third]
    yield case("join-chain-broken-in-middle", "on another head", broken, "fork")
    unsigned = [first, replace(second, sig=bytes(64)), third]
    yield case("join-chain-unsigned-in-middle", "every commit counts", unsigned, "signature")
    yield case("join-chain-commit-left-out", "no leap", [first, third], "epoch_gap")
    fields = lp_split(second.core)
    lowered = with_core(second, lp(fields[0], u8(0), *fields[2:]), alice)
    why = "0 is the only suite below that of epoch 0"
    yield case("suite-lower-than-prev", why, [first, lowered], "suite")


def _prekeys(cast: World, received: dict[str, Received]) -> Iterator[Case]:
    bob, carol = cast.bob, cast.carol
    view, by = received["alice"].view, by_of(cast, received)
    content = parse_prekey(bob.prekey.data)
    low_order = sign_prekey(bob.keys, replace(content, public=content.public[:-32] + bytes(32)))
    by_careful = replace(by, prekeys={**by.prekeys, bob.keys.device: low_order})
    passed_over = commit_rotation(view, by_careful)
    why = "bob's prekey is of no use: no wrap for him, and everybody else goes on"
    name = "commit-skips-bad-device"
    yield judged(cast, received["carol"], passed_over, name, why, reader=carol)
    seed, newer = new_prekey(bob.keys, seq=2, created=NOW, random=seeded("newer"))
    seeds = ((newer.prekey_hash, seed), (bob.prekey.prekey_hash, bob.prekey_seed))
    source = {
        "user": b64(bob.user),
        "device": b64(bob.keys.device),
        "prekeys": [[b64(prekey_hash), b64(secret)] for prekey_hash, secret in seeds],
    }
    why = "bob has published a newer one meanwhile"
    commit = commit_rotation(view, by)
    name = "wrap-to-previous-prekey"
    yield judged(cast, received["bob"], commit, name, why, source=source)


def _record_as_wrap(cast: World, first: Commit) -> Case:
    """The secret, sealed to bob's prekey as a history record is sealed to a backup key."""
    bob = cast.bob
    writer = HistoryWriter(cast.alice.keys, 1, parse_prekey(bob.prekey.data).public)
    name = EpochName(bytes(16), 0, first.hash)
    record = seal_history(writer, name, seeded("secret")(32), seeded("record")).record
    values = {
        "wrap": record,
        "seed": bob.prekey_seed,
        "core_hash": first.core_hash,
        "user": bob.user,
        "device": bob.keys.device,
        "prekey_hash": bob.prekey.prekey_hash,
    }
    given = {name: b64(value) for name, value in values.items()}
    why = "another label and another place"
    return Case("history-as-wrap", why, "7.1", "wrap_open", given, "epoch_unusable")


def _dropped_and_still_writing(cast: World, received: dict[str, Received]) -> Case:
    """carol is removed; somebody who has the new chains puts her name on a message."""
    gone = commit_remove(received["alice"].view, cast.carol.user, by_of(cast, received))
    state = everyone(cast, received, gone)["bob"].epoch
    if state is None:
        raise ValueError("bob is still there")
    carol = {"user": cast.carol.user, "device": cast.carol.keys.device}
    forged = ForgedMessage(state, cast.alice.keys, PADDED, carol, signer=cast.carol.keys)
    given: dict[str, Any] = {
        "epoch": epoch_to_json(state),
        "room": b64(state.room),
        "revoked": [],
        "cuts": [],
        "envelopes": [b64(forged.make())],
    }
    name, why = "message-of-dropped-device-new-epoch", "no device of this epoch"
    return Case(name, why, "8.4", "open_message", given, "roster")


def _reborn(who: Person) -> Person:
    """The same user after a reset: another account key, another device."""
    random = seeded(f"{who.name} begins again")
    account = AccountKey(who.user, random(32))
    keys = new_device(who.user, account.public, NOW, random)
    devices = first_device_list(account, [keys.entry()], time=NOW, bk_pub=bytes(1216))
    seed, prekey = new_prekey(keys, seq=1, created=NOW, random=random)
    return replace(
        who, account=account, keys=keys, devices=devices, prekey_seed=seed, prekey=prekey
    )


def _admin_before_the_reset(cast: World, received: dict[str, Received]) -> Case:
    """bob was admin, began again with another key, and was added as everybody is."""
    bob = cast.bob.user
    role = commit_role(received["alice"].view, bob, 2, by_of(cast, received))
    second = everyone(cast, received, role)
    gone = commit_remove(second["alice"].view, bob, by_of(cast, second))
    third = everyone(cast, second, gone, "alice", "carol")
    later = World({**cast.people, "bob": _reborn(cast.bob)})
    again = commit_add(third["alice"].view, [later.bob.devices], by_of(later, third))
    fourth = everyone(later, third, again, "alice", "carol")
    renamed = Forgery(fourth["carol"].view, later.bob.keys, [ChangeState()], [cast.carol])
    name, why = "reset-keeps-admin", "the new account key was never made admin"
    return judged(
        later, fourth["carol"], renamed.make(), name, why, "op_forbidden", reader=cast.carol
    )
