"""Comparing with somebody: the number, the code, and the mark that it was done."""

import argparse
import uuid

from crypto_client.client.failures import Refused, Usage
from crypto_client.client.keys import Keyring
from crypto_client.client.notes import Notes
from crypto_client.client.offers import offered_key
from crypto_client.client.output import Output
from crypto_client.client.server import b64
from crypto_client.client.session import Session
from crypto_client.encoding import decode_base64url
from crypto_client.errors import PinMismatchError
from crypto_client.own_room import VerifiedMark
from crypto_client.safety import compare_code, safety_code, safety_number

SEEN = "compared_keys"


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
    """Show what to compare with somebody; compare their code; say that it was the same."""
    user, email = _person(session, arguments.who)
    keyring = session.messenger.rooms.keyring
    key = _shown_key(keyring, user)
    own, theirs = (keyring.device.user, keyring.device.amk_pub), (user, key)
    if arguments.code is not None:
        compare_code(decode_base64url("".join(arguments.code.split())), own, theirs)
    if arguments.same or arguments.different:
        _demand_seen(keyring, user, key, has_code=arguments.code is not None)
        _decide(session, user, key, is_same=arguments.same)
    output.row(
        {
            "user_id": str(uuid.UUID(bytes=user)),
            "email": email,
            "safety_number": safety_number(own, theirs),
            "code": b64(safety_code(own, theirs)),
            "trust": trust_in(keyring, user),
        }
    )
    keyring.store.remember(SEEN, {**(keyring.store.fact(SEEN) or {}), b64(user): b64(key)})


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


def _demand_seen(keyring: Keyring, user: bytes, key: bytes, *, has_code: bool) -> None:
    """Refuse to go on with a changed key whose number was never shown here (``not_shown``).

    The server may show another one from one command to the next.
    """
    seen = (keyring.store.fact(SEEN) or {}).get(b64(user))
    if keyring.pins().get(user) != key and seen != b64(key) and not has_code:
        raise Usage("not_shown")


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


def _person(session: Session, who: str) -> tuple[bytes, str | None]:
    """A friend by e-mail, or anybody by id: fellow members of a room need not be friends.

    ``not_found`` for anybody else: the server shows no keys of strangers.
    """
    for friend in session.server.get("/api/friends")["friends"]:
        if who.lower() in {friend["email"].lower(), friend["user_id"]}:
            return uuid.UUID(friend["user_id"]).bytes, friend["email"]
    try:
        return uuid.UUID(who).bytes, None
    except ValueError:
        raise Refused("not_found") from None
