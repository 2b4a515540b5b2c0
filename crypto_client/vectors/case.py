"""What a vector is made of, and short ways to write its inputs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crypto_client.commit import Commit
from crypto_client.device_list import SignedDeviceList
from crypto_client.encoding import encode_base64url as b64
from crypto_client.epoch import RoomView, view_to_json
from crypto_client.vectors.cast import Person, World


@dataclass(frozen=True)
class Case:
    """One vector before it is replayed: where it goes, why, and the outcome it must have."""

    name: str
    comment: str
    spec: str
    op: str
    given: Mapping[str, Any]
    expect: str = "ok"


def signed_in(signed: SignedDeviceList) -> dict[str, str]:
    """Write a signed list."""
    return {"data": b64(signed.data), "sig": b64(signed.sig)}


def commit_bytes(commit: Commit, device: bytes | None = None) -> dict[str, Any]:
    """Write a commit, with the wrap of one device at most, as a server hands it out."""
    wraps = [[b64(d), b64(wrap)] for d, wrap in commit.wraps.items() if d == device]
    return {
        "core": b64(commit.core),
        "tag": b64(commit.tag),
        "sig": b64(commit.sig),
        "ops": b64(commit.ops),
        "state": b64(commit.state),
        "prekeys": b64(commit.prekeys),
        "wraps": wraps,
    }


def commit_in(
    cast: World,
    view: RoomView | None,
    commit: Commit,
    reader: Person,
    room: bytes,
    **more: Any,
) -> dict[str, Any]:
    """Write the inputs of ``receive_commit`` for a reader who has every list and pin."""
    pins = {p.user: p.account.public for p in cast.people.values()}
    lists = [*cast.lists.values(), *more.pop("lists", [])]
    source = {
        "user": b64(reader.user),
        "device": b64(reader.keys.device),
        "prekeys": [[b64(reader.prekey.prekey_hash), b64(reader.prekey_seed)]],
    }
    return {
        "view": None if view is None else view_to_json(view),
        "room": b64(room),
        "commit": commit_bytes(commit, reader.keys.device),
        "lists": [signed_in(signed) for signed in lists],
        "pins": [[b64(user), b64(pin)] for user, pin in {**pins, **more.pop("pins", {})}.items()],
        "server_key": None,
        "source": source,
        **more,
    }
