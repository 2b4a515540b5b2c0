"""bob's home folder: what his command-line client keeps, and what a hostile server shows it."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from crypto_client.body import parse_body, text_body
from crypto_client.client.inbox import Arrival, Inbox
from crypto_client.client.keys import keep_list
from crypto_client.client.outbox import Outbox
from crypto_client.client.rooms import Rooms
from crypto_client.client.server import b64
from crypto_client.client.store import Store
from crypto_client.client.sync import Messenger
from crypto_client.commit import Commit
from crypto_client.device_list import first_device_list
from crypto_client.envelope import Sealed, seal_message
from crypto_client.epoch import RoomView
from crypto_client.identity import AccountKey, new_device
from crypto_client.prekeys import new_prekey
from crypto_client.ratchet import EpochState
from crypto_client.receiving import Received
from crypto_client.vectors.cast import NOW, Person, World, person
from tests.crypto_client.hostile import HostileServer, wire


@dataclass
class Writer:
    """Somebody who writes in the garden; every sealing uses their next counter."""

    who: Person
    state: EpochState

    def seal(self, text: str, msg_id: bytes, seen: tuple[int, bytes] | None = None) -> Sealed:
        body = text_body(text, seen=seen)
        sealed = seal_message(self.state, self.who.keys, body, msg_id=msg_id, time=NOW)
        self.state = sealed.epoch
        return sealed


@dataclass
class Home:
    """bob's home folder, in the room of alice and bob."""

    store: Store
    rooms: Rooms
    inbox: Inbox
    room: bytes

    def live(self, envelope: bytes, room: bytes | None = None) -> None:
        self.inbox.message(Arrival(room or self.room, envelope, None, NOW, 1, b""))

    def stored(self, envelope: bytes, seq: int) -> None:
        stamp = {"accepted_ms": NOW, "key_id": 1, "stamp": ""}
        item = {"kind": "message", "envelope": b64(envelope), "seq": seq, **stamp}
        self.inbox.item(self.room, item)

    def shown(self) -> list[tuple[int | None, str | None, str]]:
        """(place, text or None, outcome) of each message, by place."""
        rows = self.store.rows("SELECT seq, body, outcome FROM messages ORDER BY seq")
        return [
            (row["seq"], parse_body(row["body"]).text if row["body"] else None, row["outcome"])
            for row in rows
        ]

    def trouble(self) -> str:
        return self.rooms.trouble(self.room)


class EmptyPages:
    """Answers every sync with an empty page of a log that ends at ``head``."""

    def __init__(self, room: bytes, head: int) -> None:
        ends = {"items": [], "upto": head, "head": head, "more": False}
        self.page = {"event": "sync.page", "room_id": str(uuid.UUID(bytes=room)), **ends}

    def ask(self, event: str, **_: Any) -> Any:
        assert event == "sync"
        return {"rooms": 1}

    def waiting(self, wanted: Callable[[Any], bool]) -> list[Any]:
        return [frame for frame in [self.page] if wanted(frame)]


class Accepting:
    """A socket that accepts every message."""

    def ask(self, event: str, **values: Any) -> Any:
        assert event == "message.send"
        return {"state": "accepted"}


@dataclass
class Member:
    """bob's client in the garden, and the server that it asks."""

    cast: World
    server: HostileServer
    home: Home
    received: dict[str, Received]

    @property
    def rooms(self) -> Rooms:
        return self.home.rooms

    @property
    def view(self) -> RoomView:
        """What bob saw of the room at first."""
        return self.received["bob"].view

    @property
    def head(self) -> RoomView:
        """What bob's client has verified by now."""
        view = self.rooms.view(self.home.room)
        assert view is not None
        return view

    def pins(self, person: Person) -> None:
        keep_list(self.rooms.store, person.user, person.account.public, person.devices, 1)

    def is_shown(self, *commits: Commit, after: int | None = None, wraps: bool = True) -> str:
        """Let the server show these commits, each with bob's wrap; gives what did not verify."""
        view = self.rooms.view(self.home.room)
        first = (view.epoch if view else -1) + 1 if after is None else after + 1
        numbered = list(enumerate(commits, first))
        own = self.cast.bob.keys.device
        rows = [(epoch, commit.wraps.get(own)) for epoch, commit in numbered]
        self.server.answers["commits"] = {"commits": [wire(c, epoch) for epoch, c in numbered]}
        self.server.answers["wraps"] = {
            "wraps": [{"epoch": e, "wrap": b64(w)} for e, w in rows if w and wraps]
        }
        self.server.answers["prekeys"] = {"prekeys": b64(commits[-1].prekeys)}
        self.server.stops_after = first + len(commits) - 1
        self.rooms.try_follow(self.home.room)
        return self.home.trouble()

    def syncs(self, head: int) -> None:
        """Ask for news of the room; the server says that its log ends at ``head``, as before."""
        rooms, pages = self.rooms, EmptyPages(self.home.room, head)
        Messenger(rooms.store, rooms.server, rooms.keyring, pages).sync([self.home.room])  # type: ignore[arg-type]

    def server_gives_back(self, *, with_wrap: bool = True) -> None:
        """The server takes every commit, and shows it afterwards."""

        def taken(body: Any) -> Any:
            item = {**body, "epoch": self.head.epoch + 1}
            own = str(uuid.UUID(bytes=self.cast.bob.keys.device))
            wraps = {row["device_id"]: row["wrap"] for row in body["wraps"]}
            self.server.answers["commits"] = {"commits": [item]}
            self.server.answers["prekeys"] = {"prekeys": body["prekeys"]}
            kept = [{"epoch": item["epoch"], "wrap": wraps[own]}] if with_wrap else []
            self.server.answers["wraps"] = {"wraps": kept}
            self.server.stops_after = item["epoch"]
            return {}

        self.server.answers["POST commits"] = taken

    def writes(self, text: str = "hello") -> str:
        """Send a text by a server that accepts every message; gives its state."""
        outbox = Outbox(self.rooms.store, self.rooms, self.home.inbox, Accepting())  # type: ignore[arg-type]
        message = outbox.keep(self.home.room, text)
        outbox.deliver(message)
        return str(outbox.state(message)["state"])

    def forgets_the_room(self) -> None:
        """Make a newcomer of bob: he has never seen a commit of this room."""
        self.rooms.store.run("UPDATE rooms SET view = NULL")
        self.rooms.store.run("DELETE FROM epochs")


def impostor_of(who: Person) -> Person:
    """Another account key and device under the user id of somebody."""
    made = person(f"impostor of {who.name}")
    account = AccountKey(who.user, made.account.seed)
    keys = new_device(who.user, account.public, NOW)
    devices = first_device_list(account, [keys.entry()], time=NOW, bk_pub=bytes(1216))
    seed, prekey = new_prekey(keys, seq=1, created=NOW)
    return replace(
        who, account=account, keys=keys, devices=devices, prekey_seed=seed, prekey=prekey
    )
