"""Sockets that only wait: the memory that each holds, and what keeping them costs."""

import asyncio
import time

import uvloop

from benchmarks import servers, stacks
from benchmarks.accounting import cpu_seconds, resident_bytes
from benchmarks.load import Shape, Stack, connect
from benchmarks.results import Result
from benchmarks.tally import Tally

# 10 sockets of each person for each of the two processes, as many as they admit.
SOCKETS = Shape("idle", rooms=10, people=50, sockets_each=20, rate=0, seconds=0)
WAIT_SECONDS = 60  # in which each is once asked whether its session still lives


def ten_thousand_idle() -> list[Result]:
    """10,000 sockets over two web processes of the cluster, under each server in turn."""
    servers.allow_many_sockets()
    with stacks.cluster([SOCKETS], processes=2) as found:
        return [result for stack in found for result in uvloop.run(_idle(stack))]


async def _idle(stack: Stack) -> list[Result]:
    sockets = SOCKETS.rooms * SOCKETS.people * SOCKETS.sockets_each
    memory, cpu = _memory(stack), _cpu(stack)
    began = time.perf_counter()
    clients = await connect(stack, stack.gardens, SOCKETS.sockets_each, Tally({}, 0))
    took, opening = time.perf_counter() - began, _cpu(stack) - cpu
    held, cpu = _memory(stack) - memory, _cpu(stack)
    await asyncio.sleep(WAIT_SECONDS)
    idle = _cpu(stack) - cpu
    for client in clients:
        client.close()
    return [
        Result(SOCKETS.name, stack.name, "sockets", "sockets", len(clients)),
        Result(SOCKETS.name, stack.name, "opened and proved in", "s", took),
        Result(SOCKETS.name, stack.name, "opening, web CPU", "ms/socket", 1000 * opening / sockets),
        Result(SOCKETS.name, stack.name, "memory", "kB/socket", held / sockets / 1000),
        Result(
            SOCKETS.name, stack.name, "waiting, web CPU", "% of a core", 100 * idle / WAIT_SECONDS
        ),
    ]


def _memory(stack: Stack) -> int:
    return sum(map(resident_bytes, stack.web))


def _cpu(stack: Stack) -> float:
    return sum(map(cpu_seconds, stack.web))
