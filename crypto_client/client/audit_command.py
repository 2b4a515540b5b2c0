"""``audit``: what this device has verified of the key log, said in words (docs/cli.md)."""

import argparse
import uuid

from crypto_client.client.failures import Unverified
from crypto_client.client.key_log import KeyLog
from crypto_client.client.keys import Keyring, now_ms
from crypto_client.client.output import Output, Row, printable
from crypto_client.client.rooms import Rooms
from crypto_client.client.server import b64
from crypto_client.client.session import Session
from crypto_client.errors import KeyLogError, ProtocolError
from crypto_client.key_log import label_of

SENTENCES = {
    "log": "Followed log {number} whole: {size} leaves, root {root}.",
    "own": "Your name has {leaves} leaves, and each is a device list of yours.",
    "person": "The newest device list known of {name} is the newest of the log.",
    "behind": "The log has a newer device list of {name}; it is fetched when it is needed.",
    "waiting": "{messages} message(s) speak of a longer log than this server shows.",
    "split": "Message {message_id} was written by somebody who was shown another log.",
    "trouble": "NOT verified: {reason}.",
}

NEW_LOG = (
    "This server has begun key log {number}, as after restoring a backup: ask its operator. You had"
    " seen {size_seen} leaves of the log before, and the server names {size_named}."
)


def audit(session: Session, output: Output, arguments: argparse.Namespace) -> None:
    """Follow the log now, and show everything that was checked; status 4 where it failed."""
    keyring = session.keyring
    key_log = keyring.key_log
    failed = False
    try:
        key_log.follow(now_ms())
    except ProtocolError as refusal:
        failed = True
        _say(output, "trouble", reason=str(refusal) or refusal.outcome)
    log = key_log.followed()
    if log is not None:
        number, size, root = log.number, log.frontier.size, b64(log.frontier.root)
        _say(output, "log", number=number, size=size, root=root)
        failed |= not _own(output, keyring, key_log)
        failed |= not _people(session, output, keyring)
    if waiting := key_log.waiting():
        _say(output, "waiting", messages=waiting)
    for split in key_log.splits():
        failed = True
        _say(output, "split", **split)
    if failed:
        raise Unverified("kt")


def tell_of_a_new_log(session: Session, output: Output) -> None:
    """Say once, after whatever command noticed it, that the server's log began again."""
    notice = session.store.fact("key_log_notice")
    if notice:
        output.notice(NEW_LOG.format(**notice))
        session.store.remember("key_log_notice", None)


def _own(output: Output, keyring: Keyring, key_log: KeyLog) -> bool:
    """Whether the newest own list is the newest leaf of the own label."""
    newest, leaf = keyring.newest(keyring.device.user), key_log.newest(key_log.own.label)
    try:
        if newest is None:
            raise KeyLogError("this device has no list of its own account")
        key_log.demand_newest(keyring.device.user, newest.list_hash)
    except KeyLogError as refusal:
        _say(output, "trouble", reason=f"the own device list: {refusal}")
        return False
    _say(output, "own", leaves=leaf.seq if leaf else 0)
    return True


def _people(session: Session, output: Output, keyring: Keyring) -> bool:
    """Whether everybody whose keys this device uses has a leaf."""
    rooms, key_log = Rooms(session.store, session.server, keyring), keyring.key_log
    found = True
    for user in sorted(set(keyring.pins()) - {keyring.device.user}):
        known, leaf = keyring.newest(user), key_log.newest(label_of(user))
        name = printable(rooms.nickname(user))
        if leaf is None:
            found = False
            _say(output, "trouble", reason=f"the log has no device list of {name}")
            continue
        is_newest = known is not None and leaf.record_hash == known.list_hash
        check = "person" if is_newest else "behind"
        _say(output, check, user_id=str(uuid.UUID(bytes=user)), name=name)
    return found


def _say(output: Output, check: str, **said: object) -> None:
    row: Row = {"check": check, **said}
    output.row(row, lambda row: SENTENCES[check].format(**row))
