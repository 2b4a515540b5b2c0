"""What a hostile server says to the command-line client, and what the client believes."""

import uuid
from dataclasses import replace

import pytest

from crypto_client.client.due import due_ops
from crypto_client.client.failures import Refused, Unverified
from crypto_client.client.many_keys import refresh_known, said_of
from crypto_client.client.offers import offered_key
from crypto_client.client.server import b64
from crypto_client.commit import PrekeyRow, encode_prekeys, parse_core
from crypto_client.committing import commit_add, create_direct, make_commit
from crypto_client.errors import PinMismatchError, ReferenceMissingError
from crypto_client.key_log import label_of
from crypto_client.ops import Create, Op, Remove, parse_ops
from crypto_client.prekeys import new_prekey
from crypto_client.roster import roster_hash
from crypto_client.statements import make_leave
from crypto_client.vectors.cast import NOW
from tests.crypto_client.hostile import keys_of
from tests.crypto_client.member import Member, impostor_of


@pytest.mark.parametrize("with_lists", [True, False])
def test_a_changed_account_key_is_flagged_and_never_taken_over(
    bob: Member, with_lists: bool
) -> None:
    impostor = impostor_of(bob.cast.alice)
    bob.server.keys[impostor.user] = keys_of(impostor, lists=with_lists)
    with pytest.raises(PinMismatchError):
        bob.rooms.keyring.refresh(impostor.user)
    assert bob.rooms.keyring.pins()[impostor.user] == bob.cast.alice.account.public


def test_a_commit_with_a_changed_key_moves_the_chain_and_closes_the_room_for_writing(
    bob: Member,
) -> None:
    impostor = impostor_of(bob.cast.carol)
    bob.pins(bob.cast.carol)
    bob.server.keys[impostor.user] = keys_of(impostor)
    by = bob.cast.committer(bob.cast.alice, bob.received["alice"].epoch)
    lists = {**by.lists, impostor.devices.list_hash: impostor.devices}
    commit = commit_add(bob.view, [impostor.devices], replace(by, lists=lists))
    assert bob.is_shown(commit) == ""
    assert (bob.head.epoch, bob.head.unsettled) == (1, (impostor.user,))
    assert not bob.rooms.may_seal(bob.head)


def test_no_commit_that_nobody_asked_for_takes_in_a_changed_account_key(bob: Member) -> None:
    alice, impostor = bob.cast.alice, impostor_of(bob.cast.alice)
    bob.server.keys[impostor.user] = keys_of(impostor)
    refresh_known(bob.rooms.keyring, impostor.user)
    assert offered_key(bob.rooms.keyring, alice.user) == impostor.account.public
    assert due_ops(bob.view, {"leaving": []}, bob.rooms.keyring) == []
    commit = make_commit(
        bob.view, [], bob.rooms.committer([alice.user, bob.cast.bob.user], bob.view)
    )
    assert parse_core(commit.core).roster_hash == roster_hash(bob.view.roster)
    assert set(commit.wraps) == {bob.cast.bob.keys.device}


def test_a_key_to_which_no_reset_leads_is_not_taken_over_even_by_a_person(bob: Member) -> None:
    alice, impostor = bob.cast.alice, impostor_of(bob.cast.alice)
    keyring, seen = bob.rooms.keyring, impostor.account.public
    bob.server.keys[alice.user] = keys_of(impostor)
    bob.server.key_log.log.add(label_of(alice.user), impostor.devices.list_hash)
    for key in (seen, bob.cast.carol.account.public):
        with pytest.raises(PinMismatchError):
            keyring.accept_new_key(alice.user, key)
    assert keyring.pins()[alice.user] == alice.account.public


def test_a_room_that_was_not_asked_for_is_refused(bob: Member) -> None:
    cast = bob.cast
    commit = create_direct(cast.committer(cast.bob), cast.bob.devices, cast.alice.devices)
    (create,) = parse_ops(commit.ops)
    assert isinstance(create, Create)
    other = str(uuid.UUID(bytes=bob.view.room))
    bob.server.answers["POST rooms"] = {"room_id": other, "members": []}
    with pytest.raises(ReferenceMissingError):
        bob.rooms.create(commit, create.origin.data)


def test_a_prekey_list_that_the_head_does_not_name_is_refused(bob: Member) -> None:
    lowered = encode_prekeys([PrekeyRow(bob.cast.alice.keys.device, 0, bytes(32))])
    bob.server.answers["prekeys"] = {"prekeys": b64(lowered)}
    with pytest.raises(ReferenceMissingError):
        bob.rooms.committer([bob.cast.alice.user], bob.view)


def test_a_prekey_older_than_one_seen_before_gets_no_wrap(bob: Member) -> None:
    alice = bob.cast.alice
    _, newer = new_prekey(alice.keys, seq=7, created=NOW)
    fresh = keys_of(replace(alice, prekey=newer))
    bob.server.keys[alice.user] = fresh
    bob.rooms.keyring.refresh(alice.user)
    bob.server.keys[alice.user] = keys_of(alice)
    by = bob.rooms.committer([alice.user, bob.cast.bob.user], bob.view)
    commit = make_commit(bob.view, [], by)
    assert alice.keys.device not in commit.wraps
    assert bob.cast.bob.keys.device in commit.wraps


def test_only_a_leave_that_verifies_is_committed(bob: Member) -> None:
    room, alice, mallory = bob.view.room, bob.cast.alice, bob.cast.mallory

    def due(data: bytes) -> list[Op]:
        leaving = {"user_id": str(uuid.UUID(bytes=alice.user)), "statement": b64(data)}
        return due_ops(bob.view, {"leaving": [{**leaving, "joined_epoch": 0}]}, bob.rooms.keyring)

    assert due(make_leave(mallory.keys, room, 0).encode()) == []
    assert due(make_leave(alice.keys, room, 1).encode()) == []
    assert due(b"junk") == []
    good = make_leave(alice.keys, room, 0).encode()
    assert due(good) == [Remove(alice.user, alice.account.public, 0, good)]


def test_a_room_whose_chain_does_not_verify_stops_no_other_one_and_takes_no_text(
    bob: Member,
) -> None:
    room = bob.view.room
    by = bob.cast.committer(bob.cast.alice, bob.received["alice"].epoch)
    commit = make_commit(bob.view, [], by)
    forged = replace(commit, sig=bytes(64))
    assert bob.is_shown(forged) == "signature"
    assert bob.rooms.view(room) == bob.view
    with pytest.raises(Unverified):
        bob.rooms.demand_verified(room)
    bob.server.answers["commits"] = {"commits": []}
    bob.rooms.try_follow(room)
    assert bob.rooms.trouble(room) == ""


@pytest.mark.parametrize("refusal", [None, Refused("not_found"), Refused("rate_limited")])
def test_the_keys_of_a_room_are_taken_from_one_answer_or_one_by_one(
    bob: Member, monkeypatch: pytest.MonkeyPatch, refusal: Refused | None
) -> None:
    server, users = bob.server, [bob.cast.alice.user, bob.cast.carol.user, bob.cast.bob.user]
    alone: list[bytes] = []
    ask, post = server.user_keys, server.post

    def asked_alone(user: uuid.UUID, *, after_version: int = 0) -> object:
        alone.append(user.bytes)
        return ask(user, after_version=after_version)

    def posted(path: str, body: object = None) -> object:
        if path == "/api/users/keys" and refusal:
            raise refusal
        return post(path, body)

    monkeypatch.setattr(server, "user_keys", asked_alone)
    monkeypatch.setattr(server, "post", posted)
    for user, said in said_of(bob.rooms.keyring, users):
        refresh_known(bob.rooms.keyring, user, said)
    assert alone == (users if refusal else [])
    assert bob.rooms.keyring.newest(bob.cast.carol.user) is not None
