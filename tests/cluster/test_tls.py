"""TLS to every service: verified by its authority and its name, or not spoken."""

import os
import subprocess
import sys

import pytest

from accounts.refusals import Refused
from deploy.services.certificates import make_certificates
from messaging.broker.rabbitmq import RabbitQueue
from messaging.fanout.redis import RedisFanOut
from messaging.store import StoreUnavailable
from messaging.store.mongo import MongoLog
from tests.cluster.gateway import Gateway
from tests.cluster.own_services import private_services
from tests.cluster.queues import own_queues
from tests.e2e.site import ROOT
from tests.messaging.records import ROOM, message
from tests.messaging.test_fanout_contract import Listener

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def secure(tmp_path_factory):
    """The settings of services that speak TLS only."""
    with private_services(tmp_path_factory.mktemp("secure"), "--tls") as settings:
        yield settings


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    """The authority of somebody else."""
    return str(make_certificates(tmp_path_factory.mktemp("stranger")))


@pytest.fixture
def misnamed(secure, request):
    """A service's address under a name that its certificate does not have."""
    door = Gateway(secure[request.param], "127.0.0.2")
    yield door.url
    door.shut()


def named(setting):
    return pytest.mark.parametrize("misnamed", [setting], indirect=True)


async def test_a_verified_broker_takes_messages(secure):
    async with own_queues(secure) as queue:
        await queue.publish(message(1))

        assert [each.record for each in await queue.deliveries(1, 10)] == [message(1)]


async def publish_once(url, ca):
    queue = RabbitQueue(url, ca)
    try:
        await queue.publish(message(1))
    finally:
        await queue.stop()


async def test_a_broker_of_another_authority_gets_nothing(secure, stranger):
    with pytest.raises(Refused, match="unavailable"):
        await publish_once(secure["BROKER_URL"], stranger)


@named("BROKER_URL")
async def test_a_broker_of_another_name_gets_nothing(misnamed, secure):
    with pytest.raises(Refused, match="unavailable"):
        await publish_once(misnamed, secure["BROKER_CA"])


async def head_of(url, ca):
    log = MongoLog(url, ca)
    try:
        return await log.heads({ROOM})
    finally:
        log.close()


async def test_a_verified_log_answers(secure):
    assert await head_of(secure["MONGO_URL"], secure["MONGO_CA"]) == {ROOM: 0}


async def test_a_log_of_another_authority_is_not_asked(secure, stranger):
    with pytest.raises(StoreUnavailable):
        await head_of(secure["MONGO_URL"], stranger)


@named("MONGO_URL")
async def test_a_log_of_another_name_is_not_asked(misnamed, secure):
    with pytest.raises(StoreUnavailable):
        await head_of(f"{misnamed}&directConnection=true", secure["MONGO_CA"])


async def heard(url, ca, truth):
    """Whether a payload that goes through ``url`` arrives at somebody who listens for sure."""
    listener, sure, tried = Listener(), RedisFanOut(*truth), RedisFanOut(url, ca)
    try:
        await sure.join(ROOM, listener)
        await tried.publish(ROOM, b"tried")
        await sure.publish(ROOM, b"sure")
        return (await listener.next())[1] == b"tried"
    finally:
        await sure.stop()
        await tried.stop()


async def test_a_verified_redis_carries_payloads(secure):
    truth = (secure["REDIS_URL"], secure["REDIS_CA"])

    assert await heard(*truth, truth)


async def test_a_redis_of_another_authority_carries_nothing(secure, stranger):
    truth = (secure["REDIS_URL"], secure["REDIS_CA"])

    assert not await heard(secure["REDIS_URL"], stranger, truth)


@named("REDIS_URL")
async def test_a_redis_of_another_name_carries_nothing(misnamed, secure):
    truth = (secure["REDIS_URL"], secure["REDIS_CA"])

    assert not await heard(misnamed, secure["REDIS_CA"], truth)


ASK = "from django.db import connection as c; c.cursor().execute('select 1'); print('asked')"


def asked(settings, **changes):
    """Whether Django, with these settings, gets an answer of the database."""
    environment = {
        **os.environ,
        **settings,
        "GAMRAE_PROFILE": "cluster",
        "SECRET_KEY": "k" * 40,
        **changes,
    }
    ran = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", ASK],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    return ran.stdout.strip() == "asked"


def test_a_verified_database_is_asked(secure):
    assert asked(secure)


def test_a_database_of_another_authority_is_not_asked(secure, stranger):
    assert not asked(secure, DATABASE_CA=stranger)


@named("DATABASE_URL")
def test_a_database_of_another_name_is_not_asked(misnamed, secure):
    assert not asked(secure, DATABASE_URL=misnamed)


def test_a_database_that_speaks_only_tls_is_not_asked_without(secure):
    assert not asked(secure, DATABASE_CA="")
