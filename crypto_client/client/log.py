"""The rolling hash over a room's log: what makes dropping and reordering by a server show.

See docs/protocol.md §9. One row for each item this device was given, with its hash; ``log_hash`` is
known from the start of the room, or from the first value that a member asserted.
"""

from crypto_client.client.store import Store
from crypto_client.encoding import HASH_SIZE
from crypto_client.errors import LogForkError
from crypto_client.log_hash import LOG_START, check_log_hash, next_log_hash


class Log:
    """The log hashes of all rooms in this home."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def extend(self, room: bytes, seq: int, item_hash: bytes) -> bool:
        """Take the next item; after a hole the hash is unknown until a member asserts one.

        Returns False for another item than the one that had this place before.
        """
        previous = LOG_START if seq == 1 else self.at(room, seq - 1)
        log_hash = next_log_hash(previous, seq, item_hash) if previous else None
        self.store.run(
            "INSERT OR IGNORE INTO log_items VALUES (?, ?, ?, ?)", room, seq, item_hash, log_hash
        )
        sql = "SELECT item_hash FROM log_items WHERE room = ? AND seq = ?"
        kept = self.store.row(sql, room, seq)
        return kept is not None and bool(kept["item_hash"] == item_hash)

    def at(self, room: bytes, seq: int) -> bytes | None:
        """The hash up to and with ``seq``, None while it is not known."""
        row = self.store.row("SELECT log_hash FROM log_items WHERE room = ? AND seq = ?", room, seq)
        return row["log_hash"] if row else None

    def newest(self, room: bytes) -> tuple[int, bytes] | None:
        """The highest number whose hash is known, for the next own message to assert."""
        row = self.store.row(
            "SELECT seq, log_hash FROM log_items WHERE room = ? AND log_hash IS NOT NULL"
            " ORDER BY seq DESC LIMIT 1",
            room,
        )
        return (row["seq"], row["log_hash"]) if row else None

    def compare(self, room: bytes, asserted: tuple[int, bytes] | None, *, place: int) -> bool:
        """Compare what the message at ``place`` asserts; adopt it where this device starts later.

        Returns False when the two differ: the server has shown two orders of one log. Whoever has
        seen the place of what they are writing has seen items that are kept from this device.
        """
        if asserted is None or asserted[0] == 0 or len(asserted[1]) != HASH_SIZE:
            return True
        seq, log_hash = asserted
        if seq >= place:
            return False
        own = self.at(room, seq)
        if own is None:
            self._adopt(room, seq, log_hash)
            return True
        try:
            check_log_hash(own, log_hash)
        except LogForkError:
            return False
        return True

    def _adopt(self, room: bytes, seq: int, log_hash: bytes) -> None:
        sql = "UPDATE log_items SET log_hash = ? WHERE room = ? AND seq = ? AND log_hash IS NULL"
        if not self.store.run(sql, log_hash, room, seq):
            return
        rest = self.store.rows(
            "SELECT seq, item_hash FROM log_items WHERE room = ? AND seq > ? ORDER BY seq",
            room,
            seq,
        )
        for row in rest:
            if row["seq"] != seq + 1:
                return
            seq, log_hash = row["seq"], next_log_hash(log_hash, row["seq"], row["item_hash"])
            self.store.run(sql, log_hash, room, seq)
