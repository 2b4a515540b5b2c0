"""A further device by the secret alone: lists that follow, and epochs that come back."""

import functools
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto_client.body import text_body
from crypto_client.commit import ClearState, Commit, parse_core
from crypto_client.committing import (
    commit_refresh,
    commit_rotation,
    commit_title,
    create_group,
)
from crypto_client.device_list import (
    MAX_DEVICES,
    SignedDeviceList,
    first_device_list,
    list_with,
    list_without,
    parse_device_list,
    walk_own_lists,
)
from crypto_client.envelope import Sealed, seal_message
from crypto_client.epoch import Trust
from crypto_client.errors import (
    CutError,
    ListForkError,
    PinMismatchError,
    ProtocolError,
    RecoveryError,
    ReferenceMissingError,
    SignatureError,
)
from crypto_client.history import EpochName, HistoryRecord, HistoryWriter, seal_history
from crypto_client.identity import DeviceKeys, new_device
from crypto_client.opening import open_message
from crypto_client.receiving import Received, receive_commit
from crypto_client.recovery import SignedBlob, backup_public, encode_code, seal_recovery
from crypto_client.restoring import Link, OwnAccount, Past, Restored, reopen_past, restore_account
from crypto_client.slips import read_typed
from crypto_client.vectors.cast import NOW, Person, World, seeded, world

WORDS = "baba zyzu bada zyzu baba zyzu"


def device(person: Person, name: str) -> DeviceKeys:
    return new_device(person.user, person.account.public, NOW, seeded(name))


def grown(person: Person, *names: str) -> list[SignedDeviceList]:
    """A person's lists, one device more in each."""
    lists = [person.devices]
    for name in names:
        entry = device(person, name).entry()
        lists.append(list_with(person.account, lists[-1], entry, time=NOW))
    return lists


@functools.cache
def blob_of(name: str, words: str = WORDS, version: int = 1) -> SignedBlob:
    person = world(name).people[name]
    return seal_recovery(person.account, person.recovery_key, words, version=version)


def own(person: Person, lists: Sequence[SignedDeviceList] | None = None) -> OwnAccount:
    given_lists = tuple(lists if lists is not None else [person.devices])
    return OwnAccount(person.user, person.account.public, blob_of(person.name), given_lists)


def restored(person: Person, lists: Sequence[SignedDeviceList] | None = None) -> Restored:
    return restore_account(own(person, lists), code=encode_code(person.recovery_key))


# Lists


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from("abcdef"), unique=True, max_size=6), st.data())
def test_lists_that_devices_enter_and_leave_follow_each_other(names: list[str], data) -> None:
    alice = world("alice").alice
    lists, present = grown(alice, *names), {alice.keys.device}
    present |= {device(alice, name).device for name in names}
    for gone in data.draw(st.permutations(sorted(present)))[1:]:
        lists.append(list_without(alice.account, lists[-1], gone, time=NOW))
        present.remove(gone)

    opened = walk_own_lists(lists, user=alice.user, amk_pub=alice.account.public)

    assert [each.version for each in opened] == list(range(1, len(lists) + 1))
    assert {entry.device for entry in opened[-1].entries} == present
    entries = {entry.encode() for each in opened for entry in each.entries}
    assert len(entries) == len(names) + 1
    assert len({(each.bk_version, each.bk_hash) for each in opened}) == 1


def test_a_list_holds_each_device_once_and_no_33rd() -> None:
    alice = world("alice").alice
    lists = grown(alice, *(str(number) for number in range(MAX_DEVICES - 1)))
    assert len(parse_device_list(lists[-1].data).entries) == MAX_DEVICES

    with pytest.raises(ValueError, match="at most 32"):
        list_with(alice.account, lists[-1], device(alice, "one more").entry(), time=NOW)
    with pytest.raises(ValueError, match="each once"):
        list_with(alice.account, lists[0], alice.keys.entry(), time=NOW)


def test_the_last_device_and_a_stranger_are_not_dropped() -> None:
    cast = world("alice", "bob")
    lists = grown(cast.alice, "second")

    with pytest.raises(ValueError, match="drops one"):
        list_without(cast.alice.account, cast.alice.devices, cast.alice.keys.device, time=NOW)
    with pytest.raises(ValueError, match="drops one"):
        list_without(cast.alice.account, lists[-1], cast.bob.keys.device, time=NOW)


# The account


@pytest.mark.parametrize("typed", [WORDS, "code"])
def test_words_and_code_give_the_account_and_its_lists(typed: str) -> None:
    alice = world("alice").alice
    lists = grown(alice, "second")
    read = read_typed(encode_code(alice.recovery_key) if typed == "code" else typed)

    account = restore_account(own(alice, lists), secret=read.secret, code=read.code)

    assert account.recovered.account == alice.account
    assert account.newest == lists[-1]
    assert account.bk_pub == backup_public(alice.recovery_key, alice.user, 1)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (lambda o, alice, mallory: replace(o, blob=blob_of("mallory")), RecoveryError),
        (lambda o, alice, mallory: replace(o, amk_pub=mallory.account.public), RecoveryError),
        (
            lambda o, alice, mallory: replace(o, blob=replace(o.blob, sig=bytes(64))),
            SignatureError,
        ),
        (lambda o, alice, mallory: replace(o, lists=()), ReferenceMissingError),
        (lambda o, alice, mallory: replace(o, lists=o.lists[1:]), ReferenceMissingError),
        (
            lambda o, alice, mallory: replace(o, lists=(o.lists[0], o.lists[2])),
            ReferenceMissingError,
        ),
        (
            lambda o, alice, mallory: replace(o, lists=(*o.lists[:2], fork_of(alice))),
            ListForkError,
        ),
        (lambda o, alice, mallory: replace(o, lists=(mallory.devices,)), PinMismatchError),
        (lambda o, alice, mallory: replace(o, lists=(other_backup(alice),)), RecoveryError),
    ],
    ids=[
        "blob-of-another",
        "another-account-key",
        "unsigned-blob",
        "no-lists",
        "first-list-withheld",
        "list-in-between-withheld",
        "forked-list",
        "lists-of-another",
        "another-backup-key",
    ],
)
def test_what_a_hostile_server_says_of_the_account_is_refused(
    change, refusal: type[ProtocolError]
) -> None:
    cast = world("alice", "mallory")
    alice, code = cast.alice, encode_code(cast.alice.recovery_key)
    honest = own(alice, grown(alice, "second", "third"))
    assert restore_account(honest, code=code).lists[-1].version == 3

    with pytest.raises(refusal):
        restore_account(change(honest, alice, cast.mallory), code=code)


def fork_of(person: Person) -> SignedDeviceList:
    """Version 3 on another version 2."""
    return grown(person, "other", "third")[-1]


def other_backup(person: Person) -> SignedDeviceList:
    backup = backup_public(bytes(32), person.user, 1)
    return first_device_list(person.account, [person.keys.entry()], time=NOW, bk_pub=backup)


def test_an_older_blob_than_the_server_names_is_refused() -> None:
    alice = world("alice").alice
    code = encode_code(alice.recovery_key)

    with pytest.raises(RecoveryError):
        restore_account(own(alice), code=code, known_version=2)


# History


class Life:
    """A room of alice and bob, with what alice's first device keeps for later."""

    def __init__(self, clear: ClearState | None = None) -> None:
        self.cast: World = world("alice", "bob")
        self.lists = [self.cast.alice.devices, self.cast.bob.devices]
        self.links: list[Link] = []
        self.records: dict[int, list[HistoryRecord]] = {}
        self.sealed: list[Sealed] = []
        by = self.cast.committer(self.cast.alice)
        commit = create_group(by, self.lists, title="first", clear=clear)
        self.room = parse_core(commit.core).room
        self.take(commit)

    @property
    def writer(self) -> HistoryWriter:
        alice = self.cast.alice
        return HistoryWriter(alice.keys, 1, backup_public(alice.recovery_key, alice.user, 1))

    @property
    def trust(self) -> Trust:
        pins = {person.user: person.account.public for person in self.cast.people.values()}
        return Trust({signed.list_hash: signed for signed in self.lists}, pins)

    @property
    def head(self) -> Received:
        return self.links[-1].received

    def take(self, commit: Commit) -> None:
        """alice's first device opens a commit, writes history and says something."""
        view = self.head.view if self.links else None
        got = receive_commit(
            view,
            commit,
            room=self.room,
            trust=self.trust,
            source=self.cast.alice.source,
            history=self.writer,
        )
        self.links.append(Link(commit, got))
        if got.history is not None and got.epoch is not None:
            self.records[got.view.epoch] = [got.history]
            text = text_body(f"in epoch {got.view.epoch}")
            keys = self.cast.alice.keys
            msg_id = got.view.epoch.to_bytes(16, "big")
            self.sealed.append(seal_message(got.epoch, keys, text, msg_id=msg_id, time=NOW))

    def go_on(self, title: str | None = None) -> None:
        """The next epoch: a plain one by bob, or a new title by alice."""
        view, cast = self.head.view, self.cast
        if title is None:
            self.take(commit_rotation(view, cast.committer(cast.bob)))
        else:
            self.take(commit_title(view, title, cast.committer(cast.alice)))

    def chain(self) -> list[Link]:
        """The chain as somebody verifies it who opens nothing."""
        chain: list[Link] = []
        view = None
        for link in self.links:
            got = receive_commit(view, link.commit, room=self.room, trust=self.trust)
            chain.append(Link(link.commit, got))
            view = got.view
        return chain

    def past(self, records=None) -> Past:
        alice = self.cast.alice
        lists = [each for each in self.lists if parse_device_list(each.data).user == alice.user]
        found = self.records if records is None else records
        return reopen_past(restored(alice, lists).history, self.chain(), found, self.trust)


def texts(life: Life, past: Past) -> list[str | None]:
    found = []
    for sealed, state in zip(life.sealed, past.epochs, strict=True):
        opened = open_message(sealed.envelope, state, room=life.room)
        assert opened.message is not None
        found.append(opened.message.body.text)
    return found


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from([None, "second", "third"]), max_size=4))
def test_history_brings_back_every_epoch_its_messages_and_the_title(titles) -> None:
    life = Life()
    for title in titles:
        life.go_on(title)

    past = life.past()

    assert not past.refused
    assert texts(life, past) == [f"in epoch {number}" for number in range(len(titles) + 1)]
    assert past.view == replace(life.head.view, title=past.view.title)
    assert past.view.title == life.head.view.title


def test_a_title_is_read_as_its_readers_read_it() -> None:
    life = Life()
    life.go_on("second")
    life.go_on()
    assert life.past().view.title == "second"

    without = {epoch: found for epoch, found in life.records.items() if epoch != 1}

    assert life.past(without).view.title == "second"
    assert life.past({0: life.records[0]}).view.title is None


def poisoned(life: Life, epoch: int) -> HistoryRecord:
    """A record of another secret, by the account's own device: anybody can seal to bk_pub."""
    return seal_history(life.writer, name_of(life, epoch), bytes(32))


def name_of(life: Life, epoch: int) -> EpochName:
    return EpochName(life.room, epoch, life.links[epoch].commit.hash)


def by_a_stranger(life: Life, epoch: int) -> HistoryRecord:
    stranger = device(life.cast.bob, "stranger")
    writer = HistoryWriter(stranger, 1, life.writer.bk_pub)
    return seal_history(writer, name_of(life, epoch), bytes(32))


def of_another_epoch(life: Life, epoch: int) -> HistoryRecord:
    return life.records[1 - epoch][0]


def cut_short(life: Life, epoch: int) -> HistoryRecord:
    genuine = life.records[epoch][0]
    return replace(genuine, record=genuine.record[:-1])


@pytest.mark.parametrize(
    ("forged", "outcome"),
    [
        (poisoned, "recovery"),
        (by_a_stranger, "signature"),
        (of_another_epoch, "recovery"),
        (cut_short, "signature"),
    ],
)
def test_a_record_that_a_hostile_server_gives_is_refused_by_name(forged, outcome: str) -> None:
    life = Life()
    life.go_on()
    bad = forged(life, 0)

    past = life.past({**life.records, 0: [bad]})

    assert past.refused == {0: outcome}
    assert [state.opened for state in past.epochs] == [False, True]
    both = life.past({**life.records, 0: [bad, life.records[0][0]]})
    assert (both.refused, texts(life, both)) == ({}, ["in epoch 0", "in epoch 1"])


def test_a_record_by_a_device_that_was_listed_once_still_opens() -> None:
    life = Life()
    alice = life.cast.alice
    second = list_with(alice.account, alice.devices, device(alice, "new").entry(), time=NOW)
    life.lists += [second, list_without(alice.account, second, alice.keys.device, time=NOW)]

    assert texts(life, life.past()) == ["in epoch 0"]


def test_what_a_dropped_device_wrote_after_its_end_is_cut_in_a_restored_epoch_too() -> None:
    life = Life()
    alice, bob = life.cast.alice, life.cast.bob
    second = list_with(alice.account, alice.devices, device(alice, "new").entry(), time=NOW)
    life.lists += [second, list_without(alice.account, second, alice.keys.device, time=NOW)]
    by = replace(
        life.cast.committer(bob),
        lists=life.trust.lists,
        closing=life.head.epoch,
    )
    life.take(commit_refresh(life.head.view, [life.lists[-1]], by))

    past = life.past()

    assert past.epochs[0].opened
    with pytest.raises(CutError):
        open_message(life.sealed[0].envelope, past.epochs[0], room=life.room)
