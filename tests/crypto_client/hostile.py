"""A server that says whatever a test wants, and by default what a fair one would."""

import uuid
from dataclasses import dataclass, field
from typing import Any

from crypto_client.client.server import b64
from crypto_client.commit import Commit
from crypto_client.device_list import SignedDeviceList, parse_device_list
from crypto_client.key_log import SignedHead, label_of
from crypto_client.vectors.cast import Person, World
from crypto_client.vectors.key_log_cases import ServerLog


@dataclass
class KeyLogServer:
    """Gives out the logs of a server; the last one is written to."""

    logs: list[ServerLog]
    page: int = 1000
    asked: list[str] = field(default_factory=list)

    @property
    def log(self) -> ServerLog:
        return self.logs[-1]

    def get(self, path: str, after: int = 0) -> Any:
        self.asked.append(path)
        if path.endswith("/head"):
            rows = [(log.start.data, log.start.sig) for log in self.logs]
            starts = [{"log": b64(data), "log_sig": b64(sig)} for data, sig in rows]
            return {"logs": starts, **_head(self.log.head())}
        upto = min(after + self.page, len(self.log.leaves))
        leaves = [b64(leaf) for leaf in self.log.leaves[after:upto]]
        more = upto < len(self.log.leaves)
        return {"leaves": leaves, "more": more, **_head(self.log.head(upto))}


def _head(signed: SignedHead) -> dict[str, str]:
    return {"head": b64(signed.data), "head_sig": b64(signed.sig)}


@dataclass
class HostileServer:
    """Answers whatever the test puts here, by path."""

    answers: dict[str, Any] = field(default_factory=dict)
    keys: dict[bytes, Any] = field(default_factory=dict)
    stops_after: int = 1 << 32
    sent: list[tuple[str, Any]] = field(default_factory=list)
    key_log: KeyLogServer = field(default_factory=lambda: KeyLogServer([ServerLog(bytes(32))]))

    @staticmethod
    def of(cast: World) -> "HostileServer":
        """Has everybody's keys, with their leaves in its log."""
        server = HostileServer(keys={p.user: keys_of(p) for p in cast.people.values()})
        for person in cast.people.values():
            server.key_log.log.add(label_of(person.user), person.devices.list_hash)
        return server

    def get(self, path: str, **asked: Any) -> Any:
        if path.startswith("/api/key-log"):
            return self.key_log.get(path, **asked)
        answer = self.answers[path.rsplit("/", 1)[-1]]
        if asked.get("after", -1) >= self.stops_after:
            return {"commits": []}
        return answer

    def post(self, path: str, body: Any = None) -> Any:
        if path == "/api/users/keys":
            users = [uuid.UUID(wanted["user_id"]) for wanted in body["users"]]
            return {"users": [{**self.keys[user.bytes], "user_id": str(user)} for user in users]}
        self.sent.append((path, body))
        answer = self.answers.get(f"POST {path.rsplit('/', 1)[-1]}", {})
        return answer(body) if callable(answer) else answer

    def put(self, path: str, body: Any = None) -> Any:
        self.sent.append((path, body))
        return {}

    def was_sent(self, end: str) -> list[Any]:
        """The bodies of what was posted or put to paths with this end."""
        return [body for path, body in self.sent if path.endswith(end)]

    def user_keys(self, user: uuid.UUID, *, after_version: int = 0) -> Any:
        return self.keys[user.bytes]


def wire(commit: Commit, epoch: int) -> dict[str, Any]:
    """A commit as REST gives it."""
    names = ("core", "tag", "sig", "ops", "state")
    return {"epoch": epoch, **{name: b64(getattr(commit, name)) for name in names}}


def list_row(signed: SignedDeviceList) -> dict[str, Any]:
    """A device list as REST gives it."""
    version = parse_device_list(signed.data).version
    return {"version": version, "device_list": b64(signed.data), "list_sig": b64(signed.sig)}


def keys_of(person: Person, *, lists: bool = True) -> dict[str, Any]:
    """What a server says of somebody's keys."""
    prekey = {
        "device_id": str(uuid.UUID(bytes=person.keys.device)),
        "prekey": b64(person.prekey.data),
        "prekey_sig": b64(person.prekey.sig),
    }
    return {
        "account_key": b64(person.account.public),
        "lists": [list_row(person.devices)] if lists else [],
        "prekeys": [prekey],
    }
