"""An account that started again is another party: its rooms end, and only people let it back in."""

from dataclasses import replace

import pytest
from asgiref.sync import async_to_sync

from accounts.protocol import from_base64url
from accounts.refusals import Refused
from crypto_client.epoch import Trust
from crypto_client.errors import OpForbiddenError
from crypto_client.key_log import parse_log_start
from crypto_client.receiving import receive_commit
from crypto_client.statements import SERVER_REMOVE, Subject, make_server_remove, parse_statement
from messaging.services import chains
from rooms import services as rooms
from rooms.models import Membership
from tests.accounts.resetting import start_again
from tests.news import News
from tests.rooms.garden import (
    Chain,
    befriend,
    commit_json,
    create,
    id_bytes,
    make_direct,
    make_group,
    sent_of,
    wraps_of,
)

pytestmark = pytest.mark.django_db(transaction=True)


def room_of(garden, name):
    return garden.cast[name].get(garden.path).json()


def waiting(garden, name="alice"):
    """The statements that wait to be executed."""
    rows = room_of(garden, name)["leaving"]
    return [parse_statement(from_base64url(row["statement"])) for row in rows]


def server_key(person):
    start = person.get("/api/key-log/head").json()["logs"][-1]
    return parse_log_start(from_base64url(start["log"])).log_pub


def restarted(garden, name):
    """Have one of the cast start again; the others' clients have fetched the new keys."""
    chain, before = garden.chain, garden.chain.keys[name]
    started = start_again(garden.cast[name])
    chain.older_lists.append(before.device_list)
    chain.keys = {**chain.keys, name: started.keys}
    return before


def test_bob_reads_and_writes_nothing_more_until_he_is_let_in_again(garden):
    late = garden.chain.seal("bob", "by the device of before")
    restarted(garden, "bob")

    bob = room_of(garden, "bob")
    assert bob["me"]["last_epoch"] == 1
    with pytest.raises(Refused, match="forbidden"):
        garden.send("bob", late.envelope)
    assert room_of(garden, "alice")["stale"]
    with pytest.raises(Refused, match="stale_epoch"):
        garden.say("alice", "is bob reading?")


def test_the_members_are_told_to_commit_the_removal(garden, committed):
    news = News(garden.cast.alice)

    restarted(garden, "bob")

    assert "member.left" in news.events()
    [statement] = waiting(garden)
    assert statement.kind == SERVER_REMOVE
    subject = Subject(
        garden.chain.head.room,
        id_bytes("bob"),
        garden.cast.bob.keys.account.public,
        garden.joined_epoch("bob"),
    )
    statement.verify(subject, server_key(garden.cast.alice))


def test_a_member_who_is_no_admin_commits_the_removal_with_the_servers_word(cast):
    befriend(cast.alice, cast.dave)
    garden = make_group(cast, "alice", "bob", "dave")
    restarted(garden, "dave")
    [statement] = waiting(garden)

    removal = garden.remove("bob", "dave", statement)
    trust = Trust(garden.chain.lists, {}, frozenset([server_key(cast.bob)]))
    received = receive_commit(garden.chain.head, removal, room=garden.chain.head.room, trust=trust)
    assert len(received.view.roster) == 2
    with pytest.raises(OpForbiddenError):
        receive_commit(
            garden.chain.head,
            removal,
            room=garden.chain.head.room,
            trust=Trust(garden.chain.lists, {}, frozenset([cast.mallory.keys.account.public])),
        )
    commit_as(garden, "bob", removal)

    assert not room_of(garden, "alice")["stale"]
    assert Membership.objects.get(user=cast.dave.user).removed_epoch == 1


def commit_as(garden, name, commit):
    """Send a commit; alice's own copy of the chain has no server key and stays behind."""
    answer = garden.cast[name].prove().post(f"{garden.path}/commits", commit_json(commit))
    assert answer.status_code == 201, answer.content


def test_a_last_admin_who_starts_again_leaves_a_room_that_goes_on(garden):
    restarted(garden, "alice")
    [statement] = waiting(garden, "bob")

    commit_as(garden, "bob", garden.remove("bob", "alice", statement))

    assert [row["user_id"] for row in room_of(garden, "bob")["members"]] == [
        str(garden.cast.bob.id)
    ]


@pytest.mark.parametrize("forger", ["alice", "bob"])
def test_a_word_that_the_server_did_not_give_removes_nobody(garden, forger):
    subject = Subject(
        garden.chain.head.room,
        id_bytes("alice"),
        garden.cast.alice.keys.account.public,
        garden.joined_epoch("alice"),
    )
    seed = garden.cast[forger].keys.account.seed
    forged = make_server_remove(seed, subject, time=1, reason=1)

    removal = garden.remove("bob", "alice", forged)
    answer = garden.cast.bob.prove().post(f"{garden.path}/commits", commit_json(removal))

    assert (answer.status_code, answer.json()["outcome"]) == (400, "op_forbidden")


def test_the_servers_word_about_one_stay_is_not_used_against_the_next(cast):
    befriend(cast.alice, cast.dave)
    garden = make_group(cast, "alice", "bob", "dave")
    before = restarted(garden, "dave")
    [statement] = waiting(garden)
    commit_as(garden, "alice", removal := garden.remove("alice", "dave", statement))
    trust = Trust(garden.chain.lists, {}, frozenset([server_key(cast.alice)]))
    view = receive_commit(garden.chain.head, removal, room=garden.chain.head.room, trust=trust).view
    garden.chain.view, garden.chain.prekeys, garden.chain.epoch = view, removal.prekeys, None
    assert before.account.public != garden.chain.keys["dave"].account.public

    commit_as(garden, "alice", garden.add("alice", "dave"))

    assert room_of(garden, "dave")["me"]["last_epoch"] is None
    assert room_of(garden, "dave")["me"]["role"] == "member"
    assert waiting(garden) == []


def test_a_direct_room_ends_for_both_and_a_new_one_begins(cast):
    old = make_direct(cast, "alice", "bob")
    old.say("alice", "before")
    late = {name: old.chain.seal(name, "after").envelope for name in ("alice", "bob")}
    restarted(old, "bob")

    assert room_of(old, "alice")["me"]["last_epoch"] == 0
    assert room_of(old, "bob")["me"]["last_epoch"] == 0
    for name, envelope in late.items():
        with pytest.raises(Refused, match="forbidden"):
            old.send(name, envelope)
    assert [row["kind"] for row in old.items("alice")] == ["commit", "message"]

    chain = replace_chain(old.chain)
    commit = chain.direct("alice", "bob")
    assert create(cast, "alice", commit) != old.id


def replace_chain(chain):
    return replace(Chain(), keys=chain.keys, older_lists=chain.older_lists)


def test_carol_and_mallory_see_nothing_of_it(garden):
    news = [News(garden.cast.mallory)]
    restarted(garden, "bob")

    assert [each.events() for each in news] == [[]]
    assert garden.cast.mallory.get(garden.path).status_code == 404
    assert garden.cast.dave.get(garden.path).json()["leaving"] == []


def test_who_was_on_the_way_in_under_the_old_key_is_out_again(garden):
    """The commit that adds bob is in the queue while his account starts again."""
    cast = garden.cast
    befriend(cast.alice, cast.mallory)
    added = garden.add("alice", "mallory")
    pending = rooms.insert_pending_commit(
        actor=cast.alice.user,
        device_id=cast.alice.device_id,
        room_id=garden.id,
        sent=sent_of(added),
        wraps=wraps_of(added),
    )
    start_again(cast.mallory)
    async_to_sync(chains.finish_pending_commit)(pending.room_id, older_than=chains.AT_ONCE)

    assert room_of(garden, "mallory")["me"]["last_epoch"] is not None
    assert [statement.kind for statement in waiting(garden)] == [SERVER_REMOVE]
