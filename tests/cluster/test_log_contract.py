"""The log contract against MongoDB or what speaks its protocol."""

import pytest

from messaging.store.mongo import MongoLog
from tests.cluster.contract import promises_of
from tests.messaging import test_log_contract
from tests.messaging.records import OTHER_ROOM, ROOM

pytestmark = pytest.mark.slow
globals().update(promises_of(test_log_contract))


@pytest.fixture
async def log(addresses):
    made = MongoLog(addresses["MONGO_URL"], addresses.get("MONGO_CA", ""))
    for room in (ROOM, OTHER_ROOM):
        await made.delete_room(room)
    yield made
    made.close()
