"""What a socket of the solo profile hears of its person, however long it is open."""

import time

import pytest
from channels.layers import get_channel_layer

from accounts.realtime import user_group
from tests.cast import id_of

GROUP, CHANNEL = user_group(id_of("alice")), "specific.inmemory!socket"
WORD = {"type": "person.push"}
END = {"type": "session.ended"}


@pytest.fixture
async def layer():
    layer = get_channel_layer()
    assert layer is not None
    await layer.group_add(GROUP, CHANNEL)
    yield layer
    await layer.flush()


@pytest.fixture
def later(monkeypatch):
    now = time.time

    def move(seconds):
        monkeypatch.setattr("channels.layers.time.time", lambda: now() + seconds)

    return move


async def test_a_socket_that_is_open_for_days_still_hears(layer, later):
    later(3 * 24 * 3600)
    await layer.group_send(GROUP, END)

    assert await layer.receive(CHANNEL) == END


async def test_a_word_that_waits_is_not_the_last_that_a_socket_hears(layer, later):
    await layer.group_send(GROUP, WORD)
    later(600)
    await layer.group_send(GROUP, END)

    assert [await layer.receive(CHANNEL) for _ in range(2)] == [WORD, END]


async def test_the_end_of_a_session_is_heard_behind_many_other_words(layer):
    for _ in range(500):
        await layer.group_send(GROUP, WORD)
    await layer.group_send(GROUP, END)

    heard = [await layer.receive(CHANNEL) for _ in range(501)]

    assert heard[-1] == END
