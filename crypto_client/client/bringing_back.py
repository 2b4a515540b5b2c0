"""The past of an account key that a reset ended, by its recovery key (docs/protocol.md §5.8).

The former key opens and does nothing else: what it opened is sealed again to the present one.
"""

from collections.abc import Sequence
from dataclasses import replace

from crypto_client.client.failures import Refused
from crypto_client.client.former_keys import former_keys
from crypto_client.client.keys import Keyring
from crypto_client.client.own_lists import carries_in
from crypto_client.client.past import PastRooms, fetch_records
from crypto_client.client.rooms import Rooms
from crypto_client.client.server import JSON, unb64
from crypto_client.client.wire_commits import record_to_json
from crypto_client.device_list import SignedDeviceList, parse_device_list
from crypto_client.errors import ForkError, ProtocolError, RecoveryError
from crypto_client.history import HistoryRecord, HistoryWriter, reseal_history
from crypto_client.recovery import SignedBlob
from crypto_client.restoring import Link, OwnAccount, OwnHistory, Past, restore_account
from crypto_client.slips import Typed


def open_former(keyring: Keyring, typed: Typed) -> OwnHistory:
    """Open the past of the former account key whose recovery key was typed, newest key first.

    Only keys count from which verified resets led to the own one. Refuses ``not_found`` when there
    is none, and as opening a blob does when no blob opens.
    """
    user = keyring.device.user
    keyring.refresh(user)
    ended = {amk_pub for amk_pub, _ in former_keys(keyring.store, user, keyring.device.amk_pub)}
    answer = keyring.server.get("/api/me/former-recovery")["former"]
    refusal: ProtocolError | None = None
    for kept in reversed([each for each in answer if unb64(each["account_key"]) in ended]):
        try:
            former = _former_account(keyring, kept)
            return restore_account(former, secret=typed.secret, code=typed.code).history
        except ProtocolError as error:
            # Which key was typed only trying tells; that a blob is damaged is said before that.
            if refusal is None or isinstance(refusal, RecoveryError):
                refusal = error
    raise refusal or Refused("not_found")


def _former_account(keyring: Keyring, kept: JSON) -> OwnAccount:
    user, amk_pub = keyring.device.user, unb64(kept["account_key"])
    blob = SignedBlob(unb64(kept["recovery_blob"]), unb64(kept["recovery_sig"]))
    return OwnAccount(user, amk_pub, blob, _lists_under(keyring, amk_pub), carries_in(kept))


def _lists_under(keyring: Keyring, amk_pub: bytes) -> tuple[SignedDeviceList, ...]:
    """The own lists under one account key; all of them verified when they were kept."""
    read = [(parse_device_list(signed.data), signed) for signed in keyring.lists().values()]
    own = [(each.version, signed) for each, signed in read if each.amk_pub == amk_pub]
    return tuple(signed for _, signed in sorted(own, key=lambda pair: pair[0]))


def bring_back(rooms: Rooms, history: OwnHistory, room: bytes) -> Past | None:
    """Open what a room has of that past, keep it here, and seal it to the present backup key.

    None where there is no record of it. Safe to repeat. Refuses as following a chain does, and
    ``fork`` for another chain than the one that this home has followed.
    """
    records = {
        epoch: [record for record in found if history.names(record.writer)]
        for epoch, found in fetch_records(rooms.server, room).items()
    }
    if not any(records.values()):
        return None
    past = PastRooms(rooms, history)
    chain = past.chain(room)
    _demand_followed(rooms, room, chain)
    opened = past.keep(room, chain, records)
    view = rooms.view(room)
    if view is not None and view.title is None and view.head == opened.view.head:
        rooms.save_view(replace(view, title=opened.view.title))
    _seal_again(rooms, history, room, [(link, records.get(_epoch(link), [])) for link in chain])
    return opened


def _demand_followed(rooms: Rooms, room: bytes, chain: Sequence[Link]) -> None:
    """Refuse a chain that does not lead to the head that this home has followed (``fork``).

    Each commit names the one before it: one head has one chain.
    """
    view = rooms.view(room)
    if view is None and chain:
        return
    heads = {_epoch(link): link.commit.hash for link in chain}
    if view is None or heads.get(view.epoch) != view.head:
        raise ForkError("not the chain that was followed")


def _epoch(link: Link) -> int:
    return link.received.view.epoch


def _seal_again(
    rooms: Rooms,
    history: OwnHistory,
    room: bytes,
    found: Sequence[tuple[Link, Sequence[HistoryRecord]]],
) -> None:
    writer = rooms.keyring.history_writer()
    made = [_sealed_again(history, writer, link, records) for link, records in found]
    rooms.records.put(room, [record_to_json(record) for record in made if record is not None])


def _sealed_again(
    history: OwnHistory, writer: HistoryWriter, link: Link, records: Sequence[HistoryRecord]
) -> HistoryRecord | None:
    for record in records:
        try:
            devices, seed = history.writer(record.writer), history.seed(record.bk_version)
            return reseal_history(record, link.commit, writer, devices=devices, backup_seed=seed)
        except ProtocolError:
            continue  # why it did not open, opening has said
    return None
