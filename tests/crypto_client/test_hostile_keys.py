"""A server that lies about keys: none of it gets a secret from the command-line client."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from crypto_client.client.failures import Refused
from crypto_client.client.server import unb64
from crypto_client.client.wire_commits import commit_of
from crypto_client.commit import open_wrap
from crypto_client.committing import commit_rotation, make_commit
from crypto_client.device_list import (
    SignedDeviceList,
    next_device_list,
    parse_device_list,
    sign_device_list,
)
from crypto_client.errors import (
    KeyLogError,
    ListForkError,
    ListRollbackError,
    PinMismatchError,
    SignatureError,
)
from crypto_client.identity import new_device
from crypto_client.key_log import label_of
from crypto_client.ops import parse_ops
from crypto_client.prekeys import LIFETIME_MS, SignedPrekey, new_prekey, parse_prekey, sign_prekey
from crypto_client.primitives import h, sign
from crypto_client.vectors.cast import NOW, Person, World
from tests.crypto_client.hostile import keys_of, list_row
from tests.crypto_client.member import Member, impostor_of


def posted_commits(bob: Member) -> list[Any]:
    return bob.server.was_sent("/commits")


def wrapped_to(body: Any) -> set[bytes]:
    return {uuid.UUID(row["device_id"]).bytes for row in body["wraps"]}


def says_of_the_room(bob: Member) -> None:
    """The server has nothing to say of the room but who is in it."""
    room_id = str(uuid.UUID(bytes=bob.home.room))
    bob.server.answers[room_id] = {"room_id": room_id, "members": [], "leaving": []}


# Another account key


def test_no_automatic_commit_takes_in_a_changed_account_key(bob: Member) -> None:
    impostor = impostor_of(bob.cast.alice)
    bob.server.keys[impostor.user] = keys_of(impostor)
    says_of_the_room(bob)
    assert not bob.rooms.heal(bob.home.room)
    assert posted_commits(bob) == []
    bob.rooms.commit(bob.home.room, commit_rotation)
    (body,) = posted_commits(bob)
    assert wrapped_to(body) == {bob.cast.bob.keys.device}
    assert impostor.account.public not in unb64(body["ops"])
    assert parse_ops(unb64(body["ops"])) == ()


def test_nobody_is_added_under_another_key_than_the_pinned_one(bob: Member) -> None:
    bob.pins(bob.cast.carol)
    bob.rooms.committer([bob.cast.carol.user], bob.view)
    impostor = impostor_of(bob.cast.carol)
    bob.server.keys[impostor.user] = keys_of(impostor)
    with pytest.raises(PinMismatchError):
        bob.rooms.committer([impostor.user], bob.view)


# Device lists: ghosts, old ones, two of one version


def publish(bob: Member, *lists: SignedDeviceList) -> None:
    """The server shows lists of alice's, and names the last one in its log."""
    alice = bob.cast.alice
    bob.server.keys[alice.user]["lists"] = [list_row(signed) for signed in lists]
    bob.server.key_log.log.add(label_of(alice.user), lists[-1].list_hash)


def with_laptop(alice: Person) -> SignedDeviceList:
    laptop = new_device(alice.user, alice.account.public, NOW)
    rows = [alice.keys.entry(), laptop.entry()]
    return next_device_list(alice.account, alice.devices, rows, time=NOW)


def test_a_ghost_device_is_not_believed_without_the_account_key(bob: Member) -> None:
    alice, mallory = bob.cast.alice, bob.cast.mallory
    genuine = with_laptop(alice)
    ghost = replace(genuine, sig=sign(mallory.account.seed, "devices", genuine.list_hash))
    publish(bob, ghost)
    with pytest.raises(SignatureError):
        bob.rooms.keyring.refresh(alice.user)
    known = bob.rooms.keyring.newest(alice.user)
    assert known is not None
    assert known.list_hash == alice.devices.list_hash


def other_of(signed: SignedDeviceList, alice: Person) -> SignedDeviceList:
    """Another list with the same number, as a thief of the account key could sign."""
    content = parse_device_list(signed.data)
    return sign_device_list(alice.account, replace(content, time=NOW + 1))


@pytest.mark.parametrize(
    ("shown", "refusal"),
    [
        (lambda first, _second, _alice: first, ListRollbackError),
        (lambda _first, second, alice: other_of(second, alice), ListForkError),
    ],
    ids=["an older list", "another list of the same number"],
)
def test_a_device_list_never_goes_back(
    bob: Member,
    shown: Callable[[SignedDeviceList, SignedDeviceList, Person], SignedDeviceList],
    refusal: type[Exception],
) -> None:
    alice = bob.cast.alice
    second = with_laptop(alice)
    publish(bob, second)
    bob.rooms.keyring.refresh(alice.user)
    bob.server.keys[alice.user]["lists"] = [list_row(shown(alice.devices, second, alice))]
    with pytest.raises(refusal):
        bob.rooms.keyring.refresh(alice.user)
    known = bob.rooms.keyring.newest(alice.user)
    assert known is not None
    assert (known.version, known.list_hash) == (2, second.list_hash)


# Prekeys


def signed_by_mallory(cast: World) -> SignedPrekey:
    prekey = cast.alice.prekey
    return replace(prekey, sig=cast.mallory.keys.sign("prekey", prekey.prekey_hash))


def expired(cast: World) -> SignedPrekey:
    return new_prekey(cast.alice.keys, seq=9, created=NOW - 2 * LIFETIME_MS)[1]


def of_small_order(cast: World) -> SignedPrekey:
    content = parse_prekey(cast.alice.prekey.data)
    return sign_prekey(cast.alice.keys, replace(content, public=content.public[:-32] + bytes(32)))


@pytest.mark.parametrize(
    "foreign",
    [signed_by_mallory, lambda cast: cast.mallory.prekey, expired, of_small_order],
    ids=["signed by mallory", "mallory's own", "expired", "of small order"],
)
def test_a_foreign_prekey_gets_no_secret_and_stops_nobody(
    bob: Member, foreign: Callable[[World], SignedPrekey]
) -> None:
    alice, own = bob.cast.alice, bob.cast.bob.keys.device
    honest = make_commit(
        bob.view, [], bob.rooms.committer([alice.user, bob.cast.bob.user], bob.view)
    )
    assert set(honest.wraps) == {alice.keys.device, own}
    bob.server.keys[alice.user] = keys_of(replace(alice, prekey=foreign(bob.cast)))
    by = bob.rooms.committer([alice.user, bob.cast.bob.user], bob.view)
    assert set(make_commit(bob.view, [], by).wraps) == {own}


# The labels of the key log


@pytest.mark.parametrize(
    "label",
    [h("kt-label", b"chosen by the server"), label_of(bytes(16)), h("x", b"keyed")],
    ids=["chosen", "somebody else's", "by another rule"],
)
def test_a_leaf_under_another_label_than_the_client_computes_is_no_leaf(
    bob: Member, label: bytes
) -> None:
    carol = bob.cast.carol
    log = bob.server.key_log.log
    log.leaves.clear()
    for person in (bob.cast.alice, bob.cast.bob):
        log.add(label_of(person.user), person.devices.list_hash)
    log.add(label, carol.devices.list_hash)
    with pytest.raises(KeyLogError, match="not the newest"):
        bob.rooms.keyring.refresh(carol.user)
    assert carol.user not in bob.rooms.keyring.pins()


# A lost race


def test_after_a_lost_race_the_secret_is_made_again(
    bob: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crypto_client.client.rooms.time.sleep", lambda _: None)
    answers = iter([Refused("stale_head"), None])

    def taken(_body: Any) -> Any:
        refusal = next(answers)
        if refusal:
            raise refusal
        return {}

    bob.server.answers["POST commits"] = taken
    bob.rooms.commit(bob.home.room, commit_rotation)
    lost, won = (secret_for_alice(bob, body) for body in posted_commits(bob))
    assert lost != won


def secret_for_alice(bob: Member, body: Any) -> bytes:
    alice = bob.cast.alice
    wraps = {uuid.UUID(row["device_id"]).bytes: unb64(row["wrap"]) for row in body["wraps"]}
    return open_wrap(
        wraps[alice.keys.device],
        alice.prekey_seed,
        core_hash=commit_of(body, wraps).core_hash,
        user=alice.user,
        device=alice.keys.device,
        prekey_hash=alice.prekey.prekey_hash,
    )
