"""``link show`` in a new home, and ``link accept`` on a device of the same account."""

import argparse
import getpass
import uuid

from crypto_client.client.entering import enter_rooms, reopen, report, verified_chains
from crypto_client.client.failures import Refused, Unverified, Usage
from crypto_client.client.keys import Keyring
from crypto_client.client.link_here import (
    LINKED_PAST,
    keep_linked,
    linked_past,
    offering,
    wait_for_answer,
)
from crypto_client.client.link_other import LinkOther
from crypto_client.client.output import Output, Row
from crypto_client.client.past import PastRooms
from crypto_client.client.recovery_commands import UNFINISHED, typed_secret
from crypto_client.client.rooms import Rooms
from crypto_client.client.session import Session


def show(session: Session, output: Output, arguments: argparse.Namespace) -> None:
    """Show a code, wait to be linked, and read everything that the account could read.

    A run that was interrupted after that goes on without another code.
    """
    store, server = session.store, session.server
    if server.token is None:
        raise Refused("not_signed_in")
    if store.fact(LINKED_PAST) is None:
        if store.fact("device") is not None or store.fact(UNFINISHED):
            raise Usage("home_has_keys")
        with offering(server) as attempt:
            code: Row = {"code": attempt.secret.short_code, "compare": attempt.compare}
            output.row(code, _shown)
            linked = wait_for_answer(server, attempt, lambda: output.note("the code was read"))
            keep_linked(server, store, attempt, linked)
    _settle(session, output)


def _shown(row: Row) -> str:
    digits = row["compare"]
    return (
        f"On a device that has your chats, enter this code within five minutes:\n"
        f"  {row['code']}\nIt must then show {digits[:3]} {digits[3:]}."
    )


def _settle(session: Session, output: Output) -> None:
    store, server = session.store, session.server
    keyring = Keyring.load(store, server)
    keyring.prove_session()
    rooms = Rooms(store, server, keyring)
    keyring.refresh(keyring.device.user)  # a list that is not the newest is no list
    past = PastRooms(rooms, linked_past(server, store))
    chains = verified_chains(past, output)
    refused = reopen(past, chains, output)
    del past  # what opens the past must not outlive its use
    waiting = enter_rooms(session, output)
    store.remember(LINKED_PAST, None)
    report(output, "linked", keyring.device_id, chains, refused=refused, waiting=waiting)


def accept(session: Session, output: Output, arguments: argparse.Namespace) -> None:
    """Read the code of a new device, and admit it with the recovery secret."""
    keyring = session.keyring
    keyring.prove_session()
    keyring.refresh(keyring.device.user)
    linking = LinkOther(session.store, session.server, keyring)
    taken = linking.read(arguments.code or getpass.getpass("Code of the new device: "))
    digits = taken.compare
    try:
        if arguments.compare and "".join(arguments.compare.split()) != digits:
            raise Unverified("link", compare=digits)
        output.note(f"The new device must show {digits[:3]} {digits[3:]}; if not, press Ctrl-C.")
        linking.accept(taken, typed_secret(arguments, output))
    except BaseException:
        linking.refuse(taken.path)
        raise
    output.row(
        {"linked": str(uuid.UUID(bytes=taken.asking.code.device)), "compare": digits},
        lambda row: f"linked {row['linked']}",
    )
