"""Coming back with nothing but the recovery secret."""

import pytest

from crypto_client.body import text_body
from crypto_client.commit import ClearState, HistorySource, parse_core
from crypto_client.committing import create_group
from crypto_client.device_list import parse_device_list
from crypto_client.envelope import seal_message
from crypto_client.errors import RecoveryError
from crypto_client.history import HistoryWriter, history_writer, open_history
from crypto_client.opening import open_message
from crypto_client.receiving import receive_commit
from crypto_client.recovery import (
    WORDLIST_SIZE,
    backup_public,
    backup_seed,
    decode_code,
    encode_code,
    generate_words,
    open_recovery,
    seal_recovery,
    word,
)
from crypto_client.vectors.cast import NOW, World, world


@pytest.fixture
def cast() -> World:
    return world("alice", "bob")


def writer(cast: World) -> HistoryWriter:
    alice = cast.alice
    bk_pub = backup_public(alice.recovery_key, alice.user, 1)
    return history_writer(alice.keys, parse_device_list(alice.devices.data), bk_pub)


def test_the_word_list_has_7776_different_words() -> None:
    words = {word(number) for number in range(WORDLIST_SIZE)}
    assert len(words) == WORDLIST_SIZE
    assert all(len(item) == 4 and item.isascii() and item.islower() for item in words)


def test_six_words_are_drawn_fresh_each_time() -> None:
    drawn = {generate_words() for _ in range(20)}
    assert len(drawn) == 20
    assert all(len(words.split(" ")) == 6 for words in drawn)


def test_words_are_drawn_without_bias() -> None:
    values = iter([b"\xff\xff", b"\xf3\x00", b"\x00\x01"] + [b"\x00\x00"] * 5)

    def random(size: int) -> bytes:
        assert size == 2
        return next(values)

    assert generate_words(random).split(" ") == [word(1)] + [word(0)] * 5


def test_a_code_gives_its_key_back() -> None:
    for key in (bytes(32), b"\xff" * 32, bytes(range(32))):
        assert decode_code(encode_code(key)) == key


def test_words_and_code_open_the_same_blob(cast: World) -> None:
    alice = cast.alice
    words = generate_words()
    blob = seal_recovery(alice.account, alice.recovery_key, words, version=1)
    by_words = open_recovery(blob, user=alice.user, secret=words)
    by_code = open_recovery(blob, user=alice.user, code=encode_code(alice.recovery_key))
    assert by_words == by_code
    assert by_words.account == alice.account


def test_an_old_blob_is_refused(cast: World) -> None:
    alice = cast.alice
    blob = seal_recovery(alice.account, alice.recovery_key, "baba zyzu", version=1)
    with pytest.raises(RecoveryError):
        open_recovery(blob, user=alice.user, secret="baba zyzu", known_version=2)


def test_history_brings_back_the_messages_of_an_epoch(cast: World) -> None:
    alice, bob = cast.alice, cast.bob
    commit = create_group(cast.committer(alice), [alice.devices, bob.devices], title="garden")
    room = parse_core(commit.core).room
    trust = cast.trust()
    got = receive_commit(
        None, commit, room=room, trust=trust, source=alice.source, history=writer(cast)
    )
    assert got.history is not None
    assert got.epoch is not None
    sealed = seal_message(got.epoch, alice.keys, text_body("kept"), msg_id=bytes(16), time=NOW)
    secret = open_history(
        got.history,
        commit,
        user=alice.user,
        devices=parse_device_list(alice.devices.data),
        backup_seed=backup_seed(alice.recovery_key, alice.user, 1),
    )
    source = HistorySource(alice.user, alice.keys.device, {commit.hash: secret})
    again = receive_commit(None, commit, room=room, trust=trust, source=source)
    opened = open_message(sealed.envelope, again.epoch, room=room)
    assert opened.message is not None
    assert opened.message.body.text == "kept"


def test_a_room_without_history_writes_none(cast: World) -> None:
    alice = cast.alice
    off = ClearState(1, history_policy=0)
    commit = create_group(cast.committer(alice), [alice.devices], title="quiet", clear=off)
    room = parse_core(commit.core).room
    got = receive_commit(
        None, commit, room=room, trust=cast.trust(), source=alice.source, history=writer(cast)
    )
    assert got.outcome == "ok"
    assert got.history is None


def test_a_backup_key_that_the_own_list_does_not_name_is_refused(cast: World) -> None:
    other = backup_public(cast.bob.recovery_key, cast.alice.user, 1)
    with pytest.raises(RecoveryError):
        history_writer(cast.alice.keys, parse_device_list(cast.alice.devices.data), other)
