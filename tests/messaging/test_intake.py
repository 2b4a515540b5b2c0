"""What the archiver takes from a broker one of whose queues is damaged."""

import asyncio
from types import SimpleNamespace

import pytest

from messaging.broker.amqp import Lost, Topology
from messaging.broker.intake import REPAIR_SECONDS, Intake
from tests.messaging.links import NOWHERE, FakeLink

CONNECTION_FORCED = 320  # the broker is told to end


@pytest.fixture
def clock(monkeypatch):
    """What the intake takes for the time."""
    now = SimpleNamespace(seconds=1000.0)
    monkeypatch.setattr("messaging.broker.intake.monotonic", lambda: now.seconds)
    return now


@pytest.fixture
async def intake(monkeypatch):
    """One whose queues are there, and whose connections a test makes."""
    topology = Topology()

    async def declared(_):
        pass

    async def never(*_):
        await asyncio.Event().wait()

    monkeypatch.setattr(topology, "declare", declared)
    monkeypatch.setattr("messaging.broker.intake.keep_connected", never)
    made = Intake(NOWHERE, topology)
    monkeypatch.setattr(made._counting, "begin", lambda _: None)
    yield made
    await made.stop()


@pytest.fixture
def partitions():
    return Topology().partitions


async def test_a_queue_that_ends_the_connection_is_left_out_of_the_next(intake, partitions):
    with pytest.raises(Lost):
        await intake._begin(FakeLink(broken=partitions[3]))

    link = FakeLink(broken=partitions[3])
    await intake._begin(link)

    assert link.channel.consumed == partitions[:3] + partitions[4:]


async def test_it_is_looked_at_again_after_a_while(intake, partitions, clock):
    with pytest.raises(Lost):
        await intake._begin(FakeLink(broken=partitions[3]))
    clock.seconds += REPAIR_SECONDS - 0.01
    without = FakeLink(broken=partitions[3])
    await intake._begin(without)

    await asyncio.wait_for(without.closed.wait(), 5)
    repaired = FakeLink()
    await intake._begin(repaired)

    assert repaired.channel.consumed == partitions


async def test_a_connection_that_ends_by_itself_meanwhile_does_not_try_it_again(intake, partitions):
    with pytest.raises(Lost):
        await intake._begin(FakeLink(broken=partitions[3]))
    await intake._begin(FakeLink(broken=partitions[3]))
    intake._over()

    link = FakeLink(broken=partitions[3])
    await intake._begin(link)

    assert link.channel.consumed == partitions[:3] + partitions[4:]


async def test_connections_that_end_again_and_again_do_not_put_the_look_off(
    intake, partitions, clock
):
    with pytest.raises(Lost):
        await intake._begin(FakeLink(broken=partitions[3]))
    for _ in range(2):
        await intake._begin(FakeLink())
        clock.seconds += REPAIR_SECONDS / 2
        intake._over()

    link = FakeLink()
    await intake._begin(link)

    assert link.channel.consumed == partitions


async def test_a_queue_that_is_deleted_is_declared_and_consumed_again(intake, partitions):
    link = FakeLink()
    await intake._begin(link)

    link.channel.delete(partitions[3])

    assert link.closed.is_set()


async def test_of_several_broken_queues_all_are_left_out_in_the_end(intake, partitions):
    for queue in (partitions[0], partitions[9]):
        with pytest.raises(Lost):
            await intake._begin(FakeLink(broken=queue))

    link = FakeLink()
    await intake._begin(link)

    assert set(partitions) - set(link.channel.consumed) == {partitions[0], partitions[9]}


async def test_a_broker_that_ends_while_queues_are_consumed_has_no_broken_queue(intake, partitions):
    with pytest.raises(Lost):
        await intake._begin(FakeLink(partitions[3], CONNECTION_FORCED))

    link = FakeLink()
    await intake._begin(link)

    assert link.channel.consumed == partitions
