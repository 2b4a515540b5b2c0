"""What people do to rooms, each in one transaction; publishing and announcing happen elsewhere."""

from rooms.services.commits import (
    PENDING_LEASE,
    Accepted,
    accept_commit,
    insert_pending_commit,
    insert_pending_room,
    pending_commit,
    pending_commits,
)
from rooms.services.epoch_keys import (
    HistoryItem,
    acknowledge_wraps,
    forget_old_wraps,
    forget_wraps,
    save_history_records,
)
from rooms.services.leaving import erase_room, hide_room, mark_deleted, record_leave
from rooms.services.replacing import end_stays_of_replaced_key

__all__ = [
    "PENDING_LEASE",
    "Accepted",
    "HistoryItem",
    "accept_commit",
    "acknowledge_wraps",
    "end_stays_of_replaced_key",
    "erase_room",
    "forget_old_wraps",
    "forget_wraps",
    "hide_room",
    "insert_pending_commit",
    "insert_pending_room",
    "mark_deleted",
    "pending_commit",
    "pending_commits",
    "record_leave",
    "save_history_records",
]
