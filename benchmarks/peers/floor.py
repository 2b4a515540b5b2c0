"""A broadcast with picows on uvloop and nothing around it: about the least that Python can do."""

import time
from collections import defaultdict

import orjson
import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server

ROOMS: defaultdict[str, set[WSTransport]] = defaultdict(set)


class Member(WSListener):
    """One socket of one room."""

    room: set[WSTransport]

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Join, or pass on to everybody here."""
        if frame.msg_type is not WSMsgType.TEXT:
            return
        message = orjson.loads(frame.get_payload_as_bytes())
        if message["event"] == "join":
            self.room = ROOMS[message["room_id"]]
            self.room.add(transport)
            transport.send(WSMsgType.TEXT, b'{"event":"joined"}')
            return
        text = orjson.dumps({**message, "accepted_ms": time.time_ns() // 1_000_000})
        for each in self.room:
            each.send(WSMsgType.TEXT, text)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """Leave."""
        self.room.discard(transport)


def listener(_request: WSUpgradeRequest) -> WSListener:
    """A member for each connection."""
    return Member()


async def main() -> None:
    """Serve until the process is told to end."""
    server = await ws_create_server(listener, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    print(f"Peer: http://127.0.0.1:{port}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
