"""manage.py verify_room and verify_all find what must never be in a log, and change nothing."""

import json
import uuid
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from messaging import runtime
from messaging.models import LogRecord
from messaging.store import StoreUnavailable
from tests.rooms.garden import make_group


def rows(garden):
    return LogRecord.objects.filter(room_id=garden.id)


def verify(garden, command="verify_room"):
    """The exit (None: whole) and what the command said of the garden."""
    said = StringIO()
    words = [str(garden.id)] if command == "verify_room" else []
    try:
        call_command(command, *words, "--json", stdout=said)
        trouble = None
    except CommandError as error:
        trouble = str(error)
    verdicts = [json.loads(line) for line in said.getvalue().splitlines()]
    [verdict] = [each for each in verdicts if each["room_id"] == str(garden.id)]
    return trouble, verdict


def test_a_room_that_people_wrote_in_and_left_is_whole(garden):
    trouble, verdict = verify(garden)

    assert (trouble, verdict["whole"], verdict["rows"], verdict["head"]) == (None, True, 5, 5)


@pytest.mark.parametrize("command", ["verify_room", "verify_all"])
def test_a_hole_is_found(garden, command):
    rows(garden).get(seq=2).delete()

    trouble, verdict = verify(garden, command)

    assert trouble is not None
    assert (verdict["missing"], verdict["doubled"]) == ([2], 0)


def test_bytes_that_are_not_what_was_accepted_are_found(garden):
    message = rows(garden).get(seq=2)
    body = bytearray(message.body)
    body[-1] ^= 1
    rows(garden).filter(seq=2).update(body=bytes(body))

    assert verify(garden)[1]["damaged"] == [2]


def test_a_row_that_is_no_envelope_is_found(garden):
    rows(garden).filter(seq=5).update(body=b"garbage")

    assert verify(garden)[1]["damaged"] == [5]


@pytest.mark.parametrize(
    "changed", [{"device_id": uuid.UUID(int=7)}, {"n": 4000}, {"message_id": uuid.UUID(int=7)}]
)
def test_a_row_under_another_name_than_its_header_says_is_found(garden, changed):
    rows(garden).filter(seq=2).update(**changed)

    assert verify(garden)[1]["damaged"] == [2]


def test_a_changed_leave_is_found(garden):
    rows(garden).filter(seq=3).update(body=b"nobody left")

    assert verify(garden)[1]["damaged"] == [3]


def test_a_commit_that_the_log_has_lost_is_found(garden):
    rows(garden).filter(seq=4).update(message_id=uuid.UUID(int=9))

    assert verify(garden)[1]["lost_commits"] == [1]


def test_all_rooms_are_counted_and_broken_ones_named(garden):
    other = make_group(garden.cast, "alice", "carol")
    rows(garden).get(seq=1).delete()
    said = StringIO()

    with pytest.raises(CommandError, match="the logs of 1 rooms are not whole"):
        call_command("verify_all", stdout=said)

    assert f"!!  {garden.id}" in said.getvalue()
    assert str(other.id) not in said.getvalue()
    assert "2 rooms, 1 of them whole" in said.getvalue()


def test_nothing_is_changed(garden):
    before = list(rows(garden).values())

    verify(garden)

    assert list(rows(garden).values()) == before


def test_a_log_that_does_not_answer_is_no_verdict(garden, monkeypatch):
    class DeadLog:
        async def verify(self, room_id):
            raise StoreUnavailable

    monkeypatch.setattr(runtime, "log", DeadLog)

    with pytest.raises(CommandError, match="does not answer"):
        call_command("verify_room", str(garden.id), stdout=StringIO())


def test_what_is_said_holds_no_content(garden):
    rows(garden).filter(seq=5).update(body=b"garbage")
    said = StringIO()

    with pytest.raises(CommandError):
        call_command("verify_room", str(garden.id), stdout=said)

    assert said.getvalue() == f"!!  {garden.id}  5 rows  damaged: (5,)\n"
