"""Bodies that are full of small wrong things: refused for their number, not one by one."""

import json

import pytest

from rooms.serializers import MAX_PAGE, MAX_WRAPS, NewCommit, NewHistoryRecords, NewRoom, WrapsAck

LONG_LISTS = [
    (WrapsAck, "epochs", [""] * 100_000),
    (NewHistoryRecords, "records", [{}] * 100_000),
    (NewCommit, "wraps", [{}] * 100_000),
    (NewRoom, "wraps", [{}] * 100_000),
]


@pytest.mark.parametrize(("shape", "name", "members"), LONG_LISTS)
def test_a_list_that_is_too_long_is_answered_in_one_sentence(shape, name, members):
    body = shape(data={name: members})

    assert not body.is_valid()
    assert name in body.errors
    assert len(json.dumps(body.errors)) < 1000


def test_the_longest_lists_are_taken():
    assert WrapsAck(data={"epochs": list(range(MAX_PAGE))}).is_valid()
    assert not WrapsAck(data={"epochs": list(range(MAX_PAGE + 1))}).is_valid()
    assert not WrapsAck(data={"epochs": []}).is_valid()


def test_as_many_wraps_are_taken_as_fit_into_the_largest_commit():
    row = {"device_id": "00000000-0000-0000-0000-000000000000", "wrap": "A" * 1558}
    smallest = len(json.dumps(row, separators=(",", ":")))

    assert MAX_WRAPS * smallest > 4 * 1024 * 1024
