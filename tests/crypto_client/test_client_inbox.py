"""What a hostile server or sender does to the command-line client's inbox."""

from crypto_client.body import text_body
from crypto_client.client.keys import keep_list
from crypto_client.device_list import next_device_list
from crypto_client.encoding import lp, lp_split
from crypto_client.envelope import Sealed, seal_message
from crypto_client.identity import new_device
from crypto_client.primitives import h
from crypto_client.vectors.cast import NOW, World
from tests.crypto_client.member import Home, Writer


def unreadable_copy(sealed: Sealed) -> bytes:
    """An envelope with the same header and another tag."""
    hdr, nonce, ciphertext = lp_split(sealed.envelope)
    return lp(hdr, nonce, ciphertext[:-1] + bytes([ciphertext[-1] ^ 1]))


def test_a_second_live_sealing_burns_no_key_of_the_stored_one(home: Home, alice: Writer) -> None:
    first, second = alice.seal("hello", b"m" * 16), alice.seal("hello", b"m" * 16)
    home.live(first.envelope)
    home.live(second.envelope)
    home.stored(second.envelope, 1)
    assert home.shown() == [(1, "hello", "ok")]


def test_stored_garbage_with_a_known_header_replaces_nothing(home: Home, alice: Writer) -> None:
    genuine = alice.seal("hello", b"m" * 16)
    home.stored(genuine.envelope, 1)
    home.stored(unreadable_copy(genuine), 2)
    assert home.shown() == [(1, "hello", "ok")]
    assert home.store.row("SELECT 1 FROM events WHERE seq = 2") is not None


def test_garbage_before_the_genuine_message_hides_it_not(home: Home, alice: Writer) -> None:
    genuine = alice.seal("hello", b"m" * 16)
    home.stored(unreadable_copy(genuine), 1)
    home.stored(genuine.envelope, 2)
    assert home.shown() == [(2, "hello", "ok")]


def test_a_replayed_message_keeps_its_first_place(home: Home, alice: Writer) -> None:
    yes, other = alice.seal("yes", b"m" * 16), alice.seal("shall I pay?", b"o" * 16)
    home.stored(yes.envelope, 1)
    home.stored(other.envelope, 2)
    home.stored(yes.envelope, 3)
    assert [row[:2] for row in home.shown()] == [(1, "yes"), (2, "shall I pay?")]


def test_the_first_stored_of_two_texts_under_one_id_stays_and_is_flagged(
    home: Home, alice: Writer
) -> None:
    first, second = alice.seal("yes", b"m" * 16), alice.seal("no", b"m" * 16)
    home.stored(first.envelope, 1)
    home.stored(second.envelope, 2)
    assert home.shown() == [(1, "yes", "equivocation")]


def test_a_stored_second_sealing_of_a_stored_message_is_not_shown_twice(
    home: Home, alice: Writer
) -> None:
    first, second = alice.seal("yes", b"m" * 16), alice.seal("yes", b"m" * 16)
    home.stored(first.envelope, 1)
    home.stored(second.envelope, 2)
    assert home.shown() == [(1, "yes", "ok")]


def test_an_own_envelope_handed_out_in_another_room_is_not_shown(home: Home, cast: World) -> None:
    epoch = home.rooms.epoch(home.room, 0)
    assert epoch is not None
    own = seal_message(epoch, cast.bob.keys, text_body("secret"), msg_id=b"m" * 16, time=NOW)
    home.store.run(
        "INSERT INTO attempts VALUES (?, 0, ?, ?, ?, ?)",
        b"m" * 16,
        own.n,
        own.eid,
        own.envelope,
        text_body("secret"),
    )
    home.live(own.envelope, room=b"elsewhere-------")
    assert home.shown() == []
    home.live(own.envelope)
    assert home.shown() == [(None, "secret", "ok")]


def test_a_message_of_a_device_known_to_be_revoked_is_not_shown(
    home: Home, alice: Writer, cast: World
) -> None:
    account = cast.alice.account
    laptop = new_device(account.user, account.public, NOW)
    newer = next_device_list(account, cast.alice.devices, [laptop.entry()], time=NOW)
    keep_list(home.store, account.user, account.public, newer, 2)
    home.stored(alice.seal("stolen", b"m" * 16).envelope, 1)
    assert home.shown() == [(1, None, "roster")]


def test_what_a_live_message_asserts_is_compared_when_its_place_is_known(
    home: Home, alice: Writer
) -> None:
    first = alice.seal("one", b"1" * 16)
    second = alice.seal("two", b"2" * 16, seen=(1, h("log", b"another order")))
    home.live(second.envelope)
    assert home.trouble() == ""
    home.stored(first.envelope, 1)
    home.stored(second.envelope, 2)
    assert home.trouble() == "log_fork"


def test_a_true_assertion_raises_nothing(home: Home, alice: Writer) -> None:
    first = alice.seal("one", b"1" * 16)
    home.stored(first.envelope, 1)
    own = home.inbox.log.at(home.room, 1)
    assert own is not None
    second = alice.seal("two", b"2" * 16, seen=(1, own))
    home.live(second.envelope)
    home.stored(second.envelope, 2)
    assert home.trouble() == ""
