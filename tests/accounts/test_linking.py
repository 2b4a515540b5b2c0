"""The box through which one browser links another: who may do what, for how long, how often."""

from uuid import UUID

import pytest
from django.test import Client

from accounts import linking
from accounts.models import LinkBox
from accounts.protocol import to_base64url
from accounts.services import now_ms
from accounts.throttles import LinkThrottle
from tests.accounts.listing import PATH as LISTS
from tests.accounts.listing import add_device, body_of, listed, prove_as
from tests.cast import JSON

LINK, OTHER = UUID(int=7), UUID(int=8)
BOX = f"/api/me/links/{LINK}"
OFFER, ANSWER = to_base64url(b"a sealed offer"), to_base64url(b"a sealed answer")

pytestmark = pytest.mark.django_db


class NewBrowser:
    """A browser that is signed in to a person's account and has no keys."""

    def __init__(self, person):
        self.client = Client()
        self.client.force_login(person.user)

    def open(self, link_id=LINK, offer=OFFER):
        body = {"link_id": str(link_id), "offer": offer}
        return self.client.post("/api/me/links", body, JSON)

    def state(self, link_id=LINK):
        return self.client.get(f"/api/me/links/{link_id}")

    def close(self, link_id=LINK):
        return self.client.delete(f"/api/me/links/{link_id}")


def code_of(answer):
    return answer.status_code, answer.json().get("code")


@pytest.fixture
def laptop(alice):
    """alice's new laptop, with its box open; alice's other browser is a device."""
    alice.prove()
    laptop = NewBrowser(alice)
    assert laptop.open().status_code == 201
    return laptop


def test_what_one_puts_in_the_other_takes_out(alice, laptop):
    waiting = laptop.state().json()
    assert (waiting["is_taken"], waiting["answer"]) == (False, None)
    assert 0 < waiting["left_ms"] <= linking.BOX_LIFE_MS

    assert alice.post(f"{BOX}/take").json()["offer"] == OFFER
    assert laptop.state().json()["is_taken"] is True
    assert alice.put(f"{BOX}/answer", {"answer": ANSWER}).status_code == 204

    assert laptop.state().json()["answer"] == ANSWER
    assert laptop.close().status_code == 204
    assert not LinkBox.objects.exists()


def test_a_lost_reply_does_no_harm_and_a_second_answer_is_none(alice, laptop):
    for _ in range(2):
        assert alice.post(f"{BOX}/take").status_code == 200
        assert alice.put(f"{BOX}/answer", {"answer": ANSWER}).status_code == 204

    second = alice.put(f"{BOX}/answer", {"answer": OFFER})

    assert code_of(second) == (404, "not_found")
    assert laptop.state().json()["answer"] == ANSWER


def test_nobody_else_finds_a_box(alice, dave, mallory, laptop):
    assert laptop.state().status_code == 200

    for other in (dave.prove(), mallory.prove()):
        assert code_of(other.get(BOX)) == (404, "not_found")
        assert code_of(other.post(f"{BOX}/take")) == (404, "not_found")
        assert code_of(other.put(f"{BOX}/answer", {"answer": ANSWER})) == (404, "not_found")
        assert other.delete(BOX).status_code == 204
    assert alice.post(f"{BOX}/take").status_code == 200


def test_another_session_of_the_same_person_is_not_the_new_browser(alice, laptop):
    thief = NewBrowser(alice)
    assert laptop.state().status_code == 200

    assert code_of(thief.state()) == (404, "not_found")
    assert thief.close().status_code == 204
    assert code_of(thief.client.post(f"{BOX}/take", {}, JSON)) == (403, "device_required")
    answer = thief.client.put(f"{BOX}/answer", {"answer": ANSWER}, JSON)
    assert code_of(answer) == (403, "device_required")
    assert laptop.state().json()["is_taken"] is False


def test_a_box_has_one_device(alice, laptop):
    second = Client()
    second.force_login(alice.user)
    assert prove_as(second, add_device(alice)).status_code == 204
    assert alice.post(f"{BOX}/take").status_code == 200

    assert code_of(second.post(f"{BOX}/take", {}, JSON)) == (404, "not_found")
    answer = second.put(f"{BOX}/answer", {"answer": ANSWER}, JSON)
    assert code_of(answer) == (404, "not_found")
    assert second.delete(BOX).status_code == 204
    assert laptop.state().status_code == 200


def test_an_offer_that_was_not_taken_is_not_answered(alice, laptop):
    assert code_of(alice.put(f"{BOX}/answer", {"answer": ANSWER})) == (404, "not_found")

    alice.post(f"{BOX}/take")
    assert alice.put(f"{BOX}/answer", {"answer": ANSWER}).status_code == 204


def test_a_mistyped_code_uses_nothing_up(alice, laptop):
    assert code_of(alice.post(f"/api/me/links/{OTHER}/take")) == (404, "not_found")

    assert alice.post(f"{BOX}/take").status_code == 200


def test_of_two_new_browsers_the_later_one_counts_until_a_device_has_chosen(alice, laptop):
    tablet = NewBrowser(alice)
    assert tablet.open(OTHER).status_code == 201
    assert code_of(laptop.state()) == (404, "not_found")

    assert alice.post(f"/api/me/links/{OTHER}/take").status_code == 200

    assert code_of(laptop.open()) == (409, "link_busy")
    assert tablet.state(OTHER).status_code == 200


def test_a_new_browser_may_begin_again(alice, laptop):
    assert alice.post(f"{BOX}/take").status_code == 200

    assert laptop.open(OTHER).status_code == 201

    assert code_of(alice.put(f"{BOX}/answer", {"answer": ANSWER})) == (404, "not_found")
    assert alice.post(f"/api/me/links/{OTHER}/take").status_code == 200


def test_the_device_may_say_no(alice, laptop):
    assert alice.post(f"{BOX}/take").status_code == 200

    assert alice.delete(BOX).status_code == 204

    assert code_of(laptop.state()) == (404, "not_found")


def test_a_box_runs_out(alice, laptop, monkeypatch):
    alice.post(f"{BOX}/take")
    later = now_ms() + linking.BOX_LIFE_MS + 1
    monkeypatch.setattr(linking, "now_ms", lambda: later)

    assert code_of(laptop.state()) == (404, "not_found")
    assert code_of(alice.post(f"{BOX}/take")) == (404, "not_found")
    assert code_of(alice.put(f"{BOX}/answer", {"answer": ANSWER})) == (404, "not_found")


def test_the_next_box_of_anybody_takes_away_those_that_have_run_out(laptop, bob):
    LinkBox.objects.update(expires_ms=1)

    assert NewBrowser(bob).open(OTHER).status_code == 201

    assert [row.user_id for row in LinkBox.objects.all()] == [bob.id]


def test_with_a_device_goes_the_box_that_it_took(alice, laptop):
    second = add_device(alice)
    assert alice.post(f"{BOX}/take").status_code == 200

    assert alice.post(LISTS, body_of(listed(alice, second))).status_code == 201

    assert not LinkBox.objects.exists()


def test_without_an_account_key_there_is_nothing_to_link(alice):
    alice.user.account_key.delete()

    assert code_of(NewBrowser(alice).open()) == (409, "keys_missing")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"link_id": str(LINK)},
        {"link_id": str(LINK), "offer": ""},
        {"link_id": str(LINK), "offer": to_base64url(bytes(4097))},
        {"link_id": str(LINK).replace("7", "A"), "offer": OFFER},
        {"link_id": str(LINK), "offer": OFFER, "psk": OFFER},
    ],
    ids=["empty", "no-offer", "empty-offer", "too-long", "not-an-id", "unknown-member"],
)
def test_an_offer_of_another_shape_is_refused(alice, body):
    answer = NewBrowser(alice).client.post("/api/me/links", body, JSON)

    assert code_of(answer) == (400, "invalid")


def test_the_longest_answer_fits_and_a_longer_one_does_not(alice, laptop):
    alice.post(f"{BOX}/take")
    longest = to_base64url(bytes(700_000))

    longer = alice.put(f"{BOX}/answer", {"answer": to_base64url(bytes(700_001))})
    assert code_of(longer) == (400, "invalid")
    assert alice.put(f"{BOX}/answer", {"answer": "A" * (1024 * 1024)}).status_code == 413
    assert alice.put(f"{BOX}/answer", {"answer": longest}).status_code == 204
    assert laptop.state().json()["answer"] == longest


def test_linking_is_limited_for_each_person(alice, bob, monkeypatch):
    monkeypatch.setattr(LinkThrottle, "rate", "2/hour")
    browser = NewBrowser(alice)
    assert [browser.open().status_code for _ in range(3)] == [201, 201, 429]

    assert browser.state().status_code == 200
    assert NewBrowser(bob).open(OTHER).status_code == 201
