"""A further device enters an account, and nobody else's does."""

from collections.abc import Container

import pytest

from crypto_client.device_list import parse_device_list
from crypto_client.linking import (
    LINK_MS,
    Answered,
    Asking,
    GaveUp,
    Linked,
    Pin,
    Waiting,
    answer_code,
    begin_link,
    finish_link,
    scan_code,
)
from crypto_client.recovery import backup_seed
from crypto_client.vectors.cast import NOW, Person, World, world

ORIGIN = "https://chat.example:443"


@pytest.fixture
def cast() -> World:
    return world("alice", "bob", "mallory")


@pytest.fixture
def laptop(cast: World) -> Waiting:
    """Alice's new laptop, which shows its code."""
    return begin_link(cast.alice.user, cast.alice.account.public, ORIGIN, now=NOW)


def scanned(by: Person, waiting: Waiting, used: Container[bytes] = ()) -> Asking | GaveUp:
    own = (by.user, by.account.public)
    code, key = waiting.code.data, waiting.xw_pub
    return scan_code(code, key, own=own, origin=ORIGIN, used=used, now=NOW)


def answered(
    by: Person, asked: Asking | Answered | GaveUp, pins: list[Pin], now: int = NOW
) -> Answered | GaveUp:
    return answer_code(
        asked,
        by.account,
        by.devices,
        head=b"",
        pins=pins,
        backup_seed=backup_seed(by.recovery_key, by.user, 1),
        now=now,
    )


def test_a_new_device_is_listed_and_learns_whom_the_old_one_trusts(
    cast: World, laptop: Waiting
) -> None:
    bob = cast.bob
    pin = Pin(bob.user, bob.account.public, 1, bob.devices.list_hash)
    answer = answered(cast.alice, scanned(cast.alice, laptop), [pin])
    assert isinstance(answer, Answered)
    linked = finish_link(laptop, answer.answer, now=NOW)
    assert isinstance(linked, Linked)
    assert linked.pins == (pin,)
    named = parse_device_list(linked.devices.data)
    assert named.version == 2
    assert named.entry(laptop.keys.device) is not None


def test_a_code_of_alice_is_nothing_to_mallory(cast: World, laptop: Waiting) -> None:
    assert isinstance(scanned(cast.alice, laptop), Asking)
    refused = scanned(cast.mallory, laptop)
    assert isinstance(refused, GaveUp)
    assert refused.outcome == "link"


def test_a_code_works_once_and_for_five_minutes(cast: World, laptop: Waiting) -> None:
    asked = scanned(cast.alice, laptop)
    assert isinstance(asked, Asking)
    assert isinstance(scanned(cast.alice, laptop, used={asked.code.code_hash}), GaveUp)
    assert isinstance(answered(cast.alice, asked, [], now=NOW + LINK_MS), Answered)
    assert isinstance(answered(cast.alice, asked, [], now=NOW + LINK_MS + 1), GaveUp)


def test_a_side_that_gave_up_or_is_done_answers_nothing(cast: World, laptop: Waiting) -> None:
    answer = answered(cast.alice, scanned(cast.alice, laptop), [])
    assert isinstance(answer, Answered)
    assert isinstance(answered(cast.alice, answer, []), GaveUp)
    gave_up = finish_link(laptop, answer.answer[:-1], now=NOW)
    assert isinstance(gave_up, GaveUp)
    assert isinstance(finish_link(gave_up, answer.answer, now=NOW), GaveUp)


def test_another_account_key_than_the_codes_lists_nobody(cast: World, laptop: Waiting) -> None:
    asked = scanned(cast.alice, laptop)
    assert isinstance(answered(cast.mallory, asked, []), GaveUp)


def test_a_device_that_is_listed_is_not_linked_again(cast: World, laptop: Waiting) -> None:
    asked = scanned(cast.alice, laptop)
    first = answered(cast.alice, asked, [])
    assert isinstance(first, Answered)
    again = answer_code(
        asked,
        cast.alice.account,
        first.devices,
        head=b"",
        pins=[],
        backup_seed=b"",
        now=NOW,
    )
    assert isinstance(again, GaveUp)
