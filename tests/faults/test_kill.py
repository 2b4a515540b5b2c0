"""``kill -9`` of a real server under load, at random moments: what was confirmed is in the log.

The moments follow the seed that the test run prints.
"""

import asyncio
import random
import signal
from contextlib import suppress
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from websockets.exceptions import WebSocketException

from accounts.protocol import to_base64url
from messaging.models import LogRecord
from messaging.store.relational import RelationalLog
from tests.messaging.live import live, serving

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

KILLS = 4


class Load:
    """Devices that send until they die, and remember what the server confirmed."""

    def __init__(self, garden):
        self.garden = garden
        self.confirmed = set()
        self.until = 0
        self.it_is_time = asyncio.Event()

    def after(self, confirms):
        """Set ``it_is_time`` at the moment of so many more confirms, whatever is in flight then."""
        self.until = len(self.confirmed) + confirms
        self.it_is_time.clear()

    async def send_until_it_breaks(self, address, person):
        with suppress(WebSocketException, OSError, TimeoutError):
            async with live(address, person, open_timeout=5) as socket:
                while True:
                    await self.send(socket, person.name)

    async def send(self, socket, name):
        sealed = self.garden.chain.seal(name, "under load")
        answer = await socket.ask(
            "message.send",
            room_id=str(self.garden.id),
            envelope=to_base64url(sealed.envelope),
        )
        assert answer["event"] == "reply", answer
        self.confirmed.add(UUID(answer["message_id"]))
        if len(self.confirmed) >= self.until:
            self.it_is_time.set()


@sync_to_async
def stored_ids(room_id):
    return set(LogRecord.objects.filter(room_id=room_id).values_list("message_id", flat=True))


async def test_nothing_that_was_confirmed_is_lost_when_the_server_is_killed(garden, tmp_path):
    load = Load(garden)
    for _ in range(KILLS):
        await one_round(load, tmp_path)

        assert load.confirmed <= await stored_ids(garden.id)
    assert len(load.confirmed) >= KILLS * 10
    assert (await RelationalLog().verify(garden.id)).is_whole


async def one_round(load, tmp_path):
    load.after(random.randint(10, 90))
    with serving(tmp_path) as server:
        people = [load.garden.cast.alice, load.garden.cast.bob] * 2
        sending = [
            asyncio.create_task(load.send_until_it_breaks(server.address, person))
            for person in people
        ]
        await asyncio.wait_for(load.it_is_time.wait(), 20)
        assert server.end(signal.SIGKILL) == -signal.SIGKILL
        await asyncio.wait_for(asyncio.gather(*sending), 20)
