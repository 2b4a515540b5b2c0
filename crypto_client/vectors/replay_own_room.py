"""Replays the vectors of the own room and of comparing codes; README.md defines every ``op``."""

from collections.abc import Callable

from crypto_client.body import parse_body
from crypto_client.own_room import (
    DeviceName,
    KeptNote,
    Note,
    Place,
    Slot,
    is_own_origin,
    keep_note,
    read_note,
)
from crypto_client.safety import compare_code, safety_code
from crypto_client.vectors.replay_objects import Outputs, Values, raw, text


def _own_origin(v: Values) -> Outputs:
    return {"own": is_own_origin(raw(v["data"]), raw(v["user"]), raw(v["amk_pub"]))}


def _described(note: Note) -> list[object]:
    if isinstance(note, DeviceName):
        return ["device", text(note.device), note.name]
    return ["verified", text(note.user), text(note.account), note.is_set]


def _own_notes(v: Values) -> Outputs:
    kept: dict[Slot, KeptNote] = {}
    rooms = [raw(room) for room in v["rooms"]]
    for room, seq, author, body in v["notes"]:
        note = read_note(parse_body(raw(body)), author=raw(author), own=raw(v["user"]))
        if note is not None:
            kept = dict(keep_note(kept, KeptNote(note, Place(raw(room), seq)), rooms))
    return {"kept": [_described(kept[slot].note) for slot in sorted(kept)]}


def _pair(v: tuple[str, str]) -> tuple[bytes, bytes]:
    return raw(v[0]), raw(v[1])


def _safety_code(v: Values) -> Outputs:
    one, other = _pair(v["one"]), _pair(v["other"])
    if v["code"] is not None:
        compare_code(raw(v["code"]), one, other)
    return {"code": text(safety_code(one, other))}


OWN_ROOM_OPS: dict[str, Callable[[Values], Outputs]] = {
    "own_origin": _own_origin,
    "own_notes": _own_notes,
    "safety_code": _safety_code,
}
