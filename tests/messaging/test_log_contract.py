"""What every message log promises."""

from dataclasses import replace

import pytest

from messaging.store import InsertOutcome, Unstorable
from tests.messaging.contracts import LOGS
from tests.messaging.records import BOB, OTHER_ROOM, ROOM, commit, message

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=LOGS)
async def log(request):
    async with LOGS[request.param]() as made:
        yield made


async def test_what_is_inserted_is_found_as_it_was(log):
    rows = [message(1).at(1), commit(1).at(2)]

    assert await log.insert(rows) == InsertOutcome(2)
    assert await log.page(ROOM, 0, 2) == rows
    assert await log.find({rows[0].key, message(9).key}) == {rows[0].key: rows[0]}


async def test_a_page_has_what_is_after_the_one_and_up_to_the_other(log):
    await log.insert([message(n).at(n) for n in range(1, 6)])
    await log.insert([message(1, room=OTHER_ROOM).at(2)])

    assert [row.seq for row in await log.page(ROOM, 1, 4)] == [2, 3, 4]


async def test_the_head_of_a_room_is_its_highest_seq_and_of_an_unknown_room_zero(log):
    await log.insert([message(n).at(n) for n in range(1, 4)])

    assert await log.heads({ROOM, OTHER_ROOM}) == {ROOM: 3, OTHER_ROOM: 0}


async def test_an_insert_stops_at_a_stored_message_and_keeps_what_came_before(log):
    await log.insert([message(1).at(1)])

    outcome = await log.insert([message(2).at(2), message(1).at(3), message(3).at(4)])

    assert outcome == InsertOutcome(1, "message")
    assert [row.message_id.int for row in await log.page(ROOM, 0, 9)] == [1, 2]


async def test_an_insert_stops_at_a_seq_that_is_taken(log):
    await log.insert([message(1).at(1)])

    assert await log.insert([message(2).at(1)]) == InsertOutcome(0, "seq")


async def test_an_insert_stops_at_a_counter_that_another_message_has(log):
    await log.insert([message(1, n=7).at(1)])

    assert await log.insert([message(2, n=7).at(2)]) == InsertOutcome(0, "counter")


async def test_a_record_that_no_store_can_hold_is_called_so_and_is_not_written(log):
    with pytest.raises(Unstorable):
        await log.insert([replace(message(1), epoch=2**64).at(1)])

    assert await log.heads({ROOM}) == {ROOM: 0}


async def test_a_message_stored_before_is_never_mistaken_for_another_with_its_counter(log):
    await log.insert([message(1, n=7).at(1)])

    assert await log.insert([message(1, n=7).at(1)]) == InsertOutcome(0, "message")


async def test_two_devices_may_use_the_same_id_and_the_same_counter(log):
    rows = [message(1).at(1), message(1, device=BOB).at(2), message(1, room=OTHER_ROOM).at(1)]

    assert await log.insert(rows) == InsertOutcome(3)


async def test_rows_without_a_counter_do_not_collide(log):
    assert await log.insert([commit(1).at(1), commit(2).at(2)]) == InsertOutcome(2)


async def test_a_deleted_room_is_gone_and_others_stay(log):
    await log.insert([message(1).at(1), message(1, room=OTHER_ROOM).at(1)])

    await log.delete_room(ROOM)

    assert await log.heads({ROOM, OTHER_ROOM}) == {ROOM: 0, OTHER_ROOM: 1}


async def test_verify_finds_a_hole(log):
    await log.insert([message(1).at(1), message(3).at(3)])

    check = await log.verify(ROOM)

    assert (check.head, check.rows, check.missing, check.is_whole) == (3, 2, (2,), False)


async def test_verify_is_content_with_a_whole_room(log):
    await log.insert([message(n).at(n) for n in range(1, 4)])

    assert (await log.verify(ROOM)).is_whole
