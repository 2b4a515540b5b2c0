"""The own room as the chain makes it: nobody makes one for alice, and nobody shares hers."""

import pytest

from crypto_client.committing import commit_add, create_own_room
from crypto_client.errors import CommitterError
from crypto_client.ops import Create
from crypto_client.own_room import is_own_room, own_origin
from crypto_client.roster import ROLE_ADMIN
from crypto_client.vectors.cast import World, world
from crypto_client.vectors.forge import Forgery
from crypto_client.vectors.room_cases import row, sorted_roster


@pytest.fixture
def cast() -> World:
    return world("alice", "mallory")


def test_an_own_room_is_one_as_long_as_its_owner_is_alone_in_it(cast: World) -> None:
    alice, mallory = cast.alice, cast.mallory
    whose = (alice.user, alice.account.public)
    first = cast.receive(alice, None, create_own_room(cast.committer(alice), alice.devices))
    assert first.epoch is not None
    assert first.epoch.opened
    assert is_own_room(first.view, *whose)
    assert not is_own_room(first.view, mallory.user, mallory.account.public)
    assert not is_own_room(first.view, alice.user, mallory.account.public)

    by = cast.committer(alice, first.epoch)
    second = cast.receive(alice, first.view, commit_add(first.view, [mallory.devices], by))

    assert not is_own_room(second.view, *whose)


def test_mallory_makes_no_own_room_for_alice(cast: World) -> None:
    alice, mallory = cast.alice, cast.mallory
    origin = own_origin(alice.user, alice.account.public, alice.keys.device)
    for rows in (
        sorted_roster(row(alice, ROLE_ADMIN)),
        sorted_roster(row(alice, ROLE_ADMIN), row(mallory)),
    ):
        commit = Forgery(None, mallory.keys, [Create(origin, rows)], to=[alice]).make()
        with pytest.raises(CommitterError):
            cast.receive(alice, None, commit)
