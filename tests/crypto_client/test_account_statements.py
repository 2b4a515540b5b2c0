"""Who may object to what is done in an account's name, and whom others believe."""

from dataclasses import replace

import pytest

from crypto_client.account_statements import (
    SeenList,
    check_dispute,
    check_veto,
    make_dispute,
    make_veto,
)
from crypto_client.device_list import next_device_list, parse_device_list
from crypto_client.errors import DisputeError, PinMismatchError, SignatureError
from crypto_client.identity import AccountKey, new_device
from crypto_client.profiles import KnownProfile, accept_profile, make_profile
from crypto_client.succession import (
    judge_succession,
    make_reset,
    make_succession,
    walk_resets,
)
from crypto_client.vectors.cast import NOW, Person, World, world

DAY = 24 * 3600 * 1000


@pytest.fixture
def cast() -> World:
    return world("alice", "mallory")


def thiefs_lists(alice: Person) -> tuple[list[SeenList], bytes]:
    """Give alice's list and the one by a thief of her account key, dated long ago."""
    thief = new_device(alice.user, alice.account.public, NOW)
    dated_back = NOW - 1000 * DAY
    theirs = next_device_list(alice.account, alice.devices, [thief.entry()], time=dated_back)
    return [SeenList(alice.devices, NOW - 90 * DAY), SeenList(theirs, NOW)], theirs.list_hash


def test_a_thief_of_the_account_key_cannot_silence_the_device_it_dropped(cast: World) -> None:
    lists, bad = thiefs_lists(cast.alice)
    assert check_dispute(make_dispute(cast.alice.keys, bad).encode(), lists, now=NOW) == 2
    with pytest.raises(DisputeError):
        check_dispute(make_dispute(cast.mallory.keys, bad).encode(), lists, now=NOW)


def test_a_thief_of_the_account_key_alone_cannot_renew_the_account(cast: World) -> None:
    alice = cast.alice
    new = replace(cast.mallory.account, user=alice.user).public
    thief = new_device(alice.user, alice.account.public, NOW - 1000 * DAY)
    theirs = next_device_list(alice.account, alice.devices, [thief.entry()], time=0)
    seen = [SeenList(alice.devices, NOW - 90 * DAY), SeenList(theirs, NOW)]

    def judged(lists: list[SeenList], data: bytes) -> str:
        whose = {"user": alice.user, "amk_old": alice.account.public}
        return judge_succession(data, lists, **whose, now=NOW)

    hers = make_succession(alice.account, alice.keys, new, version=1).encode()
    assert judged(seen[:1], hers) == "renewed"
    stolen = make_succession(alice.account, thief, new, version=2).encode()
    assert judged(seen, stolen) == "reset"


def test_a_veto_is_heard_from_a_listed_device_and_from_nobody_else(cast: World) -> None:
    alice, mallory = cast.alice, cast.mallory
    devices = parse_device_list(alice.devices.data)
    account = replace(mallory.account, user=alice.user)
    reset_id = make_reset(account, alice.account.public, time=NOW).reset_id
    heard = check_veto(make_veto(alice.keys, reset_id).encode(), reset_id, devices)
    assert heard == alice.keys.device
    with pytest.raises(DisputeError):
        check_veto(make_veto(mallory.keys, reset_id).encode(), reset_id, devices)


def test_two_names_written_at_once_end_as_one_for_every_reader(cast: World) -> None:
    alice = cast.alice
    laptop = new_device(alice.user, alice.account.public, NOW)
    rows = [alice.keys.entry(), laptop.entry()]
    devices = parse_device_list(next_device_list(alice.account, alice.devices, rows, time=NOW).data)
    one = make_profile(alice.keys, version=1, time=NOW, name="Alice")
    other = make_profile(laptop, version=1, time=NOW, name="앨리스")
    less, more = sorted((one, other), key=lambda signed: signed.profile_hash)
    _, known, _ = accept_profile(less, devices, None)
    profile, known, changed = accept_profile(more, devices, known)
    assert changed
    assert known == KnownProfile(1, more.profile_hash)
    assert not accept_profile(more, devices, known)[2]
    assert profile.name in ("Alice", "앨리스")


def test_resets_that_follow_each_other_lead_to_the_present_key(cast: World) -> None:
    alice, (second, third) = cast.alice, renewals(cast.alice)
    first = make_reset(second, alice.account.public, time=NOW)
    then = make_reset(third, second.public, time=NOW)

    read = walk_resets([first, then], user=alice.user, amk_pub=third.public)

    assert [reset.amk_old for reset in read] == [alice.account.public, second.public]
    assert walk_resets([], user=alice.user, amk_pub=alice.account.public) == ()


def test_a_key_that_no_reset_leads_to_is_nobody_s_next_one(cast: World) -> None:
    alice, (second, third) = cast.alice, renewals(cast.alice)
    first = make_reset(second, alice.account.public, time=NOW)
    apart = make_reset(third, cast.mallory.account.public, time=NOW)
    for resets in ([first], [first, apart], [replace(first, sig=bytes(64))]):
        with pytest.raises((PinMismatchError, SignatureError)):
            walk_resets(resets, user=alice.user, amk_pub=third.public)
    with pytest.raises(PinMismatchError):
        walk_resets([first], user=cast.mallory.user, amk_pub=second.public)


def renewals(person: Person) -> tuple[AccountKey, AccountKey]:
    """Two further account keys of a person."""
    return AccountKey(person.user, bytes([7]) * 32), AccountKey(person.user, bytes([8]) * 32)
