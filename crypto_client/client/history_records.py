"""History records on their way to the server: each is on disk until it was handed over."""

import json
import uuid
from collections.abc import Sequence

from crypto_client.client.server import JSON, Server
from crypto_client.client.store import Store
from crypto_client.client.wire_commits import record_to_json
from crypto_client.history import HistoryRecord

RECORDS_A_REQUEST = 100


class HistoryRecords:
    """What this device seals for a later one."""

    def __init__(self, store: Store, server: Server) -> None:
        self.store = store
        self.server = server

    def queue(self, record: HistoryRecord) -> None:
        """Keep a record until the server has it, in the transaction that opened its epoch."""
        self.store.run(
            "INSERT OR REPLACE INTO history_queue VALUES (?, ?, ?)",
            record.name.room,
            record.name.epoch,
            json.dumps(record_to_json(record)),
        )

    def hand_over(self, room: bytes) -> None:
        """Hand over what waits in a room."""
        rows = self.store.rows("SELECT epoch, record FROM history_queue WHERE room = ?", room)
        for start in range(0, len(rows), RECORDS_A_REQUEST):
            part = rows[start : start + RECORDS_A_REQUEST]
            self.put(room, [json.loads(row["record"]) for row in part])
            for row in part:
                sql = "DELETE FROM history_queue WHERE room = ? AND epoch = ?"
                self.store.run(sql, room, row["epoch"])

    def put(self, room: bytes, records: Sequence[JSON]) -> None:
        """Hand over records of a room, as many at once as a request takes."""
        path = f"/api/rooms/{uuid.UUID(bytes=room)}/history-records"
        for start in range(0, len(records), RECORDS_A_REQUEST):
            part = records[start : start + RECORDS_A_REQUEST]
            self.server.put(path, {"records": list(part)})
