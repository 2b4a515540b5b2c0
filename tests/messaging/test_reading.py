"""Everybody reads the epochs that are theirs."""

import pytest
from asgiref.sync import async_to_sync

from accounts.protocol import from_base64url
from accounts.refusals import Refused
from messaging import runtime, services
from messaging.store import StoreUnavailable
from tests.rooms.garden import befriend, make_group


def page(garden, name, after=0, **options):
    return async_to_sync(services.read_items)(
        actor_id=garden.cast[name].id, room_id=garden.id, after=after, **options
    )


def kinds(garden, name):
    return [item["kind"] for item in garden.items(name)]


def news(garden, name, cursors):
    async def collect():
        found = services.read_news(actor_id=garden.cast[name].id, cursors=cursors)
        return {page.room_id: page async for page in found}

    return async_to_sync(collect)()


def test_a_member_reads_everything_since_joining(garden):
    assert kinds(garden, "bob") == ["commit", "message", "leave", "commit", "message"]
    assert [item["seq"] for item in garden.items("bob")] == [1, 2, 3, 4, 5]


def test_who_has_left_reads_what_there_was_and_nothing_after(garden):
    assert kinds(garden, "dave") == ["commit", "message", "leave"]

    before = page(garden, "dave")
    garden.say("alice", "more and more")

    assert page(garden, "dave") == before
    assert (before.head, before.upto, before.more) == (3, 3, False)


def test_who_is_removed_reads_up_to_the_commit_that_did_it(garden):
    garden.commit("alice", garden.remove("alice", "bob"))
    garden.say("alice", "bob is gone")

    assert (page(garden, "bob").head, kinds(garden, "bob")[-1]) == (5, "message")
    assert kinds(garden, "alice")[-2:] == ["commit", "message"]


def test_a_stranger_reads_nothing(garden):
    assert kinds(garden, "alice")

    with pytest.raises(Refused, match="not_found"):
        page(garden, "mallory")


def test_a_newcomer_reads_from_joining_on(garden):
    garden.commit("alice", garden.add("alice", "carol"))
    garden.say("alice", "welcome")

    assert kinds(garden, "carol") == ["commit", "message"]


def test_two_stays_are_read_together_and_what_lies_between_is_not(garden):
    befriend(garden.cast.alice, garden.cast.dave)
    garden.commit("alice", garden.add("alice", "dave"))
    garden.say("alice", "welcome back")

    assert [item["seq"] for item in garden.items("dave")] == [1, 2, 3, 6, 7]


def test_pages_follow_each_other_and_say_how_far_they_speak(garden):
    first = page(garden, "bob", limit=2)
    second = page(garden, "bob", after=first.upto, limit=10)

    assert (first.upto, first.more, len(first.items)) == (2, True, 2)
    assert (second.upto, second.more, second.head) == (5, False, 5)
    assert [record.seq for record in first.items + second.items] == [1, 2, 3, 4, 5]


def test_a_page_ends_where_the_asker_says(garden):
    assert [record.seq for record in page(garden, "bob", after=1, upto=3).items] == [2, 3]


def test_a_page_after_the_head_is_empty(garden):
    beyond = page(garden, "bob", after=99)

    assert (beyond.upto, beyond.head, beyond.items, beyond.more) == (99, 5, [], False)


def test_a_page_that_hides_everything_still_moves_the_cursor(garden):
    garden.commit("alice", garden.add("alice", "carol"))

    hidden = page(garden, "carol", limit=3)

    assert (hidden.items, hidden.upto, hidden.more) == ([], 3, True)


def test_news_are_the_pages_after_each_cursor(garden):
    other = make_group(garden.cast, "alice", "carol")

    found = news(garden, "alice", {garden.id: 3, other.id: 1})

    assert [record.seq for record in found[garden.id].items] == [4, 5]
    assert (found[other.id].items, found[other.id].head, found[other.id].more) == ([], 1, False)


def test_news_end_for_who_has_left_where_their_membership_did(garden):
    assert news(garden, "dave", {garden.id: 0}) == {garden.id: page(garden, "dave")}


def test_news_of_own_rooms_come_before_the_refusal_of_a_strangers(garden):
    other = make_group(garden.cast, "alice", "carol")
    given = []

    async def collect():
        cursors = {other.id: 0, garden.id: 0}
        async for each in services.read_news(actor_id=garden.cast.bob.id, cursors=cursors):
            given.append(each.room_id)

    with pytest.raises(Refused, match="not_found"):
        async_to_sync(collect)()
    assert given == [garden.id]


def test_rooms_without_news_cost_no_query_each(garden, django_assert_num_queries):
    groups = [make_group(garden.cast, "alice", "carol") for _ in range(5)]
    cursors = {room.id: 1 for room in groups} | {garden.id: 5}

    with django_assert_num_queries(2):
        pages = news(garden, "alice", cursors)

    assert {page.head for page in pages.values()} == {1, 5}


def test_rooms_that_one_has_left_cost_no_query_each(garden, django_assert_num_queries):
    groups = [make_group(garden.cast, "alice", "carol", "bob") for _ in range(3)]
    for room in groups:
        room.commit("alice", room.remove("alice", "bob"))

    with django_assert_num_queries(4):
        pages = news(garden, "bob", {room.id: 1 for room in groups})

    assert [page.head for page in pages.values()] == [1, 1, 1]


def test_heads_are_those_of_the_rooms_one_is_in(garden):
    other = make_group(garden.cast, "alice", "carol")
    alice, dave = garden.cast.alice, garden.cast.dave

    assert async_to_sync(services.heads)(actor_id=alice.id) == {garden.id: (5, 1), other.id: (1, 0)}
    assert async_to_sync(services.heads)(actor_id=dave.id) == {}


def test_a_log_that_does_not_answer_is_said_to_be_unavailable(garden, monkeypatch):
    class DeadLog:
        async def heads(self, room_ids):
            raise StoreUnavailable

        page = find = heads

    monkeypatch.setattr(runtime, "log", DeadLog)

    answer = garden.cast.bob.get(f"{garden.path}/items")

    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


def test_a_commit_in_the_log_is_its_hash_alone(garden):
    rows = [item for item in garden.items("alice") if item["kind"] == "commit"]

    hashes = [commit.hash for commit in garden.chain.commits]
    assert [from_base64url(row["hash"]) for row in rows] == hashes
    assert [row["epoch"] for row in rows] == [0, 1]
