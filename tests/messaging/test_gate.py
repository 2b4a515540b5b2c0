"""Who may open a socket."""

import pytest

from tests.cast import ORIGIN
from tests.messaging.sockets import Socket, browser, cookie_of, opened, program

pytestmark = pytest.mark.django_db(transaction=True)

REFUSED_ORIGINS = {
    "another host": "http://evil.example:8000",
    "another port": "http://127.0.0.1:8001",
    "no port": "http://127.0.0.1",
    "another scheme": "https://127.0.0.1:8000",
    "a host that begins like ours": "http://127.0.0.1.evil.example:8000",
    "a host that ends like ours": "http://evil127.0.0.1:8000",
    "null": "null",
    "empty": "",
    "a path": "http://127.0.0.1:8000/",
    "a user": "http://127.0.0.1:8000@evil.example",
    "a user before ours": "http://evil@127.0.0.1:8000",
    "capital letters": "HTTP://127.0.0.1:8000",
    "a wildcard": "*",
    "a file": "file://",
    "a space": " http://127.0.0.1:8000",
    "two in one": "http://127.0.0.1:8000 http://evil.example",
    "an extension": "chrome-extension://abcdefghijklmnop",
}


@pytest.mark.parametrize("origin", REFUSED_ORIGINS.values(), ids=REFUSED_ORIGINS.keys())
async def test_a_page_of_another_origin_gets_no_socket(alice, origin):
    assert await Socket(browser(alice, origin)).connect() == 4003


@pytest.mark.parametrize("origin", [ORIGIN, "http://localhost:8000"])
async def test_a_page_of_an_allowed_origin_gets_a_socket_and_its_origin_to_sign(alice, origin):
    async with opened(browser(alice, origin)) as socket:
        assert socket.hello["origin"] == origin


async def test_two_origins_are_none(alice):
    headers = [(b"origin", ORIGIN.encode()), *browser(alice)]

    assert await Socket(headers).connect() == 4003


async def test_a_cookie_without_an_origin_gets_no_socket(alice):
    assert await Socket([cookie_of(alice)]).connect() == 4003


async def test_nobody_without_an_origin_gets_no_socket(db):
    assert await Socket([]).connect() == 4003


async def test_a_program_with_a_token_and_no_origin_gets_a_socket(alice):
    async with opened(program(alice)) as socket:
        assert socket.hello["origin"] == ORIGIN
        assert (await socket.prove(alice))["event"] == "reply"


async def test_a_token_does_not_help_a_page_of_another_origin(alice):
    headers = [(b"origin", b"http://evil.example"), *program(alice)]

    assert await Socket(headers).connect() == 4003


async def test_a_token_does_not_help_a_cookie_without_an_origin(alice):
    assert await Socket([*program(alice), cookie_of(alice)]).connect() == 4003


@pytest.mark.parametrize("value", [b"sessionid=unknown", b"", b"sessionid="])
async def test_who_is_not_signed_in_is_told_so(db, value):
    socket = Socket([(b"origin", ORIGIN.encode()), (b"cookie", value)])
    await socket.connect()

    assert await socket.closed_with() == 4001


async def test_a_suspended_person_gets_no_socket(alice):
    alice.user.suspended_at = alice.user.created_at
    await alice.user.asave()
    socket = Socket(browser(alice))
    await socket.connect()

    assert await socket.closed_with() == 4001


async def test_there_is_no_socket_at_another_address(alice):
    assert await Socket(browser(alice), path="/other/").connect() is not None


async def test_the_eleventh_socket_of_a_person_is_refused_and_a_closed_one_makes_room(
    alice, settings
):
    settings.LIMIT_SOCKETS_PER_USER = 2
    async with opened(browser(alice)):
        async with opened(browser(alice)):
            third = Socket(browser(alice))
            await third.connect()
            assert await third.closed_with() == 1013

        async with opened(browser(alice)):
            pass


async def test_too_many_sockets_of_one_address_are_refused(alice, bob, settings):
    settings.LIMIT_SOCKETS_PER_ADDRESS = 1
    async with opened(browser(alice), client="192.0.2.1"):
        second = Socket(browser(bob), client="192.0.2.1")
        await second.connect()
        assert await second.closed_with() == 1013

        async with opened(browser(bob), client="192.0.2.2"):
            pass


async def test_an_address_behind_our_proxy_counts_and_a_forged_one_does_not(alice, bob, settings):
    settings.LIMIT_SOCKETS_PER_ADDRESS = 1
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]

    def through_proxy(person, forwarded):
        return [*browser(person), (b"x-forwarded-for", forwarded)]

    async with opened(through_proxy(alice, b"192.0.2.1"), client="10.0.0.1"):
        forged = Socket(through_proxy(bob, b"198.51.100.7, 192.0.2.1"), client="10.0.0.1")
        await forged.connect()
        assert await forged.closed_with() == 1013

        async with opened(through_proxy(bob, b"192.0.2.2"), client="10.0.0.1"):
            pass
