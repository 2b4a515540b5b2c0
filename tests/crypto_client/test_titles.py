"""What a room is called, when a device commits that came in without the room's past (§6.4)."""

from dataclasses import replace

from crypto_client.client.failures import Refused
from crypto_client.commit import ClearState
from crypto_client.committing import commit_add, commit_rotation, commit_title
from crypto_client.ops import ChangeState
from crypto_client.receiving import Received, receive_commit
from crypto_client.vectors.cast import World, everyone, group, world
from crypto_client.vectors.forge import Forgery
from tests.crypto_client.member import Member
from tests.crypto_client.test_restoring import Life


def without_past(received: Received) -> Received:
    """What a device knows of a room whose past opens nowhere."""
    return replace(received, view=replace(received.view, title=None))


def garden() -> tuple[World, dict[str, Received]]:
    """alice and bob in the garden; bob came in without its past."""
    cast = world("alice", "bob", "carol")
    _, received = group(cast, "alice", "bob")
    return cast, {**received, "bob": without_past(received["bob"])}


def titles(received: dict[str, Received]) -> dict[str, str | None]:
    return {name: each.view.title for name, each in received.items()}


def test_a_room_without_history_leaves_a_restored_device_without_its_title() -> None:
    life = Life(ClearState(1, history_policy=0))

    past = life.past()

    assert life.head.view.title == "first"
    assert (past.view.title, past.refused) == (None, {})
    assert not past.epochs[0].opened


def test_who_does_not_know_the_title_changes_nobodys_by_committing() -> None:
    cast, received = garden()
    bob = received["bob"]

    after = everyone(cast, received, commit_rotation(bob.view, cast.committer(cast.bob, bob.epoch)))

    assert titles(after) == {"alice": "garden", "bob": None}
    assert (after["alice"].view.title_due, after["bob"].view.title_due) == (True, False)


def test_who_knows_the_title_brings_it_with_the_next_epoch() -> None:
    cast, received = garden()
    bob = received["bob"]
    after = everyone(cast, received, commit_rotation(bob.view, cast.committer(cast.bob, bob.epoch)))
    alice = after["alice"]

    again = commit_rotation(alice.view, cast.committer(cast.alice, alice.epoch))
    told = everyone(cast, after, again)

    assert titles(told) == {"alice": "garden", "bob": "garden"}
    assert not told["alice"].view.title_due


def test_a_newcomer_does_not_take_an_empty_title_for_the_title() -> None:
    cast, received = garden()
    alice, bob = without_past(received["alice"]), received["bob"]
    add = commit_add(alice.view, [cast.carol.devices], cast.committer(cast.alice, alice.epoch))
    after = everyone(cast, {**received, "alice": alice, "carol": alice}, add)
    assert titles(after) == {"alice": None, "bob": None, "carol": None}

    rename = commit_title(after["alice"].view, "정원", cast.committer(cast.alice))
    told = everyone(cast, after, rename)

    assert titles(told) == {"alice": "정원", "bob": "정원", "carol": "정원"}
    assert bob.view.title is None


def test_a_state_operation_without_a_title_takes_none_away() -> None:
    cast, received = garden()
    off = ClearState(1, history_policy=0)
    alice = received["alice"]
    to = [cast.alice, cast.bob]
    commit = Forgery(
        alice.view, cast.alice.keys, [ChangeState()], to=to, clear=off, title=""
    ).make()

    after = everyone(cast, received, commit)

    assert titles(after) == {"alice": "garden", "bob": None}
    assert after["alice"].view.clear == off


def test_an_unopened_change_is_made_up_for_by_the_next_title_not_by_none() -> None:
    cast, received = garden()
    alice = received["alice"]
    rename = commit_title(alice.view, "정원", cast.committer(cast.alice, alice.epoch))
    closed = receive_commit(
        replace(received["bob"].view, title="garden"),
        rename,
        room=alice.view.room,
        trust=cast.trust(),
    )
    assert (closed.view.title, closed.view.shown_title) == (None, "garden")
    hers = cast.receive(cast.alice, alice.view, rename)

    empty = Forgery(hers.view, cast.alice.keys, to=[cast.alice, cast.bob], title="").make()
    unknown = cast.receive(cast.bob, closed.view, empty)

    assert (unknown.view.title, unknown.view.shown_title) == (None, "garden")
    hers = cast.receive(cast.alice, hers.view, empty)
    again = commit_rotation(hers.view, cast.committer(cast.alice, hers.epoch))
    assert cast.receive(cast.bob, unknown.view, again).view.title == "정원"


# The command-line client


def shown_no_title(bob: Member) -> None:
    """alice's other device, which does not know it, has begun an epoch."""
    empty = Forgery(bob.view, bob.cast.alice.keys, to=[bob.cast.alice, bob.cast.bob], title="")
    assert bob.is_shown(empty.make()) == ""
    assert (bob.head.title, bob.head.title_due) == ("garden", True)


def test_who_writes_next_tells_the_title_first(bob: Member) -> None:
    shown_no_title(bob)
    bob.server_gives_back()

    assert bob.writes() == "accepted"

    assert (bob.head.epoch, bob.head.title, bob.head.title_due) == (2, "garden", False)
    assert bob.writes() == "accepted"
    assert bob.head.epoch == 2


def test_a_server_that_takes_no_more_commits_does_not_keep_the_message(bob: Member) -> None:
    shown_no_title(bob)

    def refuse(body: object) -> None:
        raise Refused("rate_limited")

    bob.server.answers["POST commits"] = refuse

    assert bob.writes() == "accepted"
    assert bob.head.epoch == 1
