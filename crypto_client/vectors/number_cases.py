"""Vectors of docs/protocol.md §1.1: a u64 is below 2^53, in every object that holds one."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from crypto_client.committing import commit_rotation
from crypto_client.device_list import SignedDeviceList
from crypto_client.encoding import encode_base64url as b64
from crypto_client.encoding import lp, lp_split
from crypto_client.envelope import parse_envelope
from crypto_client.ops import Remove
from crypto_client.prekeys import SignedPrekey
from crypto_client.primitives import h, sign
from crypto_client.ratchet import epoch_to_json
from crypto_client.recovery import encode_code, seal_recovery
from crypto_client.roster import encode_roster
from crypto_client.vectors.case import Case, signed_in
from crypto_client.vectors.cast import NOW, Person, World, group, seeded
from crypto_client.vectors.commit_cases import by_of, judged
from crypto_client.vectors.forge import ForgedMessage, with_core
from crypto_client.vectors.message_cases import PADDED

_LAST = ((1 << 53) - 1).to_bytes(8, "big")
_SIZES = {"2-53": (1 << 53).to_bytes(8, "big"), "2-64-minus-1": b"\xff" * 8}
_WHY = "a number that JavaScript would round"


def _with(data: bytes, at: int, value: bytes) -> bytes:
    fields = lp_split(data)
    fields[at] = value
    return lp(*fields)


def cases(cast: World) -> Iterator[tuple[str, Case]]:
    """Give every case with its topic."""
    for topic, group_of_cases in (
        ("device-list", _lists(cast.alice)),
        ("prekey", _prekeys(cast.alice)),
        ("recovery", _recovery(cast.alice)),
        ("ops", _ops(cast)),
        ("commit", _commits(cast)),
        ("message", _messages(cast)),
    ):
        yield from ((topic, case) for case in group_of_cases)


def _lists(alice: Person) -> Iterator[Case]:
    def case(name: str, why: str, data: bytes, expect: str) -> Case:
        signed = SignedDeviceList(data, sign(alice.account.seed, "devices", h("devices", data)))
        whose = {"user": b64(alice.user), "amk_pub": b64(alice.account.public)}
        given: dict[str, Any] = {**signed_in(signed), **whose, "known": None, "between": []}
        return Case(name, why, "1.1, 3.3", "device_list", given, expect)

    data = alice.devices.data
    yield case("list-time-2-53-minus-1", "the largest number", _with(data, 6, _LAST), "ok")
    for size, number in _SIZES.items():
        yield case(f"list-time-{size}", _WHY, _with(data, 6, number), "parse")
        yield case(f"list-version-{size}", _WHY, _with(data, 4, number), "parse")
        row = _with(lp_split(lp_split(data)[9])[0], 3, number)
        yield case(f"list-entry-created-{size}", _WHY, _with(data, 9, lp(row)), "parse")


def _prekeys(alice: Person) -> Iterator[Case]:
    for size, number in _SIZES.items():
        for at, name in ((5, "seq"), (7, "created"), (8, "expires")):
            data = _with(alice.prekey.data, at, number)
            signed = SignedPrekey(data, alice.keys.sign("prekey", h("prekey", data)))
            given = {
                "data": b64(signed.data),
                "sig": b64(signed.sig),
                "user": b64(alice.user),
                "entry": b64(alice.keys.entry().encode()),
                "now": NOW,
                "seq_floor": 0,
            }
            yield Case(f"prekey-{name}-{size}", _WHY, "1.1, 4", "prekey", given, "parse")


def _recovery(alice: Person) -> Iterator[Case]:
    random = seeded("blob")
    blob = seal_recovery(alice.account, alice.recovery_key, "baba zyzu", version=3, random=random)
    for size, number in _SIZES.items():
        data = _with(blob.data, 0, _with(lp_split(blob.data)[0], 4, number))
        given = {
            "data": b64(data),
            "sig": b64(sign(alice.account.seed, "recovery", h("recovery", data))),
            "user": b64(alice.user),
            "secret": None,
            "code": encode_code(alice.recovery_key),
            "known_version": 3,
            "known_bk_version": 1,
        }
        name = f"recovery-version-{size}"
        yield Case(name, _WHY, "1.1, 5.3", "recovery_open", given, "parse")


def _ops(cast: World) -> Iterator[Case]:
    _, received = group(cast, "alice", "bob")
    roster = received["alice"].view.roster
    gone = Remove(cast.bob.user, cast.bob.account.public, 0).encode()
    for size, number in _SIZES.items():
        given = {"roster": b64(encode_roster(roster)), "ops": b64(lp(_with(gone, 3, number)))}
        name = f"remove-joined-epoch-{size}"
        yield Case(name, _WHY, "1.1, 6.3", "apply_ops", given, "parse")


def _commits(cast: World) -> Iterator[Case]:
    _, received = group(cast, "alice", "bob")
    good = commit_rotation(received["alice"].view, by_of(cast, received))
    for size, number in _SIZES.items():
        for at, name in ((3, "epoch"), (11, "time")):
            bad = with_core(good, _with(good.core, at, number), cast.alice.keys)
            yield judged(cast, received["bob"], bad, f"commit-{name}-{size}", _WHY, "parse")


def _messages(cast: World) -> Iterator[Case]:
    _, received = group(cast, "alice", "bob")
    state = received["bob"].epoch
    if state is None:
        raise ValueError("bob is in the group")
    good = ForgedMessage(state, cast.alice.keys, padded=PADDED)
    pre = parse_envelope(good.make()).header.pre_data

    def case(name: str, why: str, pre_data: bytes, expect: str = "parse") -> Case:
        envelope = replace(good, pre_data=pre_data).make()
        given = {
            "epoch": epoch_to_json(state),
            "room": b64(state.room),
            "revoked": [],
            "cuts": [],
            "envelopes": [b64(envelope)],
        }
        return Case(name, why, "1.1, 8.4", "open_message", given, expect)

    yield case("time-2-53-minus-1", "the largest number", _with(pre, 9, _LAST), "ok")
    for size, number in _SIZES.items():
        yield case(f"epoch-{size}", _WHY, _with(pre, 3, number))
        yield case(f"time-{size}", _WHY, _with(pre, 9, number))
        both = _with(_with(pre, 9, number), 7, (4096).to_bytes(4, "big"))
        yield case(f"time-{size}-and-n-4096", "the shape comes before the counter", both)
