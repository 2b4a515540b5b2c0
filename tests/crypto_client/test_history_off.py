"""What comes back of a room that keeps no history, or ended it: nothing of that time."""

from crypto_client.commit import ClearState
from crypto_client.committing import commit_history_off
from crypto_client.history import HistoryRecord, seal_history
from tests.crypto_client.test_restoring import Life, name_of


def genuine(life: Life, epoch: int) -> HistoryRecord:
    """What alice's first device would have sealed, had the room asked for it."""
    secret = life.cast.alice.source.secret(life.links[epoch].commit)
    return seal_history(life.writer, name_of(life, epoch), secret)


def test_of_a_room_without_history_nothing_is_written_and_a_genuine_record_is_refused() -> None:
    life = Life(ClearState(1, history_policy=0))
    life.go_on()
    assert life.records == {}

    past = life.past({epoch: [genuine(life, epoch)] for epoch in (0, 1)})

    assert past.refused == {0: "recovery", 1: "recovery"}
    assert [state.opened for state in past.epochs] == [False, False]
    assert past.view.unkept_from == 0


def test_history_that_was_kept_before_the_switch_comes_back() -> None:
    life = Life()
    life.go_on()
    life.take(commit_history_off(life.head.view, life.cast.committer(life.cast.alice)))
    life.go_on()
    assert sorted(life.records) == [0, 1]

    past = life.past({**life.records, 2: [genuine(life, 2)]})

    assert past.refused == {2: "recovery"}
    assert [state.opened for state in past.epochs] == [True, True, False, False]
    assert (past.view.unkept_from, past.view.title, past.view.shown_title) == (2, None, "first")
