"""Sealing and opening, and everything that may happen on the way."""

from dataclasses import dataclass, replace

import pytest

from crypto_client.body import text_body
from crypto_client.committing import commit_remove, commit_rotation
from crypto_client.encoding import MESSAGE_BUCKETS, pad
from crypto_client.envelope import (
    Sealed,
    acceptance_stamp,
    check_commitment,
    parse_envelope,
    parse_header,
    seal_message,
)
from crypto_client.errors import (
    AeadError,
    CommitmentError,
    CounterError,
    CutError,
    EpochGapError,
    RosterError,
    SignatureError,
)
from crypto_client.opening import Known, Message, Opened, open_message
from crypto_client.ratchet import EpochState, close_epoch, should_rotate, skip_to
from crypto_client.receiving import Received
from crypto_client.vectors.cast import NOW, Person, World, everyone, group, world
from crypto_client.vectors.forge import ForgedMessage

WEEK = 7 * 24 * 3600 * 1000


class Archive:
    """A store of opened messages."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def keep(self, opened: Opened) -> Opened:
        if opened.message is not None and opened.outcome == "ok" and not opened.again:
            self.messages.append(opened.message)
        return opened

    def _find(self, **wanted: object) -> Known | None:
        for message in self.messages:
            if all(getattr(message.pre, name) == value for name, value in wanted.items()):
                return Known(message.eid, message.body.data, message.key)
        return None

    def has(self, eid: bytes) -> bool:
        return any(message.eid == eid for message in self.messages)

    def by_id(self, device: bytes, msg_id: bytes) -> Known | None:
        return self._find(device=device, msg_id=msg_id)

    def by_counter(self, device: bytes, epoch: int, n: int) -> Known | None:
        return self._find(device=device, epoch=epoch, n=n)


@dataclass
class Garden:
    """alice (admin) and bob in a group; alice writes, bob reads."""

    cast: World
    received: dict[str, Received]

    def epoch(self, name: str) -> EpochState:
        state = self.received[name].epoch
        assert state is not None
        return state

    def seal(self, text: str, state: EpochState | None = None, msg_id: bytes = b"m" * 16) -> Sealed:
        state = state or self.epoch("alice")
        return seal_message(state, self.cast.alice.keys, text_body(text), msg_id=msg_id, time=NOW)

    def open(
        self, data: bytes, state: EpochState | None = None, archive: Archive | None = None
    ) -> Opened:
        room = self.received["bob"].view.room
        return open_message(data, state or self.epoch("bob"), room=room, index=archive)

    def rotate(self, by: str = "alice") -> "Garden":
        person: Person = self.cast.people[by]
        committer = self.cast.committer(person, self.received[by].epoch)
        commit = commit_rotation(self.received[by].view, committer)
        return Garden(self.cast, everyone(self.cast, self.received, commit))


@pytest.fixture
def garden() -> Garden:
    cast = world("alice", "bob", "mallory")
    return Garden(cast, group(cast, "alice", "bob")[1])


def words(opened: Opened) -> str | None:
    assert opened.message is not None
    return opened.message.body.text


def after(opened: Opened) -> EpochState:
    assert opened.epoch is not None
    return opened.epoch


def test_a_message_opens_on_the_other_side(garden: Garden) -> None:
    assert words(garden.open(garden.seal("안녕").envelope)) == "안녕"


def test_a_sender_opens_his_own_message_with_the_state_before(garden: Garden) -> None:
    sealed = garden.seal("mine")
    assert words(garden.open(sealed.envelope, garden.epoch("alice"))) == "mine"
    assert sealed.epoch.chains[garden.cast.alice.keys.device].n == 1


def test_garbage_for_a_skipped_counter_burns_no_key(garden: Garden) -> None:
    first = garden.seal("first")
    second = garden.seal("second", first.epoch, b"n" * 16)
    state = after(garden.open(second.envelope))
    garbage = first.envelope[:-1] + bytes([first.envelope[-1] ^ 1])
    with pytest.raises(AeadError):
        garden.open(garbage, state)
    assert words(garden.open(first.envelope, state)) == "first"


def test_a_wrong_signature_burns_no_key(garden: Garden) -> None:
    padded = pad(text_body("not alice"), MESSAGE_BUCKETS)
    forged = ForgedMessage(
        garden.epoch("bob"), garden.cast.alice.keys, padded, signer=garden.cast.bob.keys
    )
    with pytest.raises(SignatureError):
        garden.open(forged.make())
    assert words(garden.open(garden.seal("alice").envelope)) == "alice"


def test_skipped_keys_never_exceed_the_counters_of_an_epoch(garden: Garden) -> None:
    padded = pad(text_body("far"), MESSAGE_BUCKETS)
    alice = garden.cast.alice.keys
    state = garden.epoch("bob")
    for n in (1000, 2500, 4095):
        far = ForgedMessage(garden.epoch("bob"), alice, padded, pre={"n": n, "msg_id": bytes(16)})
        state = after(garden.open(far.make(), state))
    assert len(state.chains[alice.device].skipped) == 4093
    beyond = ForgedMessage(garden.epoch("bob"), alice, padded, pre={"n": 4096}, key_n=0)
    with pytest.raises(CounterError):
        garden.open(beyond.make(), state)


def test_somebody_else_s_device_cannot_be_named(garden: Garden) -> None:
    padded = pad(text_body("as alice"), MESSAGE_BUCKETS)
    mine = garden.cast.bob.keys
    as_alice = ForgedMessage(
        garden.epoch("bob"), mine, padded, pre={"user": garden.cast.alice.user}
    )
    with pytest.raises(RosterError):
        garden.open(as_alice.make())


def test_the_same_envelope_twice_is_one_message(garden: Garden) -> None:
    archive = Archive()
    sealed = garden.seal("once")
    first = archive.keep(garden.open(sealed.envelope, archive=archive))
    again = garden.open(sealed.envelope, after(first), archive)
    assert again.message is None
    assert again.outcome == "ok"


def test_a_message_sealed_again_in_the_next_epoch_is_shown_once(garden: Garden) -> None:
    archive = Archive()
    first = garden.seal("once")
    archive.keep(garden.open(first.envelope, archive=archive))
    later = garden.rotate()
    second = later.seal("once")
    assert second.eid != first.eid
    opened = later.open(second.envelope, archive=archive)
    assert opened.outcome == "ok"
    assert opened.again


def test_one_id_with_two_texts_is_equivocation(garden: Garden) -> None:
    archive = Archive()
    first = garden.seal("yes")
    second = garden.seal("no", first.epoch)
    archive.keep(garden.open(first.envelope, archive=archive))
    assert garden.open(second.envelope, archive=archive).outcome == "equivocation"


def test_one_counter_with_two_messages_is_equivocation_even_after_its_key_is_gone(
    garden: Garden,
) -> None:
    archive = Archive()
    first, second = garden.seal("yes"), garden.seal("no", msg_id=b"n" * 16)
    state = after(archive.keep(garden.open(first.envelope, archive=archive)))
    assert garden.open(second.envelope, state, archive).outcome == "equivocation"
    with pytest.raises(CounterError):
        garden.open(second.envelope, state)


def test_after_a_lost_store_the_counter_goes_on_where_the_log_ends(garden: Garden) -> None:
    alice = garden.cast.alice.keys
    used = garden.seal("used", garden.seal("first").epoch)
    assert used.n == 1
    restored = skip_to(garden.epoch("alice"), alice.device, used.n + 1)
    fresh = garden.seal("fresh", restored, b"f" * 16)
    assert fresh.n == 2
    assert words(garden.open(fresh.envelope)) == "fresh"


def test_a_message_of_the_next_epoch_waits_for_its_commit(garden: Garden) -> None:
    later = garden.rotate()
    sealed = later.seal("early")
    with pytest.raises(EpochGapError):
        open_message(sealed.envelope, None, room=garden.received["bob"].view.room)
    assert words(later.open(sealed.envelope)) == "early"


def test_a_message_of_the_closed_epoch_is_valid_unless_its_device_was_dropped(
    garden: Garden,
) -> None:
    late = garden.seal("late")
    closed = garden.rotate("bob").received["bob"]
    kept = close_epoch(garden.epoch("bob"), closed.cuts)
    assert words(garden.open(late.envelope, kept)) == "late"


def test_a_removed_member_cannot_talk_into_the_past(garden: Garden) -> None:
    alice = garden.cast.alice
    commit = commit_remove(
        garden.received["alice"].view,
        garden.cast.bob.user,
        garden.cast.committer(alice, garden.epoch("alice")),
    )
    got = garden.cast.receive(alice, garden.received["alice"].view, commit)
    assert garden.cast.bob.keys.device in got.cuts
    closed = close_epoch(garden.epoch("alice"), got.cuts)
    late = seal_message(
        garden.epoch("bob"), garden.cast.bob.keys, text_body("late"), msg_id=bytes(16), time=NOW
    )
    with pytest.raises(CutError):
        garden.open(late.envelope, closed)


def test_a_disclosed_message_cannot_be_pinned_on_somebody_else(garden: Garden) -> None:
    sealed = garden.seal("words")
    message = garden.open(sealed.envelope).message
    assert message is not None
    header = parse_envelope(sealed.envelope).header
    check_commitment(header, message.frank_key, message.padded)
    bob = garden.cast.bob
    framed = replace(header.pre, user=bob.user, device=bob.keys.device)
    with pytest.raises(CommitmentError):
        check_commitment(
            replace(header, pre_data=framed.encode()), message.frank_key, message.padded
        )


def test_a_stamp_belongs_to_one_header_and_one_time(garden: Garden) -> None:
    one = parse_envelope(garden.seal("one").envelope).header.data
    other = parse_envelope(garden.seal("other").envelope).header.data
    assert parse_header(one).pre.user == garden.cast.alice.user
    stamps = {
        acceptance_stamp(bytes(32), 1, one, NOW),
        acceptance_stamp(bytes(32), 1, one, NOW + 1),
        acceptance_stamp(bytes(32), 2, one, NOW),
        acceptance_stamp(bytes(32), 1, other, NOW),
    }
    assert len(stamps) == 4


def test_a_device_rotates_after_256_messages_or_a_week(garden: Garden) -> None:
    device = garden.cast.alice.keys.device
    state = garden.epoch("alice")
    assert not should_rotate(state, device, received=NOW, now=NOW + WEEK - 1)
    assert should_rotate(state, device, received=NOW, now=NOW + WEEK)
    assert should_rotate(skip_to(state, device, 256), device, received=NOW, now=NOW)


def test_a_device_that_is_not_in_the_epoch_has_no_counter_to_move(garden: Garden) -> None:
    state = garden.epoch("alice")
    assert not should_rotate(state, bytes(16), received=NOW, now=NOW)
    with pytest.raises(RosterError):
        skip_to(state, bytes(16), 1)
