"""Commands about the recovery secret, and the devices it lets in and shuts out."""

import argparse
import getpass
import uuid
from pathlib import Path

from crypto_client.client.entering import enter_rooms, reopen, report, verified_chains
from crypto_client.client.failures import Refused, Unverified, Usage
from crypto_client.client.keys import Keyring
from crypto_client.client.notes import Notes
from crypto_client.client.output import Output, Row
from crypto_client.client.own_lists import enter, make_device_here, open_account, revoke
from crypto_client.client.past import PastRooms
from crypto_client.client.rooms import Rooms
from crypto_client.client.session import Session
from crypto_client.own_room import DeviceName, is_device_name
from crypto_client.recovery import decode_code, encode_code
from crypto_client.slips import MistypedError, Typed, differing, read_typed

UNFINISHED = "restoring"


def set_recovery(session: Session, output: Output, arguments: argparse.Namespace) -> None:
    """Show the six words and the code, and forget them once they are written down."""
    kept = session.store.fact("device")
    if kept is None:
        raise Unverified("no_keys_here")
    if "recovery_words" not in kept:
        raise Usage("secret_not_here")
    words, code = kept["recovery_words"], kept["recovery_code"]
    shown: Row = {"words": words, "code": code}
    if output.as_json or arguments.written_down:
        forgets = arguments.written_down
        output.row({**shown, "kept": not forgets}, lambda row: f"{words}\n{code}")
    else:
        output.row(shown, lambda row: f"{words}\n{code}")
        demand_typed_again(words, code, output)
        forgets = True
    if forgets:
        session.store.forget_recovery()
        output.note("this home does not hold the secret any more")


def demand_typed_again(words: str, code: str, output: Output) -> None:
    """Ask for a shown secret; ``recovery`` names the words or blocks that differ."""
    text = getpass.getpass("Type the six words or the code again: ")
    typed = _read(text, output)
    again, shown, name = typed.secret or "", words, "words"
    if typed.code is not None:
        again, shown, name = encode_code(decode_code(typed.code)), code, "blocks"
    if wrong := differing(again, shown):
        output.note(f"another {name[:-1]} than shown: {', '.join(map(str, wrong))}")
        raise Unverified("recovery", **{name: wrong})


def typed_secret(arguments: argparse.Namespace, output: Output) -> Typed:
    """The recovery secret, from the file that was named or by asking for it."""
    path: Path | None = arguments.secret_file
    if path is None:
        return _read(getpass.getpass("Six words or code: "), output)
    try:
        return _read(path.read_text(), output)
    except (OSError, UnicodeDecodeError) as error:
        raise Usage("secret_file") from error


def _read(text: str, output: Output) -> Typed:
    try:
        return read_typed(text)
    except MistypedError as error:
        output.note(str(error))
        raise Unverified(error.outcome, **error.where) from None


def restore(session: Session, output: Output, arguments: argparse.Namespace) -> None:
    """Make this home a further device of the signed-in account, with all it could read."""
    store, server = session.store, session.server
    if server.token is None:
        raise Refused("not_signed_in")
    if store.fact("device") is not None and not store.fact(UNFINISHED):
        raise Usage("home_has_keys")
    typed = typed_secret(arguments, output)
    restored = open_account(server, store, typed)
    device = make_device_here(store, restored)
    store.remember(UNFINISHED, value=True)
    rooms = Rooms(store, server, Keyring(store, server, device))
    # A list on top of one that is not the newest would split the account: the key log knows.
    rooms.keyring.refresh(restored.recovered.account.user)
    past = PastRooms(rooms, restored.history)
    chains = verified_chains(past, output)
    enter(server, store, typed, restored)
    refused = reopen(past, chains, output)
    del typed, restored, past  # what opens the past must not outlive its use
    waiting = enter_rooms(session, output)
    store.remember(UNFINISHED, None)
    report(output, "restored", rooms.keyring.device_id, chains, refused=refused, waiting=waiting)


def list_devices(session: Session, output: Output, arguments: argparse.Namespace) -> None:
    """The devices of the newest list, with the names that their owner gave them."""
    notes = Notes(session.store, session.messenger.rooms.keyring.device.user)
    for device in session.server.get("/api/devices")["devices"]:
        names = ("device_id", "created_ms", "last_used_ms", "current")
        row: Row = {name: device[name] for name in names}
        row["name"] = notes.device_name(uuid.UUID(device["device_id"]).bytes)
        output.row(row)


def rename_device(session: Session, output: Output, arguments: argparse.Namespace) -> None:
    """Name a device for all devices of the account; an empty name takes it away."""
    messenger = session.messenger
    note = DeviceName(_device_named(session, arguments.device), arguments.name)
    if not is_device_name(note.name):
        raise Usage("device_name")
    messenger.note_down(note, timeout=session.timeout)
    row: Row = {"device_id": str(uuid.UUID(bytes=note.device)), "name": note.name}
    output.row(row, lambda row: f"{row['device_id']}: {row['name']}")


def revoke_device(session: Session, output: Output, arguments: argparse.Namespace) -> None:
    """Take a device out of the list, and out of every room."""
    messenger = session.messenger  # what the device sent until now is read before it ends
    device = _device_named(session, arguments.device)
    if device == messenger.rooms.keyring.device.device:
        raise Usage("own_device")
    revoke(session.server, session.store, typed_secret(arguments, output), device)
    waiting = enter_rooms(session, output)
    output.row(
        {"revoked": str(uuid.UUID(bytes=device)), "waiting": waiting},
        lambda row: f"revoked {row['revoked']}",
    )


def _device_named(session: Session, words: str) -> bytes:
    devices = [row["device_id"] for row in session.server.get("/api/devices")["devices"]]
    found = [each for each in devices if words and each.startswith(words.lower())]
    if len(found) != 1:
        raise Refused("not_found") if not found else Usage("device_prefix")
    return uuid.UUID(found[0]).bytes
