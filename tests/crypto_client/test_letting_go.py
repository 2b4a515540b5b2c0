"""What a home lets go of: looked for in its files, journal included."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from crypto_client.client.keys import keep_prekey
from crypto_client.client.letting_go import LATE_MS, PREKEY_OVERLAP_MS, let_go
from crypto_client.commit import Commit
from crypto_client.committing import commit_history_off, commit_rotation
from crypto_client.encoding import encode_base64url as b64
from crypto_client.prekeys import new_prekey
from crypto_client.ratchet import EpochState
from crypto_client.vectors.cast import NOW, seeded
from tests.crypto_client.member import Member, Writer

YEAR_MS = 365 * 24 * 3600 * 1000


@dataclass
class Quiet:
    """bob in the garden, which keeps no history since epoch 1; alice has written there."""

    bob: Member
    alice: Writer
    missing: bytes
    head: Commit

    def closes(self) -> None:
        """alice begins epoch 2."""
        by = self.bob.cast.committer(self.bob.cast.alice, self.alice.state)
        self.head = commit_rotation(self.bob.head, by)
        assert self.bob.is_shown(self.head) == ""

    def place(self, seq: int, epoch: int) -> None:
        """The log's place of the newest commit."""
        item = {"kind": "commit", "seq": seq, "epoch": epoch, "hash": b64(self.head.hash)}
        self.bob.home.inbox.item(self.bob.home.room, item)

    def lets_go(self, after_ms: int) -> None:
        let_go(self.bob.rooms, NOW + after_ms)

    def files(self) -> bytes:
        """Every byte of the home."""
        return b"".join(path.read_bytes() for path in sorted(self.bob.rooms.store.home.iterdir()))

    def keys(self, epoch: int) -> list[bytes]:
        """What opens something of an epoch, as the files hold it."""
        state = self.bob.rooms.epoch(self.bob.home.room, epoch)
        assert state is not None
        sql = "SELECT key FROM messages WHERE epoch = ? AND key IS NOT NULL"
        rows = self.bob.rooms.store.rows(sql, epoch)
        return [*_chain_keys(state), *(bytes(row["key"]) for row in rows)]


def _chain_keys(state: EpochState) -> Iterator[bytes]:
    for chain in state.chains.values():
        yield b64(chain.key).encode()
        yield from (b64(key).encode() for key in chain.skipped.values())


@pytest.fixture
def quiet(bob: Member) -> Quiet:
    cast = bob.cast
    off = commit_history_off(bob.view, cast.committer(cast.alice, bob.received["alice"].epoch))
    assert bob.is_shown(off) == ""
    assert bob.head.unkept_from == 1
    hers = cast.receive(cast.alice, bob.received["alice"].view, off).epoch
    assert hers is not None
    alice = Writer(cast.alice, hers)
    bob.home.stored(alice.seal("first", b"1" * 16).envelope, 2)
    missing = alice.seal("on its way", b"2" * 16).envelope
    bob.home.stored(alice.seal("third", b"3" * 16).envelope, 3)
    return Quiet(bob, alice, missing, off)


def test_the_keys_of_a_closed_epoch_leave_the_files_a_week_later(quiet: Quiet) -> None:
    keys = quiet.keys(1)
    assert len(keys) == 5  # two chains, what is skipped, two messages
    quiet.closes()
    quiet.place(4, epoch=2)
    quiet.lets_go(LATE_MS - 1)
    assert [key for key in keys if key not in quiet.files()] == []

    quiet.lets_go(LATE_MS)

    assert [key for key in keys if key in quiet.files()] == []
    assert quiet.keys(1) == []
    assert quiet.keys(2) != []


def test_the_texts_stay_and_what_comes_too_late_does_not_open(quiet: Quiet) -> None:
    quiet.closes()
    quiet.place(4, epoch=2)
    quiet.lets_go(LATE_MS)

    quiet.bob.home.stored(quiet.missing, 5)

    shown = [(2, "first", "ok"), (3, "third", "ok"), (5, None, "epoch_unusable")]
    assert quiet.bob.home.shown() == shown


def test_a_late_message_opens_within_the_week(quiet: Quiet) -> None:
    quiet.closes()
    quiet.place(4, epoch=2)
    quiet.lets_go(LATE_MS - 1)

    quiet.bob.home.stored(quiet.missing, 5)

    assert quiet.bob.home.shown()[-1] == (5, "on its way", "ok")


def test_keys_wait_for_a_log_that_was_not_read_so_far(quiet: Quiet) -> None:
    quiet.closes()
    quiet.lets_go(YEAR_MS)
    assert len(quiet.keys(1)) == 3  # all but the keys of what was read

    quiet.place(4, epoch=2)
    quiet.lets_go(YEAR_MS)

    assert quiet.keys(1) == []


def test_an_open_epoch_lets_go_of_what_was_read_and_keeps_what_opens_the_next(quiet: Quiet) -> None:
    state = quiet.bob.rooms.epoch(quiet.bob.home.room, 1)
    assert state is not None
    chains = set(_chain_keys(state))
    assert chains < set(quiet.keys(1))
    quiet.lets_go(LATE_MS - 1)
    assert len(quiet.keys(1)) == 5

    quiet.lets_go(LATE_MS)

    assert set(quiet.keys(1)) == chains
    quiet.bob.home.stored(quiet.missing, 5)
    assert quiet.bob.home.shown() == [
        (2, "first", "ok"),
        (3, "third", "ok"),
        (5, "on its way", "ok"),
    ]


def test_an_epoch_of_before_the_switch_keeps_its_keys(quiet: Quiet, alice: Writer) -> None:
    quiet.bob.home.stored(alice.seal("when it was kept", b"0" * 16).envelope, 1)
    before = quiet.keys(0)
    assert len(before) == 3

    quiet.lets_go(YEAR_MS)

    assert quiet.keys(0) == before


def test_a_second_text_under_a_known_id_shows_after_its_key_is_gone(quiet: Quiet) -> None:
    quiet.closes()
    quiet.place(4, epoch=2)
    quiet.lets_go(LATE_MS)
    cast, bob = quiet.bob.cast, quiet.bob
    hers = bob.received["alice"].view
    view = replace(hers, head=bob.head.recent[1], epoch=1, clear=bob.head.clear)
    epoch = cast.receive(cast.alice, view, quiet.head).epoch
    assert epoch is not None

    bob.home.stored(Writer(cast.alice, epoch).seal("another first", b"1" * 16).envelope, 5)

    assert bob.home.shown() == [(2, "first", "equivocation"), (3, "third", "ok")]


# Prekeys


def successor(bob: Member, created: int, *, is_published: bool = True) -> None:
    keys = bob.cast.bob.keys
    seed, prekey = new_prekey(keys, seq=2, created=created, random=seeded("second prekey"))
    keep_prekey(bob.rooms.store, 2, seed, prekey, created)
    sql = "INSERT OR REPLACE INTO prekey_floors VALUES (?, ?)"
    bob.rooms.store.run(sql, keys.device, 2 if is_published else 1)


def kept_prekeys(bob: Member) -> list[int]:
    return [row["seq"] for row in bob.rooms.store.rows("SELECT seq FROM prekeys ORDER BY seq")]


def test_an_old_prekey_goes_when_the_next_one_has_been_there_for_four_weeks(bob: Member) -> None:
    seed = bob.cast.bob.prekey_seed
    successor(bob, NOW)
    let_go(bob.rooms, NOW + PREKEY_OVERLAP_MS - 1)
    assert kept_prekeys(bob) == [1, 2]

    let_go(bob.rooms, NOW + PREKEY_OVERLAP_MS)

    assert kept_prekeys(bob) == [2]
    home = bob.rooms.store.home
    assert seed not in b"".join(path.read_bytes() for path in home.iterdir())


def test_the_only_prekey_and_one_whose_successor_nobody_has_seen_stay(bob: Member) -> None:
    let_go(bob.rooms, NOW + YEAR_MS)
    assert kept_prekeys(bob) == [1]

    successor(bob, NOW, is_published=False)
    let_go(bob.rooms, NOW + YEAR_MS)

    assert kept_prekeys(bob) == [1, 2]
