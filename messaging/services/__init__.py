"""What people do with rooms and messages, from the check to the confirm and the announcement."""

from messaging.services.chains import (
    commit_epoch,
    create_room,
    finish_pending_commit,
    finish_pending_commits,
    leave_room,
)
from messaging.services.cursors import move_cursor
from messaging.services.erasing import delete_room, finish_erasures, hide_room
from messaging.services.overview import RoomOverview, list_rooms, show_room
from messaging.services.reading import Page, heads, member_rooms, read_items, read_news
from messaging.services.sending import Accepted, send_message
from messaging.services.tidying import forget_what_has_run_out
from messaging.services.verifying import RoomVerdict, rooms_to_verify, verify_room

__all__ = [
    "Accepted",
    "Page",
    "RoomOverview",
    "RoomVerdict",
    "commit_epoch",
    "create_room",
    "delete_room",
    "finish_erasures",
    "finish_pending_commit",
    "finish_pending_commits",
    "forget_what_has_run_out",
    "heads",
    "hide_room",
    "leave_room",
    "list_rooms",
    "member_rooms",
    "move_cursor",
    "read_items",
    "read_news",
    "rooms_to_verify",
    "send_message",
    "show_room",
    "verify_room",
]
