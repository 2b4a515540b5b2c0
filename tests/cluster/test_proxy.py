"""The deployers' proxy before two web processes: health, addresses, schemes, sizes, restarts."""

import signal
import ssl

import httpx
import pytest

from crypto_client.client.session import Session
from deploy.services.certificates import make_certificates
from tests.cli.terminal import Terminal
from tests.cluster.processes import own_database
from tests.cluster.proxied import ProxiedCluster

pytestmark = pytest.mark.slow

LARGEST = 4 * 1024 * 1024  # docs/wire.md: a body of POST …/commits
GUESSES_A_MINUTE = 30  # sign-ins from one address


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """A folder with a certificate of an authority that nobody knows but these tests."""
    return make_certificates(tmp_path_factory.mktemp("certificates")).parent


@pytest.fixture(scope="module")
def cluster(addresses, namespace, certificates, tmp_path_factory):
    with own_database(addresses, f"{namespace}_proxy") as settings:
        limits = {"LIMIT_SIGN_INS_PER_MINUTE": str(GUESSES_A_MINUTE)}
        folder = tmp_path_factory.mktemp("cluster")
        made = ProxiedCluster(folder, {**settings, **limits}, certificates)
        try:
            yield made.start()
        finally:
            made.stop()


@pytest.fixture
def whole_again(cluster):
    """A cluster of which the test may end what it likes."""
    yield cluster
    cluster.start()


@pytest.fixture
def visitor(cluster, certificates):
    """Make a client that comes from another address of this machine than everybody else."""
    trusting = ssl.create_default_context(cafile=certificates / "ca.pem")
    opened = []

    def make(source, entrance="any", **headers):
        way = httpx.HTTPTransport(verify=trusting, local_address=source)
        address = cluster.entrances[entrance].address
        opened.append(httpx.Client(base_url=address, transport=way, headers=headers, timeout=20))
        return opened[-1]

    yield make
    for client in opened:
        client.close()


def test_the_cluster_is_ready_through_the_proxy_as_long_as_one_web_process_is(whole_again, visitor):
    anybody = visitor("127.0.0.50")
    assert anybody.get("/healthz/ready").json() == {"status": "ready", "away": []}

    whole_again.one.end(signal.SIGKILL)
    answers = {anybody.get("/healthz/ready").status_code for _ in range(5)}
    answers |= {anybody.get("/healthz/live").status_code for _ in range(5)}
    whole_again.two.end(signal.SIGKILL)

    assert answers == {200}
    assert anybody.get("/healthz/ready").status_code == 502


def test_plain_http_is_sent_on_to_the_public_address(cluster):
    entrance = cluster.entrances["any"]

    answer = httpx.get(f"http://127.0.0.1:{entrance.plain_port}/rooms?x=1")

    assert answer.status_code == 308
    assert answer.headers["Location"] == f"{entrance.address}/rooms?x=1"


def test_security_headers_come_from_the_web_process_once(visitor):
    headers = visitor("127.0.0.51").get("/accounts/login/").headers

    for name in ("Content-Security-Policy", "Strict-Transport-Security", "X-Frame-Options"):
        assert len(headers.get_list(name)) == 1, name
    assert headers["Server"] == "nginx"


def test_a_forged_scheme_is_not_believed(visitor):
    answer = visitor("127.0.0.52", **{"X-Forwarded-Proto": "http"}).get("/accounts/login/")

    assert answer.status_code == 200


@pytest.mark.parametrize("name", ["X-Forwarded-Host", "Host"])
def test_a_forged_host_is_not_served(visitor, name):
    anybody = visitor("127.0.0.53", **{name: "elsewhere.example"})

    answer = anybody.get("/accounts/login/")

    assert "elsewhere.example" not in answer.text
    assert answer.status_code == (400 if name == "Host" else 200)


def guesses(visitor, forged=None, attempts=GUESSES_A_MINUTE + 1):
    """The status of each of these sign-ins, by default one more than an address may try."""

    def guess(number):
        headers = {"X-Forwarded-For": forged.format(number)} if forged else {}
        body = {"email": f"{number}@example.org", "password": "a wrong guess"}
        path = "/_allauth/app/v1/auth/login"
        return visitor.post(path, json=body, headers=headers).status_code

    return [guess(number) for number in range(attempts)]


@pytest.mark.parametrize(
    ("source", "forged"), [("61", None), ("62", "203.0.113.{}"), ("63", "127.0.0.1, 203.0.113.{}")]
)
def test_a_forged_address_does_not_escape_a_limit(visitor, source, forged):
    answers = guesses(visitor(f"127.0.0.{source}"), forged)

    assert answers[0] == 400
    assert answers[-1] == 429
    assert guesses(visitor(f"127.0.1.{source}"), attempts=1) == [400]


@pytest.mark.parametrize(("size", "status"), [(LARGEST, 401), (LARGEST + 1, 413)])
def test_the_largest_body_arrives_and_a_larger_one_does_not(visitor, size, status):
    body, headers = b"x" * size, {"Content-Type": "application/json"}

    answer = visitor("127.0.0.54").post("/api/rooms", content=body, headers=headers)

    assert answer.status_code == status


@pytest.fixture
def people(cluster, certificates, tmp_path, capsys, monkeypatch, request):
    """alice and bob at their terminals, friends, in the group garden."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates / "ca.pem"))
    address = cluster.entrance_of("bob").address

    def terminal(name):
        email = f"{name}.{request.node.name[:30]}@example.org".replace("_", "-")
        return Terminal(name, email, address, tmp_path / name, capsys).sign_up()

    alice, bob = terminal("alice"), terminal("bob")
    alice.befriend(bob)
    alice("room", "group", "garden", bob.email)
    return alice, bob


def test_a_web_process_that_ends_leaves_its_people_to_the_other(whole_again, people):
    alice, bob = people
    alice("send", "garden", "before", "--wait", "stored")

    whole_again.two.end(signal.SIGKILL)

    assert alice("send", "garden", "after", "--wait", "stored").row["state"] == "stored"
    assert bob.reads("garden") == ["before", "after"]


def test_without_any_web_process_a_command_says_that_nobody_is_reached(whole_again, people):
    alice, bob = people
    whole_again.end(signal.SIGTERM)

    commands = (["send", "garden", "nobody hears"], ["password", "--old", "x", "--new", "y"])
    ran = [alice(*words) for words in commands]
    whole_again.start()

    assert [(each.status, each.error) for each in ran] == [(3, "unreachable")] * 2
    alice("send", "garden", "after", "--wait", "stored")
    assert bob.reads("garden") == ["after"]


def test_a_reload_of_the_proxy_closes_no_open_socket(cluster, people):
    alice, bob = people
    with Session.open(bob.home, None, 20) as session:
        socket = session.messenger.socket
        cluster.entrance_of("bob").reload()
        alice("send", "garden", "over the reload")

        frame = socket.take(20)

    assert frame is not None
    assert frame["event"] == "message.live"
