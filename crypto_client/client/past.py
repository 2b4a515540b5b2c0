"""Rooms as a device finds them that has just entered: chains from epoch 0, then their history."""

import json
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from crypto_client.client.changes import describe
from crypto_client.client.former_keys import former_keys
from crypto_client.client.many_keys import fetch_lists
from crypto_client.client.rooms import Rooms
from crypto_client.client.server import JSON, Server, unb64
from crypto_client.client.wire_commits import commit_of
from crypto_client.commit import parse_core
from crypto_client.epoch import RoomView, view_to_json
from crypto_client.errors import ListRollbackError
from crypto_client.history import EpochName, HistoryRecord
from crypto_client.ops import Add, Create, Op, Refresh, parse_ops
from crypto_client.receiving import receive_commit
from crypto_client.restoring import Link, OwnHistory, Past, reopen_past

PAGE = 100


class PastRooms:
    """What the own account had in its rooms before this device."""

    def __init__(self, rooms: Rooms, own: OwnHistory) -> None:
        former = former_keys(rooms.store, own.user, own.amk_pub)
        self.rooms = rooms
        self.own = replace(own, former=tuple(amk_pub for amk_pub, _ in former))

    def chain(self, room: bytes) -> list[Link]:
        """Fetch and verify every commit of a room, without wraps.

        ``list_rollback`` when the chain names a newer list of the own account than the server
        shows: a list signed on top of an older one would split the account.
        """
        links: list[Link] = []
        view: RoomView | None = None
        while items := self._commits(room, view):
            known = len(links)
            for item in items:
                link = self._link(room, view, item)
                view = link.received.view
                if not link.received.ignored:
                    links.append(link)
            if len(links) == known:
                break  # the same commits again would go on for ever
        return links

    def _commits(self, room: bytes, view: RoomView | None) -> list[JSON]:
        path = f"/api/rooms/{uuid.UUID(bytes=room)}/commits"
        found: list[JSON] = self.rooms.server.get(path, after=view.epoch if view else -1)["commits"]
        return found

    def _link(self, room: bytes, view: RoomView | None, item: JSON) -> Link:
        commit = commit_of(item, {})
        ops = parse_ops(commit.ops)
        if self._own_version(view, ops) > self.own.lists[-1].version:
            raise ListRollbackError("a newer list of the own account is withheld")
        fetch_lists(self.rooms.keyring, ops)
        trust = self.rooms.keyring.trust()
        return Link(commit, receive_commit(view, commit, room=room, trust=trust))

    def _own_version(self, view: RoomView | None, ops: Sequence[Op]) -> int:
        """The newest own list that operations name; one under a former account key is none."""
        own = self.own.user, self.own.amk_pub
        rows = [*(view.roster if view else ())]
        for op in ops:
            rows += op.roster if isinstance(op, Create) else ()
            rows += [op.member] if isinstance(op, Add) else []
        if all((row.user, row.amk_pub) != own for row in rows):
            return 0
        versions = [row.list_version for row in rows if (row.user, row.amk_pub) == own]
        newer = [op.list_version for op in ops if isinstance(op, Refresh) and op.user == own[0]]
        return max([*versions, *newer])

    def reopen(self, room: bytes, chain: Sequence[Link]) -> Past:
        """Open the room's history and keep it; what this home has already stays as it is."""
        return self.keep(room, chain, fetch_records(self.rooms.server, room))

    def keep(
        self, room: bytes, chain: Sequence[Link], records: Mapping[int, Sequence[HistoryRecord]]
    ) -> Past:
        """Open these records of a room's history, by epoch, and keep what opened."""
        past = reopen_past(self.own, chain, records, self.rooms.keyring.trust())
        store = self.rooms.store
        with store.transaction():
            for state in past.epochs:
                if (kept := self.rooms.epoch(room, state.epoch)) is None or not kept.opened:
                    self.rooms.save_epoch(state)
            before: RoomView | None = None
            for link in chain:
                self._keep_lines(room, link, before)
                before = link.received.view
            view = json.dumps(view_to_json(past.view))
            store.run("UPDATE rooms SET view = coalesce(view, ?) WHERE room = ?", view, room)
            store.run(
                "UPDATE rooms SET read_to = max(read_to, ?) WHERE room = ?", self._read(room), room
            )
        return past

    def _keep_lines(self, room: bytes, link: Link, before: RoomView | None) -> None:
        ops, view = parse_ops(link.commit.ops), link.received.view
        lines = describe(ops, parse_core(link.commit.core).committer_user, before, view)
        sql = "INSERT OR IGNORE INTO changes VALUES (?, ?, ?)"
        self.rooms.store.run(sql, room, view.epoch, json.dumps(lines))

    def _read(self, room: bytes) -> int:
        """How far this person has read, on whichever device."""
        row = self.rooms.store.row("SELECT summary FROM rooms WHERE room = ?", room)
        cursors = json.loads(row["summary"])["cursors"] if row else []
        own = str(self.rooms.keyring.user_id)
        return max((int(each["read_to"]) for each in cursors if each["user_id"] == own), default=0)


def fetch_records(server: Server, room: bytes) -> dict[int, list[HistoryRecord]]:
    """The account's own records of a room by epoch, from the lowest on."""
    found: defaultdict[int, list[HistoryRecord]] = defaultdict(list)
    path = f"/api/rooms/{uuid.UUID(bytes=room)}/history-records"
    after = -1
    while items := server.get(path, after=after)["records"]:
        for item in items:
            found[item["epoch"]].append(_record(room, item))
        # A page may end between two writers of one epoch: begin with that epoch again.
        highest = max(item["epoch"] for item in items)
        if highest <= after:
            break  # not what was asked for
        full = len(items) >= PAGE and highest - 1 > after
        after = highest - 1 if full else highest
        if full:
            found.pop(highest)
    return found


def _record(room: bytes, item: JSON) -> HistoryRecord:
    return HistoryRecord(
        EpochName(room, item["epoch"], unb64(item["commit_hash"])),
        item["bk_version"],
        uuid.UUID(item["writer_device"]).bytes,
        unb64(item["record"]),
        unb64(item["sig"]),
    )
