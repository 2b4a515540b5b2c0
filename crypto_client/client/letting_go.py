"""Keys that nothing is waited for any more, removed from the home (docs/protocol.md §4, §8.1).

In a room with history off this is the point of it: what the server kept of such a room opens
nowhere once its members' devices have let the keys go. The texts stay with who has read them.
"""

import json
from itertools import pairwise

from crypto_client.client.keys import Keyring
from crypto_client.client.rooms import Rooms
from crypto_client.client.store import Store
from crypto_client.prekeys import LIFETIME_MS, parse_prekey
from crypto_client.ratchet import unusable_epoch

LATE_MS = 7 * 24 * 3600 * 1000
PREKEY_OVERLAP_MS = 28 * 24 * 3600 * 1000


def let_go(rooms: Rooms, now: int) -> None:
    """Remove what is due at ``now`` (ms), from the files too; to be called when up to date."""
    gone = _let_epochs_go(rooms, now)
    gone += _let_message_keys_go(rooms.store, now)
    gone += _let_prekeys_go(rooms.store, rooms.keyring, now)
    if gone:
        rooms.store.erase_journal()


def _let_epochs_go(rooms: Rooms, now: int) -> int:
    """The chains and message keys of closed epochs of rooms with history off; gives how many.

    Not before a late message of them can come no more: 7 days after they were closed here, and
    when the log was read past the commit that closed them.
    """
    gone = 0
    sql = "SELECT room, epoch FROM closed_epochs WHERE closed_ms <= ?"
    for row in rooms.store.rows(sql, now - LATE_MS):
        if _was_passed(rooms.store, row["room"], row["epoch"] + 1):
            _let_epoch_go(rooms, row["room"], row["epoch"])
            gone += 1
    return gone


def _was_passed(store: Store, room: bytes, closing: int) -> bool:
    """Whether the log was read here as far as the commit of an epoch."""
    details = store.rows("SELECT detail FROM events WHERE room = ?", room)
    return any(json.loads(row["detail"]).get("epoch") == closing for row in details)


def _let_epoch_go(rooms: Rooms, room: bytes, epoch: int) -> None:
    store, state = rooms.store, rooms.epoch(room, epoch)
    with store.transaction():
        if state is not None:
            rooms.save_epoch(unusable_epoch(room, epoch, state.commit_hash))
        store.run("UPDATE messages SET key = NULL WHERE room = ? AND epoch = ?", room, epoch)
        store.run("DELETE FROM closed_epochs WHERE room = ? AND epoch = ?", room, epoch)


def _let_message_keys_go(store: Store, now: int) -> int:
    """The keys of messages that were accepted a week ago, in an epoch that is still open too."""
    return store.run(
        "UPDATE messages SET key = NULL"
        " WHERE key IS NOT NULL AND accepted_ms <= ? AND epoch >="
        " (SELECT json_extract(view, '$.unkept_from') FROM rooms WHERE room = messages.room)",
        now - LATE_MS,
    )


def _let_prekeys_go(store: Store, keyring: Keyring, now: int) -> int:
    """Own prekeys whose successor has been published for 28 days, or that are 100 days old."""
    published = keyring.prekey_floors().get(keyring.device.device, 0)
    rows = store.rows("SELECT seq, data FROM prekeys ORDER BY seq")
    gone = 0
    for row, successor in pairwise(rows):
        since = now - parse_prekey(successor["data"]).created
        is_old = now - parse_prekey(row["data"]).created >= LIFETIME_MS
        if successor["seq"] <= published and (is_old or since >= PREKEY_OVERLAP_MS):
            gone += store.run("DELETE FROM prekeys WHERE seq = ?", row["seq"])
    return gone
