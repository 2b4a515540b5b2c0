"""An operator at the parking queue: looks, replays, drops, and takes nobody else's messages."""

import asyncio
import json
import uuid

import pytest
from django.core.management import CommandError, call_command

from messaging.broker.amqp import Topology
from messaging.broker.bodies import encode
from messaging.management.commands import parked
from tests.cluster.queues import own_queues
from tests.messaging.records import ROOM, message
from tests.messaging.test_queue_contract import settle, take

pytestmark = pytest.mark.slow

NEWER = b"\x63" + encode(message(1))[1:]
READABLE = encode(message(2))


@pytest.fixture
async def queue(addresses, settings, monkeypatch):
    """Queues of our own, and the operator's settings that lead to them."""
    async with own_queues(addresses) as made:
        settings.SOLO = False
        settings.BROKER_URL, settings.BROKER_CA = (
            addresses["BROKER_URL"],
            addresses.get("BROKER_CA", ""),
        )
        monkeypatch.setattr(parked.Command, "topology", made._topology)
        yield made


async def lay_aside(queue, body, reason="version"):
    """Park these bytes, as an archiver would."""
    await queue._home.run(
        lambda: queue._publisher.publish(
            "",
            queue._topology.parked,
            body,
            reason=reason,
            queue=queue._topology.partition(ROOM),
        )
    )


@pytest.fixture
def operator(capsys):
    """``manage.py parked`` with --json; gives its lines."""

    async def run(*words):
        await asyncio.to_thread(call_command, "parked", *words, "--json")
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run


async def test_looking_names_the_reason_and_changes_nothing(queue, operator):
    await lay_aside(queue, NEWER)

    first = await operator("list")
    again = await operator("list")

    assert first == again
    [row] = first
    assert (row["reason"], row["bytes"], row["state"]) == ("version", len(NEWER), "parked")
    assert row["queue"] == queue._topology.partition(ROOM)


async def test_what_is_replayed_reaches_the_archiver_and_is_parked_no_more(queue, operator):
    await lay_aside(queue, READABLE)

    [row] = await operator("replay", "--all")

    assert row["state"] == "replayed"
    [delivery] = await take(queue, 1)
    await settle(queue, [delivery])
    assert delivery.record == message(2)
    assert await operator("list") == []


async def test_what_nobody_can_read_yet_stays_parked(queue, operator, capsys):
    await lay_aside(queue, NEWER)

    with pytest.raises(CommandError, match="1 of 1 stay parked"):
        await operator("replay", "--all")

    assert "unreadable (version)" in capsys.readouterr().out
    assert len(await operator("list")) == 1


async def test_only_what_is_named_is_dropped(queue, operator):
    await lay_aside(queue, NEWER)
    await lay_aside(queue, READABLE)
    rows = await operator("list")

    await operator("drop", rows[0]["id"])

    assert [row["id"] for row in await operator("list")] == [rows[1]["id"]]


async def test_an_unknown_id_stops_before_anything_is_done(queue, operator):
    await lay_aside(queue, NEWER)
    [row] = await operator("list")

    with pytest.raises(CommandError, match="not parked: 00ff"):
        await operator("drop", row["id"], "00ff")

    assert len(await operator("list")) == 1


async def test_a_message_for_no_queue_of_ours_is_not_replayed(queue, operator):
    elsewhere = Topology(f"other.{uuid.uuid4().hex}").partition(ROOM)
    await queue._home.run(
        lambda: queue._publisher.publish(
            "", queue._topology.parked, READABLE, reason="version", queue=elsewhere
        )
    )

    with pytest.raises(CommandError, match="stay parked"):
        await operator("replay", "--all")


@pytest.mark.parametrize("words", [["drop"], ["replay"], ["drop", "00ff", "--all"]])
async def test_what_is_meant_must_be_said(queue, operator, words):
    with pytest.raises(CommandError, match="name the IDs, or --all"):
        await operator(*words)
