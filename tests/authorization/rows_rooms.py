"""Rows of "Rooms and their chains" in docs/wire.md, asked in `garden`: dave has left it."""

from typing import Any
from uuid import UUID

from accounts.protocol import to_base64url
from crypto_client.history import EpochName, HistoryWriter, seal_history
from crypto_client.recovery import backup_public
from tests.authorization.table import Row, Scene, plain
from tests.cast import Cast, keys_of
from tests.rooms.forging import forge
from tests.rooms.garden import Chain, genesis_of, make_garden, parts_json, wraps_json

ROOM = "/api/rooms/{room}"
SIGNED_IN = (401, 200, 200, 200, 200, 200)
NO_DEVICE = (401, 403, 403, 403, 403, 403)
READERS = (401, 404, 200, 200, 200, 404)
READERS_DO = (401, 404, 204, 204, 204, 404)


def in_garden(cast: Cast) -> Scene:
    """`garden`, with dave gone."""
    garden = make_garden(cast)
    return {**plain(cast), "room": garden.id, "garden": garden}


def named(actor: str) -> str:
    return "mallory" if actor == "anonymous" else actor


def direct_room(scene: Scene, actor: str) -> Any:
    """A direct room with bob, or with alice for everybody but her."""
    commit = Chain().direct(named(actor), "bob" if actor == "alice" else "alice")
    return {
        "genesis": to_base64url(genesis_of(commit)),
        "commit": parts_json(commit),
        "wraps": wraps_json(commit),
    }


def rotation(scene: Scene, actor: str) -> Any:
    sent, wraps = forge(scene["garden"].chain, named(actor), [])
    rows = [
        {"device_id": str(device), "wrap": to_base64url(wrap)} for device, wrap in wraps.items()
    ]
    parts = {name: to_base64url(getattr(sent, name)) for name in type(sent).__slots__}
    return {**parts, "wraps": rows}


def leave(scene: Scene, actor: str) -> Any:
    members = {UUID(bytes=row.user) for row in scene["garden"].chain.head.roster}
    name = actor if scene.get(actor) in members else "bob"
    return {"statement": to_base64url(scene["garden"].leave_statement(name).encode())}


def history_of_epoch_0(scene: Scene, actor: str) -> Any:
    keys, chain = keys_of(named(actor)), scene["garden"].chain
    backup = backup_public(keys.recovery_key, keys.account.user, 1)
    name = EpochName(chain.head.room, 0, chain.commits[0].hash)
    record = seal_history(HistoryWriter(keys.device, 1, backup), name, bytes(32))
    item = {
        "epoch": 0,
        "commit_hash": to_base64url(name.commit_hash),
        "bk_version": 1,
        "record": to_base64url(record.record),
        "sig": to_base64url(record.sig),
    }
    return {"records": [item]}


def read_0(scene: Scene, actor: str) -> Any:
    return {"epochs": [0]}


def in_room(method: str, path: str, statuses: Any, body: Any = None, device: bool = True) -> Row:
    return Row(method, ROOM + path, statuses, body=body, scene=in_garden, device=device)


ROWS = [
    Row("GET", "/api/rooms", SIGNED_IN),
    Row("POST", "/api/rooms", NO_DEVICE, body=direct_room),
    Row("POST", "/api/rooms", (401, 403, 403, 201, 201, 403), body=direct_room, device=True),
    in_room("GET", "", READERS, device=False),
    in_room("DELETE", "", NO_DEVICE, device=False),
    in_room("DELETE", "", (401, 404, 403, 403, 204, 404)),
    in_room("GET", "/commits", READERS, device=False),
    in_room("POST", "/commits", NO_DEVICE, rotation, device=False),
    in_room("POST", "/commits", (401, 404, 403, 201, 201, 404), rotation),
    in_room("GET", "/prekeys", NO_DEVICE, device=False),
    in_room("GET", "/prekeys", (401, 404, 403, 200, 200, 404)),
    in_room("GET", "/wraps", NO_DEVICE, device=False),
    in_room("GET", "/wraps", READERS),
    in_room("POST", "/wraps/ack", NO_DEVICE, read_0, device=False),
    in_room("POST", "/wraps/ack", READERS_DO, read_0),
    in_room("GET", "/history-records", READERS, device=False),
    in_room("PUT", "/history-records", NO_DEVICE, history_of_epoch_0, device=False),
    in_room("PUT", "/history-records", READERS_DO, history_of_epoch_0),
    in_room("POST", "/leave", NO_DEVICE, leave, device=False),
    # dave repeats his leave; alice is the last admin
    in_room("POST", "/leave", (401, 404, 204, 204, 409, 404), leave),
    in_room("POST", "/hide", READERS_DO, device=False),
    in_room("GET", "/items", READERS, device=False),
]
