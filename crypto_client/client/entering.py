"""A new device among the rooms of its account: it verifies, opens the past, and enters."""

import uuid

from crypto_client.client.failures import CommandFailure, Unverified
from crypto_client.client.output import Output, Row
from crypto_client.client.past import PastRooms
from crypto_client.client.session import Session
from crypto_client.errors import ListRollbackError, ProtocolError
from crypto_client.restoring import Link


def verified_chains(past: PastRooms, output: Output) -> dict[bytes, list[Link]]:
    """Every room's chain, before anything is signed; what does not verify is left out."""
    past.rooms.refresh_list()
    summaries = sorted(past.rooms.all(), key=lambda each: each["created_ms"], reverse=True)
    chains: dict[bytes, list[Link]] = {}
    for number, summary in enumerate(summaries, 1):
        room = uuid.UUID(summary["room_id"]).bytes
        try:
            chains[room] = past.chain(room)
        except ListRollbackError:
            raise
        except ProtocolError as error:
            past.rooms.mark_trouble(room, error.outcome)
        output.progress(f"verified {number} of {len(summaries)} rooms")
    return chains


def reopen(past: PastRooms, chains: dict[bytes, list[Link]], output: Output) -> dict[str, str]:
    """Open the history of every chain; gives, by room, why a record was refused."""
    refused: dict[str, str] = {}
    for number, (room, chain) in enumerate(chains.items(), 1):
        outcomes = past.reopen(room, chain).refused if chain else {}
        if outcomes:
            refused[str(uuid.UUID(bytes=room))] = next(iter(outcomes.values()))
        output.progress(f"opened the history of {number} of {len(chains)} rooms")
    return refused


def enter_rooms(session: Session, output: Output) -> list[str]:
    """Catch up, and commit the own refresh in every room; those that did not work are named."""
    rooms = session.messenger.rooms
    waiting: list[str] = []
    for summary in rooms.all():
        room = uuid.UUID(summary["room_id"]).bytes
        if not rooms.is_member(room):
            continue
        try:
            rooms.heal(room)
        except (CommandFailure, ProtocolError):
            waiting.append(summary["room_id"])
        output.progress(f"entered {summary['room_id']}")
    return waiting


def report(
    output: Output,
    verb: str,
    device: uuid.UUID,
    chains: dict[bytes, list[Link]],
    *,
    refused: dict[str, str],
    waiting: list[str],
) -> None:
    """Say how a home became a device; `Unverified` when a history record was refused."""
    row: Row = {
        "device_id": str(device),
        "rooms": len(chains),
        "refused": refused,
        "waiting": waiting,
    }
    output.row(row, lambda row: f"{verb} {row['rooms']} rooms as device {row['device_id']}")
    if refused:
        raise Unverified(next(iter(refused.values())), rooms=refused)
