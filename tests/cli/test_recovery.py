"""A further device by the recovery secret, from the command line, against a real server."""

import pytest

from crypto_client.cli import main
from crypto_client.client.failures import Refused
from crypto_client.client.rooms import Rooms
from crypto_client.client.server import Server
from crypto_client.recovery import encode_code
from tests.cli.homes import (
    another_home,
    device_ids,
    own_device,
    restored,
    say,
    secret_of,
    try_restore,
    written,
)
from tests.cli.terminal import Terminal

pytestmark = pytest.mark.slow


# Restoring


def test_a_restored_home_reads_everything_old_and_new(alice, bob, garden):
    say(alice, "garden", "old, by alice")
    say(bob, garden, "old, by bob")
    alice("room", "rename", "garden", "정원")
    say(bob, garden, "under the new title")

    second = restored(alice)

    old = ["old, by alice", "old, by bob", "under the new title"]
    assert second.reads("정원") == old
    assert second("room", "list").row["title"] == "정원"
    say(bob, garden, "new, by bob")
    say(second, garden, "new, by the second home")
    say(alice, garden, "new, by the first home")
    everything = [*old, "new, by bob", "new, by the second home", "new, by the first home"]
    assert second.reads(garden) == alice.reads(garden) == bob.reads(garden) == everything


def test_a_restored_home_is_a_device_of_its_own(alice, bob, garden):
    second = restored(alice)

    assert own_device(second) != own_device(alice)
    assert device_ids(second) == device_ids(alice) == {own_device(second), own_device(alice)}
    current = [row["device_id"] for row in second("devices").rows if row["current"]]
    assert current == [own_device(second)]


def test_restoring_twice_makes_two_devices(alice, bob, garden):
    say(alice, garden, "before")

    second, third = restored(alice), restored(alice)

    assert len(device_ids(alice)) == 3
    say(third, garden, "from the third")
    assert second.reads(garden) == third.reads(garden) == bob.reads(garden)
    assert bob.reads(garden) == ["before", "from the third"]


def test_a_home_that_has_keys_is_not_restored(alice):
    refused = try_restore(alice, secret_of(alice))

    assert (refused.status, refused.error) == (2, "home_has_keys")


def test_what_was_read_elsewhere_is_not_unread_in_a_restored_home(alice, bob, garden):
    say(bob, garden, "read by alice")
    assert alice.reads(garden) == ["read by alice"]

    assert restored(alice)("room", "list").row["unread"] == 0


def test_who_left_reads_what_they_had_and_nothing_after(alice, carol, garden):
    dave = carol
    alice("room", "invite", "garden", dave.email)
    say(alice, "garden", "with dave")
    assert dave.reads(garden) == ["with dave"]
    assert dave("room", "leave", garden).row == {"left": True}
    say(alice, "garden", "without dave")

    second = restored(dave)

    assert second.reads(garden) == ["with dave"]
    assert second("send", garden, "am I back?").error == "forbidden"


def test_the_code_restores_like_the_words(alice, bob, garden):
    say(bob, garden, "by code")
    code = alice("recovery", "set").row["code"]
    other = another_home(alice)

    assert try_restore(other, code.lower().replace("-", " ")).status == 0

    assert other.reads(garden) == ["by code"]


def test_mallory_with_the_password_but_not_the_secret_gets_a_session_and_nothing_else(
    alice, bob, garden
):
    say(alice, garden, "not for mallory")
    assert restored(alice).reads(garden) == ["not for mallory"]
    thief = another_home(alice)

    for words in (["read", garden], ["send", garden, "hello"], ["room", "list"], ["devices"]):
        refused = thief(*words)
        assert (refused.status, refused.error, refused.rows) == (
            4,
            "no_keys_here",
            [{"error": "no_keys_here"}],
        )
    refused = try_restore(thief, "baba baba baba baba baba baba")
    assert (refused.status, refused.error) == (4, "recovery")
    assert len(device_ids(alice)) == 2
    assert alice.reads(garden) == ["not for mallory"]


def test_an_interrupted_restore_goes_on_as_the_same_device(alice, bob, garden, monkeypatch):
    say(bob, garden, "patience")
    other, secret = another_home(alice), secret_of(alice)
    with monkeypatch.context() as patch:
        patch.setattr("crypto_client.client.past.PastRooms.reopen", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            try_restore(other, secret)

    assert try_restore(other, secret).status == 0

    assert other.reads(garden) == ["patience"]
    assert len(device_ids(alice)) == 2


def test_of_two_homes_that_enter_at_once_both_become_devices(alice, bob, garden, monkeypatch):
    second, third, secret = another_home(alice), another_home(alice), secret_of(alice)
    post = Server.post
    quicker: list[Terminal] = []

    def post_late(server, path, body=None):
        if path == "/api/me/device-lists" and not quicker:
            quicker.append(third)
            assert try_restore(third, secret).status == 0
        return post(server, path, body)

    monkeypatch.setattr(Server, "post", post_late)
    assert try_restore(second, secret).status == 0

    assert device_ids(alice) == {own_device(home) for home in (alice, second, third)}
    say(second, garden, "hello, third")
    assert third.reads(garden) == bob.reads(garden) == ["hello, third"]


def test_a_home_that_began_for_one_account_is_not_anothers(alice, bob, monkeypatch):
    home, secret = another_home(alice), secret_of(alice)
    with monkeypatch.context() as patch:
        patch.setattr("crypto_client.client.recovery_commands.enter", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            try_restore(home, secret)
    assert home("sign-in", bob.email, "--password", bob.password).error == "no_keys_here"

    refused = try_restore(home, secret_of(bob))

    assert (refused.status, refused.error) == (2, "home_of_another_account")
    assert len(device_ids(alice)) == len(device_ids(bob)) == 1


# A mistyped secret


@pytest.mark.parametrize(
    ("typed", "where"),
    [
        (lambda words, code: words.replace(words.split()[2], "xxxx", 1), {"words": [3]}),
        (lambda words, code: " ".join(words.split()[:5]), {"count": 5}),
        (lambda words, code: "U" + code[1:], {"blocks": [1]}),
        (lambda words, code: code[:-5], {"count": 12}),
        (lambda words, code: ("1" if code[0] == "0" else "0") + code[1:], {"checksum": False}),
    ],
    ids=["word", "too-few", "letter", "block-missing", "checksum"],
)
def test_a_mistyped_secret_says_what_is_wrong(typed, where, alice):
    words = "baba zyzu bada zyzu baba zyzu"
    code = "0000-" * 12 + "0007"
    other = another_home(alice)

    refused = try_restore(other, typed(words, good_code() if "checksum" in where else code))

    assert (refused.status, refused.error) == (4, "recovery")
    assert refused.rows == [{"error": "recovery", **where}]


def good_code():
    return encode_code(bytes(32))


# Writing the secret down


def test_from_the_writing_down_on_the_home_does_not_hold_the_secret(alice):
    shown = alice("recovery", "set").row
    assert shown["kept"] is True
    held = b"".join(path.read_bytes() for path in alice.home.iterdir())
    assert shown["words"].encode() in held

    assert alice("recovery", "set", "--written-down").row["kept"] is False

    held = b"".join(path.read_bytes() for path in alice.home.iterdir())
    assert shown["words"].encode() not in held
    assert shown["code"].encode() not in held
    assert alice("recovery", "set").error == "secret_not_here"
    assert try_restore(another_home(alice), shown["words"]).status == 0


def asked(monkeypatch, capsys, person, answer):
    """What somebody sees who types this when `recovery set` asks for the secret again."""
    monkeypatch.setattr("getpass.getpass", lambda prompt: answer)
    status = main(["--server", person.server, "--home", str(person.home), "recovery", "set"])
    return status, capsys.readouterr().err


def test_the_secret_is_forgotten_only_when_it_was_typed_again_as_shown(alice, monkeypatch, capsys):
    shown = alice("recovery", "set").row
    words = shown["words"].split()
    swapped = " ".join([*words[:4], words[4][::-1], words[5]])
    another = " ".join([*words[:4], "baba" if words[4] != "baba" else "zyzu", words[5]])

    status, said = asked(monkeypatch, capsys, alice, swapped)
    assert (status, "word 5" in said) == (4, True)
    status, said = asked(monkeypatch, capsys, alice, another)
    assert (status, "another word than shown: 5" in said) == (4, True)
    assert alice("recovery", "set").row["kept"] is True

    assert asked(monkeypatch, capsys, alice, shown["code"].lower())[0] == 0
    assert alice("recovery", "set").error == "secret_not_here"


# When the new home could not enter a room itself


def test_bobs_client_heals_a_room_that_the_new_home_has_not_entered(
    alice, bob, garden, monkeypatch
):
    say(alice, garden, "before")
    other, secret = another_home(alice), secret_of(alice)
    with monkeypatch.context() as patch:
        patch.setattr(Rooms, "heal", refuse_to_heal)
        assert try_restore(other, secret).row["waiting"] == [garden]

    say(bob, garden, "bob goes on")

    assert other.reads(garden) == ["before", "bob goes on"]
    say(other, garden, "and so do I")
    assert bob.reads(garden) == ["before", "bob goes on", "and so do I"]


def refuse_to_heal(rooms, room):
    raise Refused("commit_pending")


# Revoking


def revoke(person, device, secret):
    path = str(written(person, secret))
    return person("devices", "revoke", device, "--secret-file", path, timeout=60)


def test_a_revoked_home_is_signed_out_and_opens_nothing_sealed_afterwards(alice, bob, garden):
    say(alice, garden, "before")
    second, lost, secret = restored(alice), own_device(alice), secret_of(alice)
    assert bob.reads(garden) == second.reads(garden) == ["before"]

    assert revoke(second, lost[:8], secret).row == {"revoked": lost, "waiting": []}
    say(bob, garden, "after, by bob")
    say(second, garden, "after, by the second home")

    for words in (["read", garden], ["send", garden, "still me"]):
        refused = alice(*words)
        assert (refused.status, refused.error) == (1, "not_signed_in")
    back = alice("sign-in", alice.email, "--password", alice.password)
    assert (back.status, back.error) == (1, "device_proof")
    assert device_ids(second) == {own_device(second)}
    everything = ["before", "after, by bob", "after, by the second home"]
    assert second.reads(garden) == bob.reads(garden) == everything


def test_a_home_does_not_revoke_itself_and_nobody_elses_device(alice, bob, garden):
    secret = secret_of(alice)

    assert revoke(alice, own_device(alice), secret).error == "own_device"
    assert revoke(alice, own_device(bob), secret).error == "not_found"
    assert len(device_ids(alice)) == len(device_ids(bob)) == 1


def test_a_device_is_not_revoked_without_the_secret(alice, bob, garden):
    second = restored(alice)

    refused = revoke(second, own_device(alice), "baba baba baba baba baba baba")

    assert (refused.status, refused.error) == (4, "recovery")
    assert len(device_ids(second)) == 2
