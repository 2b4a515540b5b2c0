"""A further device linked by a code, from the command line, against a real server."""

import uuid
from typing import Any

import pytest

from crypto_client.client.keys import now_ms
from crypto_client.client.server import Server, b64
from crypto_client.identity import new_account
from crypto_client.link_offer import new_screen_secret, seal_offer
from crypto_client.linking import begin_link
from crypto_client.prekeys import new_prekey
from tests.cli.homes import another_home, device_ids, own_device, say, secret_of
from tests.cli.linking import accept, linked, show_and

pytestmark = pytest.mark.slow


# Two homes of one person


def test_a_linked_home_reads_everything_old_and_new(alice, bob, garden, monkeypatch):
    say(alice, "garden", "old, by alice")
    alice("room", "rename", "garden", "정원")
    say(bob, garden, "old, by bob")

    second = linked(alice, monkeypatch)

    assert second.reads("정원") == ["old, by alice", "old, by bob"]
    say(second, garden, "by the second home")
    say(bob, garden, "new, by bob")
    everything = ["old, by alice", "old, by bob", "by the second home", "new, by bob"]
    assert second.reads(garden) == alice.reads(garden) == bob.reads(garden) == everything
    assert device_ids(alice) == {own_device(alice), own_device(second)}
    assert second("audit").status == 0


def test_a_linked_home_holds_neither_the_secret_nor_what_opens_the_past(
    alice, bob, garden, monkeypatch
):
    words = secret_of(alice)
    second = linked(alice, monkeypatch)

    held = b"".join(path.read_bytes() for path in second.home.iterdir())
    assert words.encode() not in held
    assert b"linked_past" not in held
    assert second("recovery", "set").error == "secret_not_here"


def test_both_see_the_same_digits_and_others_are_refused(alice, monkeypatch):
    home = another_home(alice)
    answers = []

    def compare(code, digits):
        other = "000000" if digits != "000000" else "000001"
        answers.append(accept(alice, code, "--compare", other))

    ran = show_and(home, compare, monkeypatch)

    assert (answers[0].status, answers[0].error) == (4, "link")
    assert (ran.status, ran.error) == (1, "not_found")
    assert len(device_ids(alice)) == 1


def test_a_mistyped_code_uses_nothing_up(alice, monkeypatch):
    home = another_home(alice)
    answers = []

    def mistype_first(code, digits):
        wrong = ("1" if code[0] == "0" else "0") + code[1:]
        answers.append(accept(alice, wrong))
        answers.append(accept(alice, code[:-1]))
        answers.append(accept(alice, code.lower(), "--compare", f"{digits[:3]} {digits[3:]}"))

    assert show_and(home, mistype_first, monkeypatch).status == 0

    assert [(answer.status, answer.error) for answer in answers] == [
        (4, "link"),
        (4, "link"),
        (0, ""),
    ]
    assert len(device_ids(alice)) == 2


def test_a_device_is_not_linked_without_the_secret(alice, monkeypatch):
    home = another_home(alice)
    answers = []
    wrong = "baba baba baba baba baba baba"

    ran = show_and(
        home, lambda code, _: answers.append(accept(alice, code, secret=wrong)), monkeypatch
    )

    assert (answers[0].status, answers[0].error) == (4, "recovery")
    assert (ran.status, ran.error) == (1, "not_found")
    assert len(device_ids(alice)) == 1


def test_mallory_has_no_use_for_alices_code(alice, mallory, monkeypatch):
    home = another_home(alice)
    answers = []

    def both(code, _):
        answers.append(accept(mallory, code))
        answers.append(accept(alice, code))

    assert show_and(home, both, monkeypatch).status == 0

    assert [(answer.status, answer.error) for answer in answers] == [(1, "not_found"), (0, "")]
    assert len(device_ids(mallory)) == 1


def test_of_two_new_homes_the_later_one_is_linked(alice, monkeypatch):
    first, second = another_home(alice), another_home(alice)
    later = []

    def begin_again(code, _):
        later.append(show_and(second, lambda code, _: accept(alice, code), monkeypatch))

    ran = show_and(first, begin_again, monkeypatch)

    assert (ran.status, ran.error) == (1, "not_found")
    assert later[0].status == 0
    assert len(device_ids(alice)) == 2
    assert first("devices").error == "no_keys_here"


def test_a_home_that_has_keys_shows_no_code(alice):
    refused = alice("link", "show")

    assert (refused.status, refused.error) == (2, "home_has_keys")


def test_an_interrupted_run_goes_on_without_another_code(alice, bob, garden, monkeypatch):
    say(bob, garden, "patience")
    home = another_home(alice)
    with monkeypatch.context() as patch:
        patch.setattr("crypto_client.client.past.PastRooms.reopen", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            show_and(home, lambda code, _: accept(alice, code), monkeypatch)

    assert home("link", "show", timeout=60).status == 0

    assert home.reads(garden) == ["patience"]
    assert len(device_ids(alice)) == 2


# A server that lies


@pytest.fixture
def lie(monkeypatch):
    """``lie(method, end, change)``: what comes back from paths with this end is changed."""
    lies: dict[tuple[str, str], Any] = {}
    for method in ("get", "post"):
        monkeypatch.setattr(Server, method, _lying(getattr(Server, method), method, lies))
    return lambda method, end, change: lies.__setitem__((method, end), change)


def _lying(honest, method, lies):
    def ask(server, path, *body, **query):
        answer = honest(server, path, *body, **query)
        found = [lies[key] for key in lies if key[0] == method and path.endswith(key[1])]
        return found[0](answer) if found else answer

    return ask


def test_an_offer_of_the_servers_own_is_refused_and_nobody_is_listed(alice, monkeypatch, lie):
    """The server knows no screen's secret; the best it has is what another one was sealed under."""
    home = another_home(alice)
    user = uuid.UUID(alice("whoami").row["user_id"]).bytes
    answers = []

    def swapped(code, _):
        forged = forged_offer(user, home.server)
        lie("post", "/take", lambda taken: {**taken, "offer": forged})
        answers.append(accept(alice, code))

    ran = show_and(home, swapped, monkeypatch)

    assert (answers[0].status, answers[0].error) == (4, "link")
    assert (ran.status, ran.error) == (1, "not_found")
    assert len(device_ids(alice)) == 1


def forged_offer(user, origin):
    """A ghost's offer, right in everything but the secret that it is sealed under."""
    ghost = begin_link(user, bytes(32), origin, now=now_ms())
    _, prekey = new_prekey(ghost.keys, seq=1, created=now_ms())
    return b64(seal_offer(new_screen_secret(), ghost, prekey))


def test_an_answer_by_who_did_not_see_the_screen_ends_the_attempt(alice, monkeypatch, lie):
    home = another_home(alice)

    def forge(*_):
        # Every path: while the home waits it asks for nothing but its box.
        lie("get", "", lambda box: {**box, "answer": b64(bytes(1120 + 500))})

    ran = show_and(home, forge, monkeypatch)

    assert (ran.status, ran.error) == (4, "link")
    assert home("devices").error == "no_keys_here"
    assert len(device_ids(alice)) == 1


def test_another_account_key_than_the_old_devices_is_refused(alice, monkeypatch, lie):
    home = another_home(alice)
    user = uuid.UUID(alice("whoami").row["user_id"]).bytes
    key = b64(new_account(user).public)
    lie("get", "/api/me", lambda me: {**me, "account_key": key})
    answers = []

    show_and(home, lambda code, _: answers.append(accept(alice, code)), monkeypatch)

    assert (answers[0].status, answers[0].error) == (4, "link")
    assert len(device_ids(alice)) == 1


def test_a_code_is_read_once_whatever_the_server_serves_again(alice, monkeypatch, lie):
    home = another_home(alice)
    takes, codes = [], []

    def record(taken):
        takes.append(taken)
        return taken

    lie("post", "/take", record)

    def remember(code, _):
        codes.append(code)
        accept(alice, code)

    assert show_and(home, remember, monkeypatch).status == 0
    honest = Server._json

    def replaying(server, method, path, *rest, **more):
        return takes[0] if path.endswith("/take") else honest(server, method, path, *rest, **more)

    monkeypatch.setattr(Server, "_json", replaying)
    again = accept(alice, codes[0])

    assert (again.status, again.error) == (4, "link")
    assert len(device_ids(alice)) == 2


def test_a_contact_whose_key_the_server_changes_for_the_new_home_is_not_believed(
    alice, bob, monkeypatch, lie
):
    assert alice("room", "direct", bob.email).status == 0
    number = alice("verify", bob.email).row["safety_number"]
    second = linked(alice, monkeypatch)
    assert second("verify", bob.email).row["safety_number"] == number
    third = linked(alice, monkeypatch)
    bobs = bob("whoami").row["user_id"]
    forged = b64(new_account(uuid.UUID(bobs).bytes).public)

    def changed(keys):
        return {**keys, "account_key": forged, "lists": []}

    def all_changed(answer):
        return {"users": [changed(k) if k["user_id"] == bobs else k for k in answer["users"]]}

    lie("get", f"/users/{bobs}/keys", changed)
    lie("post", "/users/keys", all_changed)

    assert third("verify", bob.email).row["trust"] == "changed"
    for words in (["verify", bob.email, "--same"], ["room", "group", "trap", bob.email]):
        refused = third(*words)
        assert (refused.status, refused.error) == (4, "pin_mismatch"), words


def test_an_answer_that_nobody_takes_leaves_no_device_behind(alice, monkeypatch):
    home = another_home(alice)
    answers = []
    put = Server.put

    def too_late(server, path, body):
        server.delete(path.removesuffix("/answer"))
        return put(server, path, body)

    monkeypatch.setattr(Server, "put", too_late)
    ran = show_and(home, lambda code, _: answers.append(accept(alice, code)), monkeypatch)

    assert (answers[0].status, answers[0].error) == (1, "not_found")
    assert ran.status == 1
    assert device_ids(alice) == {own_device(alice)}
