"""Comparing with a friend: the number, the code, and the mark that it was done."""

import argparse
import uuid

from crypto_client.client.failures import Refused
from crypto_client.client.keys import Keyring
from crypto_client.client.notes import Notes
from crypto_client.client.offers import offered_key
from crypto_client.client.output import Output
from crypto_client.client.server import JSON, b64
from crypto_client.client.session import Session
from crypto_client.encoding import decode_base64url
from crypto_client.errors import PinMismatchError
from crypto_client.own_room import VerifiedMark
from crypto_client.safety import compare_code, safety_code, safety_number


def trust_in(keyring: Keyring, user: bytes) -> str:
    """How an account key stands to what this person has compared, in the words of docs/cli.md."""
    compared = Notes(keyring.store, keyring.device.user).verified_key(user)
    offered = offered_key(keyring, user)
    current = offered or keyring.pins().get(user)
    if compared is not None and current is not None and compared != current:
        return "verified_changed"
    if offered is not None:
        return "changed"
    return "unverified" if compared is None else "verified"


def verify(session: Session, output: Output, arguments: argparse.Namespace) -> None:
    """Show what to compare with a friend; compare their code; say that it was the same."""
    friend = _friend(session, arguments.email)
    rooms = session.messenger.rooms
    keyring = rooms.keyring
    user = uuid.UUID(friend["user_id"]).bytes
    key = _shown_key(keyring, user)
    own, theirs = (keyring.device.user, keyring.device.amk_pub), (user, key)
    if arguments.code is not None:
        compare_code(decode_base64url("".join(arguments.code.split())), own, theirs)
    if arguments.same or arguments.different:
        _decide(session, user, key, is_same=arguments.same)
    output.row(
        {
            "email": friend["email"],
            "safety_number": safety_number(own, theirs),
            "code": b64(safety_code(own, theirs)),
            "trust": trust_in(keyring, user),
        }
    )


def _shown_key(keyring: Keyring, user: bytes) -> bytes:
    """The account key that the server shows for somebody now, pinned or not."""
    try:
        keyring.refresh(user)
    except PinMismatchError:
        offered = offered_key(keyring, user)
        if offered is not None:
            return offered
        raise
    return keyring.pins()[user]


def _decide(session: Session, user: bytes, key: bytes, *, is_same: bool) -> None:
    """Go on with this key, marked or not."""
    rooms = session.messenger.rooms
    keyring = rooms.keyring
    if keyring.pins().get(user) != key:
        keyring.accept_new_key(user, key)
        rooms.settle(user)
    has_mark = Notes(session.store, keyring.device.user).verified_key(user) is not None
    if is_same or has_mark:
        mark = VerifiedMark(user, key, is_same)
        session.messenger.note_down(mark, timeout=session.timeout)


def _friend(session: Session, email: str) -> JSON:
    """A friend by e-mail; ``not_found`` for anybody else."""
    for friend in session.server.get("/api/friends")["friends"]:
        if friend["email"].lower() == email.lower():
            found: JSON = friend
            return found
    raise Refused("not_found")
