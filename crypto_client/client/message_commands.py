"""Commands about messages."""

import argparse
import time

from crypto_client.client.failures import Refused, TimedOut, Usage
from crypto_client.client.output import Output, message_line
from crypto_client.client.room_commands import find_room
from crypto_client.client.session import Session
from crypto_client.encoding import MAX_BODY


def send(session: Session, output: Output, arguments: argparse.Namespace) -> None:
    """Seal and send a text; it is kept until the server has stored it."""
    if not arguments.text or len(arguments.text.encode()) > MAX_BODY // 2:
        raise Usage("text_length")
    messenger = session.sender
    room = find_room(session, arguments.room)
    message = messenger.outbox.keep(room, arguments.text)
    row = messenger.send(message, wait=arguments.wait, timeout=session.timeout)
    if row["state"] == "failed":
        raise Refused(row["failure"])
    output.row(row, lambda row: f"{row['state']} {row['message_id']}")


def read(session: Session, output: Output, arguments: argparse.Namespace) -> None:
    """Show the last messages of a room, and say that they were read."""
    if arguments.last < 1:
        raise Usage("last")
    room = find_room(session, arguments.room)
    rows = session.messenger.timeline(room, arguments.last)
    for row in rows:
        output.row(row, message_line)
    session.messenger.mark_read(room)


def listen(session: Session, output: Output, arguments: argparse.Namespace) -> None:
    """Show what arrives, in all rooms, until enough or out of time."""
    deadline = time.monotonic() + session.timeout
    for shown, row in enumerate(session.messenger.arrivals(deadline), start=1):
        output.row(row, message_line)
        if shown == arguments.count:
            return
    if arguments.count is not None:
        raise TimedOut
