"""The registry of frames is docs/wire.md, and the browser's is the same."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from accounts.protocol import to_base64url
from messaging import frames
from messaging.consumers import ChatConsumer
from messaging.frames import FROM_CLIENT, FROM_SERVER, Unreadable, parse_frame

ROOT = Path(__file__).resolve().parent.parent.parent
WIRE = (ROOT / "docs" / "wire.md").read_text()
BROWSER = (ROOT / "frontend" / "src" / "engine" / "frames.ts").read_text()
ID = "0b1c2d3e-4f50-4617-8293-a4b5c6d7e8f9"

GOOD: dict[str, dict[str, Any]] = {
    "device.prove": {"device_id": ID, "signature": to_base64url(bytes(64))},
    "message.send": {"room_id": ID, "envelope": to_base64url(bytes(500))},
    "sync": {"rooms": {ID: 0}},
    "heads": {},
    "cursor.move": {"room_id": ID, "delivered_to": 3, "read_to": 2},
    "ping": {"t": 1},
}


def table(heading: str) -> dict[str, str]:
    """event → members of a table of docs/wire.md."""
    section = WIRE.split(f"### {heading}\n")[1].split("\n### ")[0]
    rows = re.findall(r"^\| `([a-z_.]+)` \| (.*?) \|", section, re.MULTILINE)
    return {event: members.split(" (over")[0] for event, members in rows}


def members_in(cell: str) -> set[str]:
    """The names in a cell such as ``ref, rooms: {room_id: cursor}``; `?` stays on the optional."""
    while (flat := re.sub(r"\[[^][]*\]|\{[^{}]*\}", "", cell)) != cell:
        cell = flat
    names = (name.strip(" `").split(":")[0] for name in cell.split(","))
    return {name for name in names if re.fullmatch(r"[a-z0-9_]+\??", name)}


def says(event: str, **members: object) -> str:
    return json.dumps({"event": event, "ref": "1", **members})


def refusal(text: str | None) -> Unreadable:
    with pytest.raises(Unreadable) as refused:
        parse_frame(text)
    return refused.value


def test_the_clients_events_are_those_of_the_page():
    written = {
        event: members_in(cell) - {"ref"} for event, cell in table("From the client").items()
    }

    assert written == {
        event: {*grammar.required, *(f"{name}?" for name in grammar.optional)}
        for event, grammar in FROM_CLIENT.items()
    }


def test_the_servers_events_are_those_of_the_page():
    written = {event: members_in(cell) for event, cell in table("From the server").items()}

    assert written == {event: set(members) for event, members in FROM_SERVER.items()}


def test_the_browser_knows_the_same_events_of_a_client():
    listed = re.search(r"CLIENT_EVENTS = \[(.*?)\]", BROWSER, re.DOTALL)

    assert listed
    assert set(re.findall(r'"([a-z_.]+)"', listed[1])) == set(FROM_CLIENT)


def test_the_browser_knows_the_same_events_of_the_server():
    listed = re.search(r"SERVER_EVENTS.*?= \{\n(.*?)\n\};", BROWSER, re.DOTALL)

    assert listed
    events = re.findall(r'^  "?([a-z_.]+)"?: ', listed[1], re.MULTILINE)
    assert set(events) == set(FROM_SERVER)


def test_the_socket_has_a_method_for_each_event_and_no_other():
    methods = {name for name in vars(ChatConsumer) if name.startswith("on_")}

    assert methods == {"on_" + event.replace(".", "_") for event in FROM_CLIENT}


def test_every_event_has_a_good_frame_here():
    assert GOOD.keys() == FROM_CLIENT.keys()


@pytest.mark.parametrize("event", GOOD)
def test_a_good_frame_is_read(event):
    request = parse_frame(says(event, **GOOD[event]))

    assert (request.event, request.ref) == (event, "1")
    assert request.members.keys() == GOOD[event].keys()


@pytest.mark.parametrize("event", [event for event in GOOD if FROM_CLIENT[event].required])
def test_a_missing_member_is_invalid(event):
    for name in FROM_CLIENT[event].required:
        members = {key: value for key, value in GOOD[event].items() if key != name}

        assert refusal(says(event, **members)).code == "invalid"


@pytest.mark.parametrize("event", GOOD)
def test_an_unknown_member_is_invalid_and_the_ref_is_answered(event):
    refused = refusal(says(event, **GOOD[event], surplus=1))

    assert (refused.code, refused.ref) == ("invalid", "1")


@pytest.mark.parametrize("value", [None, True, 1, -1, 1.5, 2**53, "", "x", [], [1], {}, {"a": 1}])
@pytest.mark.parametrize("event", [event for event in GOOD if GOOD[event]])
def test_a_member_of_the_wrong_type_is_invalid(event, value):
    for name, good in GOOD[event].items():
        is_right = type(value) is type(good) and value in (1, {})
        if is_right:
            continue
        assert refusal(says(event, **{**GOOD[event], name: value})).code == "invalid"


@pytest.mark.parametrize("ref", [None, "", "r" * 37, 1, ["1"], {}])
def test_a_frame_without_a_usable_ref_is_invalid(ref):
    refused = refusal(json.dumps({"event": "ping", "t": 1, "ref": ref}))

    assert (refused.code, refused.ref) == ("invalid", None)


@pytest.mark.parametrize(
    "bad",
    [ID.upper(), ID.replace("-", ""), "{" + ID + "}", ID + " ", "urn:uuid:" + ID, ID[:-1] + "g"],
)
def test_an_id_has_one_spelling(bad):
    assert refusal(says("cursor.move", room_id=bad)).code == "invalid"


@pytest.mark.parametrize("bad", ["AA==", "A", "AB", "A+", "A/", "A A", "Ä", "AA\n"])
def test_bytes_have_one_spelling(bad):
    assert refusal(says("message.send", room_id=ID, envelope=bad)).code == "invalid"


def test_two_hundred_rooms_may_be_synced_and_no_more():
    rooms = {f"00000000-0000-4000-8000-{number:012x}": 0 for number in range(201)}

    assert refusal(says("sync", rooms=rooms)).code == "invalid"
    rooms.popitem()
    assert len(parse_frame(says("sync", rooms=rooms)).members["rooms"]) == 200


@pytest.mark.parametrize(
    "text", [None, "", "[]", "{}", '{"event":"x"}', '{"event":null}', "{" * 999]
)
def test_what_names_no_event_is_a_protocol_error(text):
    assert refusal(text).code == "protocol"


def test_makers_make_what_the_page_says():
    assert json.loads(frames.reply("1", t=2)) == {"event": "reply", "ref": "1", "t": 2}
    assert json.loads(frames.error("1", "busy", 50)) == {
        "event": "error",
        "ref": "1",
        "code": "busy",
        "retryable": True,
        "retry_after_ms": 50,
    }
    assert json.loads(frames.error(None, "protocol")) == {
        "event": "error",
        "code": "protocol",
        "retryable": False,
    }
