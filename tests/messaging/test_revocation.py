"""What a device that entered or left an account's list means to the rooms and sockets."""

from dataclasses import replace
from uuid import UUID

import pytest
from asgiref.sync import async_to_sync, sync_to_async

from accounts.protocol import from_base64url, to_base64url
from accounts.refusals import Refused
from crypto_client.committing import commit_refresh
from crypto_client.identity import DeviceKeys
from messaging import services
from rooms.models import EpochWrap
from tests.accounts.listing import (
    PATH,
    add_device,
    body_of,
    listed,
    newest,
    proof_of,
)
from tests.cast import JSON
from tests.messaging.sockets import browser, opened, proved
from tests.rooms.garden import sent_of, wraps_of

pytestmark = pytest.mark.django_db(transaction=True)


def learn(garden, name):
    """What every client fetches: the newest list of one of the cast."""
    keys = garden.chain.keys[name]
    garden.chain.older_lists.append(keys.device_list)
    garden.chain.keys = {
        **garden.chain.keys,
        name: replace(keys, device_list=newest(garden.cast[name])),
    }


def refresh_by(garden, name, of):
    """A commit with the refresh of one of the cast, not yet sent."""
    return commit_refresh(garden.chain.head, [garden.chain.list_of(of)], garden.chain.by(name))


def is_stale(garden, name="bob"):
    return garden.cast[name].get(garden.path).json()["stale"]


def test_nobody_writes_between_a_new_device_and_its_refresh(garden):
    garden.say("bob", "before")
    assert not is_stale(garden)
    add_device(garden.cast.alice)

    assert is_stale(garden)
    for name in ("alice", "bob"):
        with pytest.raises(Refused, match="stale_epoch"):
            garden.say(name, "between")
    learn(garden, "alice")
    garden.commit("bob", refresh_by(garden, "bob", "alice"))

    assert not is_stale(garden)
    garden.say("bob", "after")


def test_a_new_device_enters_a_room_by_its_own_refresh(garden):
    laptop = add_device(garden.cast.alice)
    learn(garden, "alice")
    by = garden.chain.by("alice", keys=laptop)
    commit = commit_refresh(garden.chain.head, [garden.chain.list_of("alice")], by)

    commit_as(garden, laptop, commit)

    assert not is_stale(garden)


def commit_as(garden, device: DeviceKeys, commit):
    async_to_sync(services.commit_epoch)(
        actor=garden.cast.alice.user,
        device_id=UUID(bytes=device.device),
        room_id=garden.id,
        sent=sent_of(commit),
        wraps=wraps_of(commit),
    )


def test_a_revocation_takes_the_waiting_wraps_and_stops_writing(garden):
    alice = garden.cast.alice
    laptop = add_device(alice)
    learn(garden, "alice")
    garden.commit("bob", refresh_by(garden, "bob", "alice"))
    lost = EpochWrap.objects.filter(device=alice.device_id)
    others = EpochWrap.objects.exclude(device=alice.device_id).count()
    assert lost.exists()

    assert alice.post(PATH, body_of(listed(alice, laptop))).status_code == 201

    assert not lost.exists()
    assert EpochWrap.objects.count() == others
    assert is_stale(garden)
    for name in ("alice", "bob"):
        with pytest.raises(Refused, match="stale_epoch"):
            garden.say(name, "between")


def prove_session(person, device):
    nonce = from_base64url(person.post("/api/devices/challenge").json()["nonce"])
    return person.client.post("/api/devices/proof", proof_of(device, nonce), JSON)


async def test_a_revocation_closes_the_sockets_of_that_device_alone(garden):
    alice, bob = garden.cast.alice, garden.cast.bob
    laptop = await sync_to_async(add_device)(alice)
    async with proved(alice) as lost, opened(browser(alice)) as kept, proved(bob) as friend:
        proof = proof_of(laptop, from_base64url(kept.hello["nonce"]))
        assert (await kept.ask("device.prove", **proof))["event"] == "reply"

        body = body_of(await sync_to_async(listed)(alice, laptop))
        answer = await sync_to_async(alice.post)(PATH, body)

        assert answer.status_code == 201
        assert await lost.closed_with() == 4001
        assert (await kept.push("profile.changed"))["user_id"] == str(alice.id)
        assert (await friend.push("profile.changed"))["user_id"] == str(alice.id)
        assert (await kept.ask("heads"))["event"] == "reply"


async def test_a_revoked_device_proves_nothing_on_a_new_socket(garden):
    alice = garden.cast.alice
    laptop = await sync_to_async(add_device)(alice)
    body = body_of(await sync_to_async(listed)(alice, laptop))
    assert (await sync_to_async(alice.post)(PATH, body)).status_code == 201

    async with opened(browser(alice)) as socket:
        assert (await socket.prove(alice))["code"] == "device_proof"


def test_a_device_in_no_list_can_do_nothing_that_needs_one(garden):
    alice, room = garden.cast.alice, garden.path
    laptop = add_device(alice)
    assert prove_session(alice, laptop).status_code == 204
    assert alice.get(f"{room}/wraps").status_code == 200

    assert alice.post(PATH, body_of(listed(alice, alice.device))).status_code == 201
    alice.client.force_login(alice.user)

    assert prove_session(alice, laptop).status_code == 403
    assert alice.get(f"{room}/wraps").json()["code"] == "device_required"
    assert alice.post(f"{room}/wraps/ack", {"epochs": [0]}).json()["code"] == "device_required"
    assert alice.get(f"{room}/prekeys").json()["code"] == "device_required"
    sealed = {"prekey": to_base64url(b"x"), "prekey_sig": to_base64url(bytes(64))}
    assert alice.post("/api/prekeys", sealed).json()["code"] == "device_required"
