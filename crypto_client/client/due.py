"""What a room waits for somebody to commit: signed leaves and newer device lists.

Everything is judged by what this device verified. A pending leave is the server's word until its
statement verifies; one that does not would make every commit ``op_forbidden``, for everybody.
"""

import uuid

from crypto_client.client.keys import Keyring
from crypto_client.client.server import JSON, unb64
from crypto_client.device_list import KnownList
from crypto_client.epoch import RoomView, Trust, senders_of, users_to_refresh
from crypto_client.errors import ParseError, SignatureError
from crypto_client.ops import Op, Refresh, Remove
from crypto_client.roster import Member, find_member
from crypto_client.statements import LEAVE, SERVER_REMOVE, Subject, parse_statement


def newest_lists(view: RoomView, keyring: Keyring) -> dict[bytes, KnownList]:
    """The newest list that this device has verified of each member."""
    met = {row["user"]: row for row in keyring.store.rows("SELECT * FROM accounts")}
    rows = ((member, met.get(member.user)) for member in view.roster)
    return {
        member.user: KnownList(row["version"], row["list_hash"])
        for member, row in rows
        # A row under a former account key is not refreshed: it is removed.
        if row is not None and row["amk_pub"] == member.amk_pub
    }


def revoked_devices(view: RoomView | None, keyring: Keyring) -> frozenset[bytes]:
    """Devices that the roster still names and a newer list of their account does not.

    Their messages are not shown (docs/protocol.md §7.3, step 9).
    """
    if view is None:
        return frozenset()
    stale = users_to_refresh(view, newest_lists(view, keyring))
    rows = tuple(member for member in view.roster if member.user in stale)
    return frozenset(
        device
        for device, (user, _) in senders_of(rows, keyring.trust()).items()
        if keyring.list_of(user).entry(device) is None
    )


def due_ops(view: RoomView, summary: JSON, keyring: Keyring) -> list[Op]:
    """The operations that are due; never one on the own account, never an added account key."""
    ops: list[Op] = []
    for item in summary["leaving"]:
        row = find_member(view.roster, uuid.UUID(item["user_id"]).bytes)
        if row is None or row.user == keyring.device.user:
            continue
        statement = unb64(item["statement"])
        if _goes(view, row, statement, keyring.trust()):
            ops.append(Remove(row.user, row.amk_pub, row.joined_epoch, statement))
    leaving = {op.user for op in ops if isinstance(op, Remove)}
    known = newest_lists(view, keyring)
    for user in users_to_refresh(view, known):
        if user not in leaving:
            ops.append(Refresh(user, known[user].version, known[user].list_hash))
    return ops


def _goes(view: RoomView, row: Member, data: bytes, trust: Trust) -> bool:
    """Whether somebody leaves by their own word, or goes by the server's."""
    try:
        statement = parse_statement(data)
        if statement.kind == SERVER_REMOVE:
            subject = Subject(view.room, row.user, row.amk_pub, row.joined_epoch)
            return statement.is_by_one_of(trust.server_keys, subject)
        owner, entry = senders_of(view.roster, trust).get(statement.signer_device, (None, None))
        if statement.kind != LEAVE or entry is None or {owner, statement.signer_user} != {row.user}:
            return False
        subject = Subject(view.room, row.user, row.amk_pub, row.joined_epoch)
        statement.verify(subject, entry.dsk_pub)
    except (ParseError, SignatureError):
        return False
    return True
