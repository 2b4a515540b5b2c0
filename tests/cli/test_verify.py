"""Comparing with a friend from the command line, and naming devices, against a real server."""

import uuid
from typing import Any

import pytest

from crypto_client.client.keys import now_ms
from crypto_client.client.server import Server, b64
from crypto_client.device_list import first_device_list
from crypto_client.identity import new_account, new_device
from tests.cli.homes import restored

pytestmark = pytest.mark.slow


def trust(person, other):
    rows = {row["email"]: row for row in person("friend", "list").rows}
    return rows[other.email]["trust"]


def own_device(person):
    return person("whoami").row["device_id"]


def test_what_was_compared_is_marked_on_all_own_homes_and_nowhere_else(alice, bob):
    assert trust(alice, bob) == "unverified"

    assert alice("verify", bob.email, "--same").row["trust"] == "verified"

    assert trust(alice, bob) == "verified"
    assert trust(bob, alice) == "unverified"
    second = restored(alice)
    assert trust(second, bob) == "verified"
    assert second("verify", bob.email, "--different").row["trust"] == "unverified"
    assert trust(alice, bob) == "unverified"


def test_the_room_in_which_marks_are_kept_is_no_room_for_people(alice, bob):
    second = restored(alice)
    alice("verify", bob.email, "--same")

    assert alice("room", "list").rows == second("room", "list").rows == []
    nothing = second("listen", "--count", "1", timeout=1)
    assert (nothing.rows, nothing.error) == ([{"error": "timeout"}], "timeout")


def test_the_code_of_the_other_screen_is_compared_byte_by_byte(alice, bob, carol):
    his = bob("verify", alice.email).row["code"]
    hers = alice("verify", bob.email, "--code", his).row
    assert hers["code"] == his

    about_carol = carol("verify", alice.email).row["code"]
    for code, outcome in ((about_carol, "reference"), ("AAAA", "parse"), (f"{his}A", "parse")):
        refused = alice("verify", bob.email, "--code", code, "--same")
        assert (refused.status, refused.error) == (4, outcome)
    assert trust(alice, bob) == "unverified"


def test_only_a_friend_is_compared_with(alice, bob, mallory):
    assert alice("verify", bob.email).status == 0

    for person, other in ((alice, mallory), (mallory, alice)):
        refused = person("verify", other.email, "--same")
        assert (refused.status, refused.error) == (1, "not_found")


@pytest.fixture
def impostor(monkeypatch):
    """``impostor(user_id)``: from now on the server shows another account key for somebody."""
    honest, honest_post = Server.user_keys, Server.post
    others: dict[uuid.UUID, dict[str, Any]] = {}

    def user_keys(server, user, *, after_version=0):
        if user not in others:
            return honest(server, user, after_version=after_version)
        return others[user]

    def post(server, path, body=None):
        answer = honest_post(server, path, body)
        if path == "/api/users/keys":
            for keys in answer["users"]:
                keys.update(others.get(uuid.UUID(keys["user_id"]), {}))
        return answer

    monkeypatch.setattr(Server, "user_keys", user_keys)
    monkeypatch.setattr(Server, "post", post)

    def show(user):
        account = new_account(user.bytes)
        keys = new_device(user.bytes, account.public, now_ms())
        devices = first_device_list(account, [keys.entry()], time=now_ms(), bk_pub=bytes(1216))
        row = {"version": 1, "device_list": b64(devices.data), "list_sig": b64(devices.sig)}
        others[user] = {"account_key": b64(account.public), "lists": [row], "prekeys": []}

    return show


def test_a_verified_friend_whose_key_changed_is_never_taken_over_silently(alice, bob, impostor):
    alice("room", "direct", bob.email)
    alice("send", bob.email, "before", "--wait", "stored")
    shown = alice("verify", bob.email, "--same").row
    user = uuid.UUID(bob("whoami").row["user_id"])
    impostor(user)

    changed = alice("verify", bob.email).row

    assert changed["trust"] == "verified_changed"
    assert changed["safety_number"] != shown["safety_number"]
    refused = alice("verify", bob.email, "--code", shown["code"])
    assert (refused.status, refused.error) == (4, "pin_mismatch")
    # No reset leads to the false key, so no word of a person lets it in.
    accepted = alice("verify", bob.email, "--same")
    assert (accepted.status, accepted.error) == (4, "pin_mismatch")
    assert trust(alice, bob) == "verified_changed"
    group = alice("room", "group", "trap", bob.email)
    assert (group.status, group.error) == (4, "pin_mismatch")
    assert alice("send", bob.email, "still to the bob I know").status == 0
    assert bob.reads(alice.email) == ["before", "still to the bob I know"]


def test_a_restored_home_begins_nothing_with_another_key_than_the_compared_one(
    alice, bob, impostor
):
    alice("verify", bob.email, "--same")
    second = restored(alice)
    impostor(uuid.UUID(bob("whoami").row["user_id"]))

    refused = second("room", "direct", bob.email)

    assert refused.status == 4
    assert refused.error in {"kt", "pin_mismatch"}
    assert second("room", "list").rows == []


def test_a_device_has_the_name_that_its_owner_gave_it(alice):
    second = restored(alice)
    device = own_device(alice)

    named = alice("devices", "rename", device[:8], "부엌 노트북").row

    assert named == {"device_id": device, "name": "부엌 노트북"}
    names = {row["device_id"]: row["name"] for row in second("devices").rows}
    assert names == {device: "부엌 노트북", own_device(second): ""}
    assert second("devices", "rename", device, "").row["name"] == ""
    assert {row["name"] for row in alice("devices").rows} == {""}


def test_a_device_is_not_named_by_a_stranger_nor_beyond_one_line(alice, mallory):
    device = own_device(alice)

    assert mallory("devices", "rename", device, "mine").error == "not_found"
    for name in ("n" * 129, "two\nlines"):
        refused = alice("devices", "rename", device, name)
        assert (refused.status, refused.error) == (2, "device_name")
    assert [row["name"] for row in alice("devices").rows] == [""]


def test_a_home_that_lost_the_race_for_the_own_room_agrees_with_the_other(alice, bob):
    second = restored(alice)
    alice("verify", bob.email, "--same")

    assert second("devices", "rename", own_device(second), "second").row["name"] == "second"

    assert trust(second, bob) == "verified"
    names = {row["device_id"]: row["name"] for row in alice("devices").rows}
    assert names[own_device(second)] == "second"
