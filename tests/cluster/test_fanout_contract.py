"""The fan-out contract against Redis."""

import pytest

from messaging.fanout.redis import RedisFanOut
from tests.cluster.contract import promises_of
from tests.messaging import test_fanout_contract

pytestmark = pytest.mark.slow
globals().update(promises_of(test_fanout_contract))


@pytest.fixture
async def fan_out(addresses, namespace):
    made = RedisFanOut(addresses["REDIS_URL"], addresses.get("REDIS_CA", ""), namespace)
    yield made
    await made.stop()
