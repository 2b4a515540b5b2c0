"""A query whose SQL is made once answers for every id as the query itself does."""

import pytest

from messaging.prepared import PreparedQuery
from rooms.access import visible_stays
from rooms.models import DeletedRoom
from tests.cast import id_of


def stays(user_id, room_id):
    return visible_stays(user_id).filter(room=room_id).values_list("joined_epoch", "last_epoch")


def test_it_answers_for_each_person_as_the_query_does(garden):
    prepared = PreparedQuery(stays, ids=2)
    names = ("alice", "mallory", "bob", "dave", "alice")

    found = [prepared.first(id_of(name), garden.chain.room_id) for name in names]

    assert found == [stays(id_of(name), garden.chain.room_id).first() for name in names]
    assert [row is not None and row[1] is None for row in found] == [True, False, True, False, True]


def test_it_remembers_no_answer(garden):
    prepared = PreparedQuery(stays, ids=2)
    assert prepared.first(id_of("alice"), garden.chain.room_id) is not None

    DeletedRoom.objects.create(room_id=garden.chain.room_id)

    assert prepared.first(id_of("alice"), garden.chain.room_id) is None


def test_a_query_that_leaves_an_id_out_is_refused(garden):
    prepared = PreparedQuery(lambda user_id, _room_id: visible_stays(user_id), ids=2)

    with pytest.raises(AssertionError):
        prepared.first(id_of("alice"), garden.chain.room_id)
