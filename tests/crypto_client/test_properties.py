"""What holds for every input."""

import contextlib
import functools
import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto_client.body import parse_body, text_body
from crypto_client.commit import parse_core, parse_prekeys, parse_state
from crypto_client.committing import commit_remove
from crypto_client.device_list import parse_device_list
from crypto_client.encoding import (
    MESSAGE_BUCKETS,
    decode_base64url,
    encode_base64url,
    lp,
    lp_split,
    pad,
    unpad,
)
from crypto_client.envelope import Sealed, parse_envelope, seal_message
from crypto_client.epoch import view_from_json, view_to_json
from crypto_client.errors import OUTCOMES, AeadError, ProtocolError, SignatureError
from crypto_client.opening import open_message
from crypto_client.ops import parse_ops
from crypto_client.prekeys import parse_prekey
from crypto_client.primitives import aead_open, public_key, sign, verify
from crypto_client.ratchet import EpochState, epoch_from_json, epoch_to_json, message_key
from crypto_client.receiving import Received
from crypto_client.recovery import decode_code, encode_code
from crypto_client.roster import parse_origin, parse_roster
from crypto_client.statements import parse_statement
from crypto_client.vectors.cast import NOW, World, everyone, group, world
from crypto_client.vectors.encoding_cases import SIGNED_LABELS

PARSERS: list[Callable[[bytes], object]] = [
    parse_body,
    parse_core,
    parse_device_list,
    parse_envelope,
    parse_ops,
    parse_origin,
    parse_prekey,
    parse_prekeys,
    parse_roster,
    parse_state,
    parse_statement,
]


@functools.cache
def garden() -> tuple[World, dict[str, Received]]:
    cast = world("alice", "bob")
    return cast, group(cast, "alice", "bob")[1]


def epoch_of(name: str) -> EpochState:
    state = garden()[1][name].epoch
    assert state is not None
    return state


def seal(text: str, state: EpochState, number: int = 0) -> Sealed:
    cast, _ = garden()
    return seal_message(
        state, cast.alice.keys, text_body(text), msg_id=number.to_bytes(16, "big"), time=NOW
    )


@given(st.text(max_size=3000).filter(lambda text: text.isprintable()))
@settings(deadline=None)
def test_what_is_sealed_opens_to_the_same_words(text: str) -> None:
    room = garden()[1]["bob"].view.room
    opened = open_message(seal(text, epoch_of("alice")).envelope, epoch_of("bob"), room=room)
    assert opened.message is not None
    assert opened.message.body.text == text


@given(st.data())
@settings(deadline=None)
def test_one_flipped_bit_never_opens(data: st.DataObject) -> None:
    room = garden()[1]["bob"].view.room
    envelope = bytearray(seal("words", epoch_of("alice")).envelope)
    bit = data.draw(st.integers(0, len(envelope) * 8 - 1))
    envelope[bit // 8] ^= 1 << bit % 8
    with pytest.raises(ProtocolError) as refusal:
        open_message(bytes(envelope), epoch_of("bob"), room=room)
    assert refusal.value.outcome in OUTCOMES


@given(st.permutations(range(12)))
@settings(deadline=None)
def test_messages_open_in_any_order(order: list[int]) -> None:
    room = garden()[1]["bob"].view.room
    sealed, state = [], epoch_of("alice")
    for number in range(12):
        one = seal(str(number), state, number)
        sealed.append(one.envelope)
        state = one.epoch
    reader: EpochState | None = epoch_of("bob")
    for number in order:
        opened = open_message(sealed[number], reader, room=room)
        assert opened.message is not None
        assert opened.message.body.text == str(number)
        reader = opened.epoch
    assert reader is not None
    assert not any(chain.skipped for chain in reader.chains.values())


@functools.cache
def after_removing_bob() -> EpochState:
    cast, received = garden()
    by = cast.committer(cast.alice, received["alice"].epoch)
    commit = commit_remove(received["alice"].view, cast.bob.user, by)
    assert cast.bob.keys.device not in commit.wraps
    after = everyone(cast, received, commit, "alice")["alice"]
    assert after.epoch is not None
    return after.epoch


@given(st.sampled_from(["alice", "bob"]), st.integers(0, 4095))
@settings(deadline=None, max_examples=30)
def test_no_key_of_a_removed_member_opens_the_next_epoch(sender: str, n: int) -> None:
    envelope = parse_envelope(seal("after", after_removing_bob()).envelope)
    device = garden()[0].people[sender].keys.device
    old_key, _ = message_key(epoch_of("bob").chains[device], n)
    with pytest.raises(AeadError):
        aead_open(old_key, envelope.nonce, envelope.ciphertext, envelope.header.data)


@given(st.binary(max_size=400))
@settings(deadline=None)
def test_foreign_bytes_are_refused_by_name_or_read(data: bytes) -> None:
    for parse in PARSERS:
        with contextlib.suppress(*ProtocolError.__subclasses__()):
            parse(data)


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_a_list_comes_apart_as_it_was_joined(parts: list[bytes]) -> None:
    assert lp_split(lp(*parts)) == parts


@given(st.binary(max_size=32764))
def test_padding_comes_off_as_it_was_put_on(content: bytes) -> None:
    assert unpad(pad(content, MESSAGE_BUCKETS), MESSAGE_BUCKETS) == content


@given(st.binary(max_size=200))
def test_base64url_has_one_form(data: bytes) -> None:
    assert decode_base64url(encode_base64url(data)) == data


@given(st.binary(min_size=32, max_size=32))
def test_a_code_is_read_back(key: bytes) -> None:
    assert decode_code(encode_code(key).lower()) == key


def test_states_survive_storage() -> None:
    view = garden()[1]["bob"].view
    assert view_from_json(json.loads(json.dumps(view_to_json(view)))) == view
    room = view.room
    far = seal("later", seal("first", epoch_of("alice")).epoch, 1)
    state = open_message(far.envelope, epoch_of("bob"), room=room).epoch
    assert state is not None
    assert any(chain.skipped for chain in state.chains.values())
    assert epoch_from_json(json.loads(json.dumps(epoch_to_json(state)))) == state


def test_a_signature_under_one_label_is_none_under_any_other() -> None:
    seed, data = bytes(range(32)), b"the same bytes"
    for made in SIGNED_LABELS:
        sig = sign(seed, made, data)
        taken = [label for label in SIGNED_LABELS if _verifies(public_key(seed), label, data, sig)]
        assert taken == [made]


def _verifies(public: bytes, label: str, data: bytes, sig: bytes) -> bool:
    try:
        verify(public, label, data, sig)
    except SignatureError:
        return False
    return True
