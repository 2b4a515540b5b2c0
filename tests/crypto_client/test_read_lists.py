"""A commit costs the reading of what it changes: lists that were read are kept by their hash."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from crypto_client.committing import commit_refresh, commit_rotation
from crypto_client.device_list import SignedDeviceList, next_device_list
from crypto_client.epoch import ReadLists, Trust, senders_of
from crypto_client.errors import OpForbiddenError, ReferenceMissingError, SignatureError
from crypto_client.receiving import Received
from crypto_client.vectors.cast import NOW, World, group, world


class Asked(Mapping[bytes, SignedDeviceList]):
    """Lists that remember by which hashes they were asked for."""

    def __init__(self, lists: Mapping[bytes, SignedDeviceList]) -> None:
        self.lists = lists
        self.hashes: set[bytes] = set()

    def __getitem__(self, list_hash: bytes) -> SignedDeviceList:
        self.hashes.add(list_hash)
        return self.lists[list_hash]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.lists)

    def __len__(self) -> int:
        return len(self.lists)


@pytest.fixture
def cast() -> World:
    return world("alice", "bob", "carol", "mallory")


@pytest.fixture
def garden(cast: World) -> dict[str, Received]:
    return group(cast, "alice", "bob", "carol")[1]


def next_list_of_carol(cast: World) -> SignedDeviceList:
    carol = cast.carol
    return next_device_list(carol.account, carol.devices, [carol.keys.entry()], time=NOW)


def test_of_a_room_that_goes_on_only_the_lists_that_a_commit_names_are_asked_for(
    cast: World, garden: dict[str, Received]
) -> None:
    asked = Asked(cast.lists)
    trust = replace(cast.trust(), lists=asked)
    view = garden["bob"].view
    rotated = cast.receive(cast.bob, view, commit_rotation(view, cast.committer(cast.alice)), trust)
    assert asked.hashes == {row.list_hash for row in view.roster}

    newer = next_list_of_carol(cast)
    asked = Asked({**cast.lists, newer.list_hash: newer})
    by = replace(cast.committer(cast.alice), lists=asked.lists)
    refresh = commit_refresh(rotated.view, [newer], by)
    cast.receive(cast.bob, rotated.view, refresh, replace(trust, lists=asked))
    assert asked.hashes == {newer.list_hash}


def test_a_list_that_was_read_is_verified_before_it_enters_a_roster(
    cast: World, garden: dict[str, Received]
) -> None:
    newer = next_list_of_carol(cast)
    forged = SignedDeviceList(newer.data, bytes(64))
    lists = {**cast.lists, newer.list_hash: forged}
    view = garden["bob"].view
    commit = commit_refresh(view, [newer], replace(cast.committer(cast.alice), lists=lists))
    trust = replace(cast.trust(), lists=lists)
    (row,) = [row for row in view.roster if row.user == cast.carol.user]
    trust.list_of(replace(row, list_version=2, list_hash=newer.list_hash))
    with pytest.raises(SignatureError):
        cast.receive(cast.bob, view, commit, trust)


def test_a_list_that_was_read_for_one_account_counts_for_no_other(
    cast: World, garden: dict[str, Received]
) -> None:
    trust = cast.trust()
    roster = garden["bob"].view.roster
    senders_of(roster, trust)
    for row in roster:
        with pytest.raises(OpForbiddenError):
            trust.list_of(replace(row, amk_pub=cast.mallory.account.public))
        with pytest.raises(OpForbiddenError):
            trust.list_of(replace(row, user=cast.mallory.user))


def test_what_was_read_first_is_forgotten_first_and_read_again(
    cast: World, garden: dict[str, Received]
) -> None:
    trust = Trust(cast.lists, {}, read=ReadLists(limit=2))
    roster = garden["bob"].view.roster
    senders_of(roster, trust)
    kept = [trust.read.get(row.list_hash) is not None for row in roster]
    assert kept == [False, True, True]
    with pytest.raises(ReferenceMissingError):
        senders_of(roster, replace(trust, lists={}))
    assert senders_of(roster, trust) == senders_of(roster, cast.trust())
