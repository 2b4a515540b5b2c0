"""Commands about messages that the log does not have yet."""

import argparse
import uuid

from crypto_client.client.failures import Refused, Usage
from crypto_client.client.output import Output, Row, printable
from crypto_client.client.session import Session
from crypto_client.client.store import Store
from crypto_client.client.taking_back import delete, may_be_stored


def show(session: Session, output: Output, _arguments: argparse.Namespace) -> None:
    """Show what waits and what was refused, oldest first; asks no server."""
    for row in _in_line(session.store):
        output.row(row, _line)


def retry(session: Session, output: Output, arguments: argparse.Namespace) -> None:
    """Send one refused message again, or all of them in their order."""
    named = [_named(session.store, arguments.message)] if arguments.message else None
    outbox = session.sender.outbox
    failed = [row for row in _in_line(session.store) if row["state"] == "failed"]
    for row in failed if named is None else named:
        state = outbox.again(uuid.UUID(row["message_id"]).bytes)
        output.row(state, lambda row: f"{row['state']} {row['message_id']}")


def remove(session: Session, output: Output, arguments: argparse.Namespace) -> None:
    """Send a message no more; asks no server, so that nothing leaves before it is deleted."""
    row = _named(session.store, arguments.message)
    delete(session.store, uuid.UUID(row["message_id"]).bytes)
    output.row({"deleted": row["message_id"], "may_be_stored": row["may_be_stored"]})


def _in_line(store: Store) -> list[Row]:
    sql = (
        "SELECT * FROM outbox WHERE message NOT IN (SELECT message FROM waiting_notes)"
        " AND message NOT IN (SELECT message FROM given_up) ORDER BY created_ms, rowid"
    )
    return [
        {
            "message_id": str(uuid.UUID(bytes=row["message"])),
            "room_id": str(uuid.UUID(bytes=row["room"])),
            "text": row["text"],
            "created_ms": row["created_ms"],
            "state": row["state"],
            "may_be_stored": may_be_stored(store, row["message"]),
            **({"failure": row["failure"]} if row["failure"] else {}),
        }
        for row in store.rows(sql)
    ]


def _named(store: Store, words: str) -> Row:
    """The waiting message with this id, or with an id that begins like this."""
    found = [row for row in _in_line(store) if words and row["message_id"].startswith(words)]
    if len(found) > 1:
        raise Usage("message_prefix")
    if not found:
        raise Refused("not_found")
    return found[0]


def _line(row: Row) -> str:
    why = f" {row['failure']}" if "failure" in row else ""
    doubt = ", may have been sent" if row["may_be_stored"] else ""
    return f"{row['message_id']}  {row['state']}{why}{doubt}: {printable(row['text'])}"
