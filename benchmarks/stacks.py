"""What is compared: our server in each profile, and peers that do less."""

import contextlib
from collections.abc import Iterator, Sequence

from benchmarks import servers
from benchmarks.clients import AskingSocketIoClient, GamraeClient, PlainClient, SocketIoClient
from benchmarks.load import Shape, Stack
from benchmarks.servers import Settings

OURS = ("daphne", "uvicorn")
PEER = "socket.io+amqplib"


def sizes(shapes: Sequence[Shape]) -> list[int]:
    """How many people each room has that these shapes need."""
    rooms: dict[int, int] = {}
    for shape in shapes:
        rooms[shape.people] = max(shape.rooms, rooms.get(shape.people, 0))
    return [size for size, number in rooms.items() for _ in range(number)]


@contextlib.contextmanager
def solo(server: str, shapes: Sequence[Shape]) -> Iterator[tuple[Stack, float]]:
    """One process with everything in it, and the seconds it took to begin."""
    with servers.solo() as settings:
        gardens = servers.plant(settings, sizes(shapes))
        with servers.serving(settings, server) as web:
            name = f"{server} solo"
            yield Stack(name, GamraeClient, (web.address,), (web.pid,), (), gardens), web.took


@contextlib.contextmanager
def cluster(
    shapes: Sequence[Shape], processes: int, kinds: Sequence[str] = OURS, *, peers: bool = False
) -> Iterator[list[Stack]]:
    """Our web processes under each server, an archiver, and the peers on the same services."""
    with servers.cluster() as (settings, groups), contextlib.ExitStack() as stack:
        gardens = servers.plant(settings, sizes(shapes))
        around = (*groups, stack.enter_context(servers.archiving(settings)).pid)
        found = []
        for kind in kinds:
            web = [stack.enter_context(servers.serving(settings, kind)) for _ in range(processes)]
            where, pids = tuple(one.address for one in web), tuple(one.pid for one in web)
            name = f"{kind} cluster" + (f" x{processes}" if processes > 1 else "")
            found.append(Stack(name, GamraeClient, where, pids, around, gardens))
        if peers:
            found += _peers(stack, settings, found[0])
        yield found


def _peers(stack: contextlib.ExitStack, settings: Settings, ours: Stack) -> list[Stack]:
    writer = stack.enter_context(servers.peer("writer.mjs", settings))
    durable = {**settings, "DURABLE": "1"}
    started = [
        (PEER, SocketIoClient, servers.peer("socketio.mjs", settings)),
        ("the same, durable", AskingSocketIoClient, servers.peer("socketio.mjs", durable)),
        ("ws, no queue", PlainClient, servers.peer("plain.mjs")),
        ("picows, no queue", PlainClient, servers.peer("floor.py")),
    ]
    found = []
    for name, client, server in started:
        one = stack.enter_context(server)
        around = (*ours.around, writer.pid)
        found.append(Stack(name, client, (one.address,), (one.pid,), around, ours.gardens))
    return found
