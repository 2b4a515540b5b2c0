"""``recovery renew``: another recovery key after a suspicion, written down before it counts."""

import argparse
import uuid

from crypto_client.client import renewing
from crypto_client.client.entering import enter_rooms
from crypto_client.client.failures import CommandFailure
from crypto_client.client.output import Output, Row
from crypto_client.client.recovery_commands import demand_typed_again, typed_secret
from crypto_client.client.session import Session
from crypto_client.errors import ProtocolError


def renew(session: Session, output: Output, arguments: argparse.Namespace) -> None:
    """Make, show, and after it was typed again publish a new recovery key; then move history."""
    store, keyring = session.store, session.keyring
    if arguments.discard:
        store.remember(renewing.PENDING, None)
        output.row({"discarded": True})
        return
    if store.fact(renewing.FORMER) is None:
        keyring.prove_session()
        if store.fact(renewing.PENDING) is None:
            renewing.prepare(keyring, typed_secret(arguments, output))
        kept = store.fact(renewing.PENDING)
        shown: Row = {"words": kept["words"], "code": kept["code"]}
        if not _is_written_down(shown, output, arguments):
            return
        renewing.publish(keyring)
    _move(session, output)


def _is_written_down(shown: Row, output: Output, arguments: argparse.Namespace) -> bool:
    """Whether the new key may take the place of the present one; shows it in any case."""
    words, code = str(shown["words"]), str(shown["code"])
    if output.as_json or arguments.written_down:
        output.row({**shown, "renewed": False}, lambda _: f"{words}\n{code}")
        return bool(arguments.written_down)
    output.row(shown, lambda _: f"{words}\n{code}")
    demand_typed_again(words, code, output)
    return True


def _move(session: Session, output: Output) -> None:
    """Begin new epochs and seal the old ones again; what did not work is named, and done later."""
    rooms = session.messenger.rooms
    waiting = enter_rooms(session, output)
    moved, unmoved, summaries = 0, [], rooms.all()
    for number, summary in enumerate(summaries, 1):
        try:
            moved += renewing.reseal_room(rooms, uuid.UUID(summary["room_id"]).bytes)
        except (CommandFailure, ProtocolError):
            unmoved.append(summary["room_id"])
        output.progress(f"moved the history of {number} of {len(summaries)} rooms")
    if not unmoved:
        session.store.remember(renewing.FORMER, None)
    output.row(
        {"renewed": True, "moved": moved, "waiting": sorted({*waiting, *unmoved})},
        lambda row: f"renewed; {row['moved']} epochs moved to the new key",
    )
