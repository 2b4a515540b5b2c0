"""Every implementation of the three interfaces; the contract tests run against each of them.

A new implementation is one more entry here: a name, and an async context that gives a fresh one.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from messaging.broker import MessageQueue
from messaging.broker.in_process import InProcessQueue
from messaging.fanout import FanOut
from messaging.fanout.in_process import InProcessFanOut
from messaging.store import MessageLog
from messaging.store.relational import RelationalLog
from tests.messaging.memory import MemoryLog


@asynccontextmanager
async def in_process_queue() -> AsyncIterator[MessageQueue]:
    queue = InProcessQueue()
    await queue.start()
    yield queue
    await queue.stop()


@asynccontextmanager
async def relational_log() -> AsyncIterator[MessageLog]:
    yield RelationalLog()


@asynccontextmanager
async def memory_log() -> AsyncIterator[MessageLog]:
    yield MemoryLog()


@asynccontextmanager
async def in_process_fan_out() -> AsyncIterator[FanOut]:
    yield InProcessFanOut()


QUEUES: dict[str, Callable[[], AbstractAsyncContextManager[MessageQueue]]] = {
    "in_process": in_process_queue,
}
LOGS: dict[str, Callable[[], AbstractAsyncContextManager[MessageLog]]] = {
    "relational": relational_log,
    "memory": memory_log,
}
FAN_OUTS: dict[str, Callable[[], AbstractAsyncContextManager[FanOut]]] = {
    "in_process": in_process_fan_out,
}
