"""Real servers in processes of their own: the way of a message, slow readers, TLS, the end."""

import asyncio
import contextlib
import datetime
import ipaddress
import signal
import socket
import ssl
import time
from contextlib import AsyncExitStack

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from accounts.protocol import to_base64url
from messaging.serving import MAX_BODY
from tests.messaging.live import Server, connected, live, plain_daphne, serving, slow_connection

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

SERVERS = {"daphne": "DaphneOutlet", "uvicorn": "UvicornOutlet"}


@pytest.fixture(scope="module", params=SERVERS)
def shared(request, django_db_setup, tmp_path_factory):
    """One server of each kind for the tests that do not end it."""
    with serving(tmp_path_factory.mktemp("serve"), "--server", request.param) as server:
        yield server


def sealed(garden, name, text="hello"):
    return to_base64url(garden.chain.seal(name, text).envelope)


async def send(garden, socket, text="hello"):
    members = {"room_id": str(garden.id), "envelope": sealed(garden, "alice", text)}
    return await socket.ask("message.send", **members)


async def a_message_goes_its_way(garden, address, **options):
    """alice sends, bob sees it live and then stored."""
    async with (
        live(address, garden.cast.alice, **options) as alice,
        live(address, garden.cast.bob, **options) as bob,
    ):
        accepted = await send(garden, alice)
        first, second = await bob.frame(), await bob.frame()
    assert accepted["state"] == "accepted"
    assert (first["event"], second["event"]) == ("message.live", "message.stored")
    assert second["ids"][0][1] == accepted["message_id"]


async def test_a_message_goes_its_way_over_the_fast_path(garden, shared):
    await a_message_goes_its_way(garden, shared.address)

    assert shared.outlets() == {SERVERS[shared.kind]}


@pytest.mark.parametrize("name", SERVERS)
async def test_a_message_goes_its_way_over_plain_asgi(garden, tmp_path, name):
    with serving(tmp_path, "--server", name, GAMRAE_FAST_SEND="off") as server:
        await a_message_goes_its_way(garden, server.address)
        assert server.outlets() == {"AsgiOutlet"}


@pytest.mark.parametrize("name", SERVERS)
async def test_a_message_goes_its_way_over_tls(garden, tmp_path, name):
    certificate, key = self_signed(tmp_path)
    trust = ssl.create_default_context(cafile=certificate)
    with serving(tmp_path, "--server", name, TLS_CERT=certificate, TLS_KEY=key) as server:
        assert server.address.startswith("https://")
        await a_message_goes_its_way(garden, server.address, ssl=trust)


@pytest.mark.parametrize("size", [f"Content-Length: {8 * MAX_BODY}", "Transfer-Encoding: chunked"])
def test_a_body_that_is_too_large_is_not_taken_to_its_end(shared, size):
    """Whether the client says so before or not; nothing waits for the rest of it."""
    head = f"POST /api/me HTTP/1.1\r\nHost: 127.0.0.1\r\n{size}\r\n\r\n".encode()
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    answer = b""
    with socket.create_connection(("127.0.0.1", shared.port), 20) as wire:
        wire.sendall(head)
        # Who is cut off may find the connection reset while still sending.
        with contextlib.suppress(ConnectionError):
            for _ in range(MAX_BODY // 0x10000 + 1 if "chunked" in size else 0):
                wire.sendall(chunk)
        with contextlib.suppress(ConnectionError):
            answer = wire.recv(100)

    assert answer.startswith(b"HTTP/1.1 413 ")


async def test_a_slow_reader_is_cut_off_with_4008_and_nobody_else_notices(garden, shared):
    alice, bob, at = garden.cast.alice, garden.cast.bob, shared.address
    wire = slow_connection(shared.port)
    async with AsyncExitStack() as stack:
        slow = await stack.enter_async_context(live(at, bob, sock=wire, max_queue=1))
        reader = await stack.enter_async_context(live(at, bob))
        senders = [await stack.enter_async_context(live(at, alice)) for _ in range(4)]
        reading = asyncio.create_task(read_live(reader, 140))
        await asyncio.gather(*(send_many(garden, sender, 35) for sender in senders))

        assert await asyncio.wait_for(reading, 20) == 140
        assert await slow.close_code() == 4008


async def send_many(garden, socket, count):
    for _ in range(count):
        assert (await send(garden, socket, "x" * 30_000))["event"] == "reply"


async def read_live(socket, count):
    """Read until so many live frames have come; gives how many."""
    found = 0
    while found < count:
        found += (await socket.frame())["event"] == "message.live"
    return found


async def test_a_frame_over_64_kib_closes_with_1009(garden, shared):
    async with live(shared.address, garden.cast.alice) as socket:
        await socket.wire.send("x" * 65_537)

        assert await socket.close_code() == 1009


async def test_every_close_code_reaches_the_client(garden, shared):
    async with live(shared.address, garden.cast.alice) as socket:
        for _ in range(3):
            await socket.wire.send("no JSON")

        assert await socket.close_code() == 1008


async def test_the_code_of_a_refused_socket_reaches_the_client(garden, shared):
    alice = garden.cast.alice
    async with AsyncExitStack() as stack:
        for _ in range(10):
            await stack.enter_async_context(live(shared.address, alice))
        eleventh = await stack.enter_async_context(connected(shared.address, alice))

        assert await eleventh.close_code() == 1013


@pytest.mark.parametrize("name", SERVERS)
async def test_a_signal_tells_clients_to_move_and_closes_with_1012(garden, tmp_path, name):
    with serving(tmp_path, "--server", name) as server:
        async with live(server.address, garden.cast.alice) as socket:
            await send(garden, socket)
            server.process.send_signal(signal.SIGTERM)
            hint = await socket.push("reconnect")
            assert await socket.close_code() == 1012

        assert hint["within_ms"] > 0
        assert server.process.wait(5) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("name", SERVERS)
def test_an_idle_server_ends_within_two_seconds(db, tmp_path, name, number):
    with serving(tmp_path, "--server", name) as server:
        began = time.monotonic()

        assert server.end(number) == 0
        assert time.monotonic() - began < 2


def test_a_second_server_on_the_same_data_is_refused_with_one_sentence(db, tmp_path):
    with serving(tmp_path):
        second = Server(tmp_path)

        assert second.process.wait(20) == 1
        last = second.said().splitlines()[-1]
        assert last.startswith("CommandError: GAMRAE_DATA: another server uses")


@pytest.mark.parametrize("name", SERVERS)
def test_a_taken_port_is_named_in_one_sentence(db, tmp_path, name):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = Server(tmp_path, "--server", name, "--port", str(port))

        assert refused.process.wait(20) == 1
        last = refused.said().splitlines()[-1]
        assert last.startswith(f"CommandError: HOST, PORT: cannot listen at 127.0.0.1:{port}")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "abc"),
        ("GAMRAE_PROFILE", "moon"),
        ("GAMRAE_SERVER", "apache"),
        ("PUBLIC_URL", "chat.example.org"),
        ("TLS_CERT", "/only/one/of/two"),
        ("GAMRAE_FAST_SEND", "maybe"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_one_sentence_that_names_it(db, tmp_path, name, value):
    refused = Server(tmp_path, **{name: value})

    assert refused.process.wait(20) == 1
    assert refused.said().count("\n") == 1
    assert name in refused.said()


def test_an_old_database_stops_the_start_with_one_sentence(db, tmp_path):
    refused = Server(tmp_path, DATABASE_URL=f"sqlite:///{tmp_path / 'empty.sqlite3'}")

    assert refused.process.wait(20) == 1
    assert "run manage.py migrate first" in refused.said().splitlines()[-1]


async def test_plain_daphne_serves_the_application_too(garden, tmp_path):
    with plain_daphne(tmp_path) as address:
        await a_message_goes_its_way(garden, address)


def self_signed(folder):
    """Paths of a certificate for 127.0.0.1 and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(certificate.public_bytes(pem))
    (folder / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return str(folder / "cert.pem"), str(folder / "key.pem")
