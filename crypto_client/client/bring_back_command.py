"""``recovery bring-back``: the rooms of before the account was started again, readable again."""

import argparse
import uuid

from crypto_client.client.bringing_back import bring_back as bring_back_room
from crypto_client.client.bringing_back import open_former
from crypto_client.client.failures import Refused, Unverified
from crypto_client.client.output import Output, Row
from crypto_client.client.recovery_commands import typed_secret
from crypto_client.client.session import Session
from crypto_client.errors import ForkError, ProtocolError


def bring_back(session: Session, output: Output, arguments: argparse.Namespace) -> None:
    """Open what was before the start with the former recovery key, room by room."""
    typed = typed_secret(arguments, output)
    messenger = session.messenger
    history = open_former(messenger.rooms.keyring, typed)
    summaries, opened = messenger.rooms.all(), 0
    refused: dict[str, str] = {}
    for number, summary in enumerate(summaries, 1):
        room = uuid.UUID(summary["room_id"]).bytes
        try:
            past = bring_back_room(messenger.rooms, history, room)
        except ProtocolError as error:
            refused[summary["room_id"]] = error.outcome
            if isinstance(error, ForkError):
                messenger.rooms.mark_trouble(room, error.outcome)
            continue
        except Refused as refusal:
            refused[summary["room_id"]] = refusal.code
            continue
        if past is not None:
            messenger.inbox.retry(room)
            opened += any(state.opened for state in past.epochs)
            for why in past.refused.values():
                refused[summary["room_id"]] = why
        output.progress(f"looked into {number} of {len(summaries)} rooms")
    row: Row = {"rooms": opened, "refused": refused}
    output.row(row, lambda row: f"brought the past of {row['rooms']} rooms back")
    if refused:
        raise Unverified(next(iter(refused.values())), rooms=refused)
