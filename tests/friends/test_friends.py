"""Becoming friends, and not; nothing tells whether an address has an account."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from friends.access import are_friends, friend_ids
from friends.models import FriendRequest
from tests.news import News

NOBODY = "00000000-0000-4000-8000-000000000000"


def ask(person, email):
    return person.post("/api/friend-requests", {"email": email})


def asked(person, other):
    assert ask(person, other.user.email).status_code == 202
    return FriendRequest.objects.get(sender=person.user, email=other.user.email)


def refusal(answer):
    return answer.status_code, answer.json()["code"]


def test_a_request_is_seen_accepted_and_makes_friends(carol, bob, mallory):
    friend_request = asked(carol, bob)
    waiting = bob.get("/api/friends").json()["received"]
    assert [(row["friend_request_id"], row["nickname"]) for row in waiting] == [
        (str(friend_request.id), "Carol")
    ]
    path = f"/api/friend-requests/{friend_request.id}/accept"
    assert refusal(mallory.post(path)) == (404, "not_found")
    assert refusal(carol.post(path)) == (404, "not_found")
    assert not are_friends(carol.id, bob.id)

    friend = bob.post(path).json()

    assert are_friends(carol.id, bob.id)
    assert (friend["user_id"], friend["email"]) == (str(carol.id), "carol@example.org")
    assert friend["has_keys"] is True
    assert bob.get("/api/friends").json()["received"] == []
    assert carol.get("/api/friends").json()["sent"] == []


def test_friends_are_listed_by_name_with_what_they_show(alice):
    friends = alice.get("/api/friends").json()["friends"]
    assert [row["nickname"] for row in friends] == ["Bob", "Carol"]
    assert set(friends[0]) == {
        "user_id", "email", "nickname", "status_message", "since_ms", "has_keys",
    }  # fmt: skip


def test_asking_does_the_same_for_known_and_unknown_addresses(mallory, bob):
    ask(mallory, "warm-up@example.org")
    with CaptureQueriesContext(
        connection,
    ) as known:
        first = ask(mallory, "bob@example.org")
    with CaptureQueriesContext(connection) as unknown:
        second = ask(mallory, "bogus@example.org")

    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert first.headers.items() == second.headers.items()
    assert len(known) == len(unknown)
    sent = mallory.get("/api/friends").json()["sent"]
    assert [row["email"] for row in sent][1:] == ["bob@example.org", "bogus@example.org"]


@pytest.mark.parametrize("email", ["alice@example.org", "ALICE@example.org", "bob@example.org"])
def test_asking_oneself_or_a_friend_answers_the_same_and_does_nothing(alice, email):
    assert ask(alice, email).json() == {"status": "sent"}
    assert not FriendRequest.objects.exists()


def test_asking_twice_leaves_one_request(mallory, bob, committed):
    asked(mallory, bob)
    news = News(bob)

    with committed():
        asked(mallory, bob)

    assert news.heard() == []


def test_two_who_ask_each_other_are_friends(mallory, dave):
    asked(mallory, dave)
    assert not are_friends(mallory.id, dave.id)

    ask(dave, "mallory@example.org")

    assert are_friends(mallory.id, dave.id)
    assert not FriendRequest.objects.exists()


def test_a_declined_request_still_waits_for_its_sender(mallory, bob):
    friend_request = asked(mallory, bob)

    assert bob.post(f"/api/friend-requests/{friend_request.id}/decline").status_code == 204

    assert bob.get("/api/friends").json()["received"] == []
    assert len(mallory.get("/api/friends").json()["sent"]) == 1
    path = f"/api/friend-requests/{friend_request.id}/accept"
    assert refusal(bob.post(path)) == (404, "not_found")


def test_whoever_was_declined_cannot_ask_anew_by_taking_back(mallory, bob):
    friend_request = asked(mallory, bob)
    bob.post(f"/api/friend-requests/{friend_request.id}/decline")

    assert mallory.delete(f"/api/friend-requests/{friend_request.id}").status_code == 204
    assert mallory.get("/api/friends").json()["sent"] == []
    ask(mallory, "bob@example.org")

    assert len(mallory.get("/api/friends").json()["sent"]) == 1
    assert bob.get("/api/friends").json()["received"] == []


def test_whoever_declined_may_still_ask_later(mallory, bob):
    friend_request = asked(mallory, bob)
    bob.post(f"/api/friend-requests/{friend_request.id}/decline")

    ask(bob, "mallory@example.org")

    assert are_friends(mallory.id, bob.id)


def test_only_its_sender_takes_a_request_back(carol, bob, mallory):
    path = f"/api/friend-requests/{asked(carol, bob).id}"
    for person in (bob, mallory):
        assert refusal(person.delete(path)) == (404, "not_found")

    assert carol.delete(path).status_code == 204
    assert bob.get("/api/friends").json()["received"] == []


def test_a_friendship_ends_for_both(alice, bob, mallory):
    path = f"/api/friends/{bob.id}"
    assert refusal(mallory.delete(path)) == (404, "not_found")
    assert are_friends(alice.id, bob.id)

    assert alice.delete(path).status_code == 204

    assert friend_ids(bob.id) == set()
    assert refusal(alice.get(f"/api/users/{bob.id}/keys")) == (404, "not_found")
    assert refusal(alice.delete(path)) == (404, "not_found")


def test_everybody_concerned_hears_of_it_at_once_and_mallory_does_not(
    carol, bob, mallory, committed
):
    to_carol, to_bob, to_mallory = News(carol), News(bob), News(mallory)
    with committed():
        friend_request = asked(carol, bob)
    assert (to_carol.events(), to_bob.events()) == ([], ["friend_request.received"])

    with committed():
        bob.post(f"/api/friend-requests/{friend_request.id}/accept")
    made = ["friend_request.closed", "friendship.made"]
    assert (to_carol.events(), to_bob.events()) == (made, made)

    with committed():
        carol.delete(f"/api/friends/{bob.id}")
    assert (to_carol.events(), to_bob.events()) == (["friendship.ended"], ["friendship.ended"])
    assert to_mallory.heard() == []


def test_a_decline_is_not_told_to_the_sender(mallory, bob, committed):
    friend_request = asked(mallory, bob)
    to_mallory, to_bob = News(mallory), News(bob)

    with committed():
        bob.post(f"/api/friend-requests/{friend_request.id}/decline")

    assert (to_mallory.heard(), to_bob.events()) == ([], ["friend_request.closed"])


def test_a_suspended_sender_is_not_shown(mallory, bob):
    friend_request = asked(mallory, bob)
    mallory.user.suspended_at = mallory.user.created_at
    mallory.user.save()

    assert bob.get("/api/friends").json()["received"] == []
    path = f"/api/friend-requests/{friend_request.id}/accept"
    assert refusal(bob.post(path)) == (404, "not_found")


@pytest.mark.parametrize(
    "body", [{}, {"email": "no"}, {"email": 7}, {"email": "a@b.org", "x": 1}, []]
)
def test_a_request_without_an_address_is_refused(mallory, body):
    assert refusal(mallory.post("/api/friend-requests", body)) == (400, "invalid")


def test_asking_is_limited_and_looking_is_not(mallory, settings):
    settings.LIMIT_FRIEND_REQUESTS_PER_HOUR = 2
    answers = [ask(mallory, f"{number}@example.org").status_code for number in range(3)]

    assert answers == [202, 202, 429]
    assert mallory.get("/api/friends").status_code == 200


def test_requests_that_do_not_exist_are_not_found(alice):
    for path in (f"/api/friend-requests/{NOBODY}/accept", f"/api/friend-requests/{NOBODY}/decline"):
        assert refusal(alice.post(path)) == (404, "not_found")
