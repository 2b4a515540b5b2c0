"""Everybody sends every frame. The events come from the registry, the answers from the table."""

import pytest

from messaging.frames import FROM_CLIENT
from tests.authorization.frames import ACTORS, FRAMES, NO_SOCKET
from tests.cast import ORIGIN
from tests.messaging.sockets import Socket, browser, opened, proved

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def outcome(answer):
    return answer["code"] if answer["event"] == "error" else answer["event"]


def test_every_event_has_a_row_and_every_row_an_event():
    assert [row.event for row in FRAMES] == list(FROM_CLIENT)


@pytest.mark.parametrize("actor", ACTORS)
@pytest.mark.parametrize("row", FRAMES, ids=str)
async def test_everybody_gets_the_answer_the_table_names(row, actor, garden):
    expected = row.answers[ACTORS.index(actor)]
    if actor == "anonymous":
        socket = Socket([(b"origin", ORIGIN.encode())])
        await socket.connect()
        assert str(await socket.closed_with()) == expected == NO_SOCKET
        return
    person = garden.cast[actor]
    async with proved(person) as socket:
        answer = await socket.ask(row.event, **row.members(garden, person))

    assert outcome(answer) == expected


@pytest.mark.parametrize("row", FRAMES, ids=str)
async def test_a_member_without_a_proof_gets_nothing(row, garden):
    alice = garden.cast.alice
    async with opened(browser(alice)) as socket:
        answer = await socket.ask(row.event, **row.members(garden, alice))

        assert outcome(answer) == row.unproved
        assert socket.pushes == []


async def test_a_stranger_reads_nothing_of_the_room(garden):
    async with proved(garden.cast.mallory) as socket:
        await socket.ask("sync", rooms={str(garden.id): 0})
        heads = await socket.ask("heads")

    assert socket.pushes == []
    assert heads["rooms"] == {}


async def test_a_former_member_reads_what_was_theirs_and_nothing_after(garden):
    dave = garden.cast.dave
    async with proved(dave) as socket:
        await socket.ask("sync", rooms={str(garden.id): 0})
        page = await socket.push("sync.page")
        heads = await socket.ask("heads")

    everything = garden.cast.alice
    async with proved(everything) as socket:
        await socket.ask("sync", rooms={str(garden.id): 0})
        whole = await socket.push("sync.page")

    assert 0 < len(page["items"]) < len(whole["items"])
    assert page["head"] < whole["head"]
    assert heads["rooms"] == {}


async def test_nobody_sends_an_envelope_of_somebody_else(garden):
    row = next(row for row in FRAMES if row.event == "message.send")
    of_alice = row.members(garden, garden.cast.alice)
    async with proved(garden.cast.bob) as socket:
        answer = await socket.ask("message.send", **of_alice)

    assert outcome(answer) == "header_mismatch"
