"""A new recovery key from this home, and history sealed again to it (docs/protocol.md §5.6).

Everything is in the home before the server hears of it, and stays until it is done: a run that was
interrupted goes on where it was. The account key is there for the moment of `prepare` alone.
"""

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence

from crypto_client.client.failures import Refused
from crypto_client.client.keys import Keyring, keep_backup_key, keep_list, now_ms
from crypto_client.client.own_lists import open_account
from crypto_client.client.past import fetch_records
from crypto_client.client.rooms import Rooms
from crypto_client.client.server import JSON, Server, b64, unb64
from crypto_client.client.wire_commits import commit_of, record_to_json
from crypto_client.device_list import DeviceList, SignedDeviceList, parse_device_list
from crypto_client.errors import ProtocolError, RecoveryError
from crypto_client.history import HistoryRecord, HistoryWriter, history_writer, reseal_history
from crypto_client.recovery import backup_public, encode_code
from crypto_client.renewal import Renewal, renew_recovery
from crypto_client.restoring import Restored
from crypto_client.slips import Typed

PENDING = "renewal"
FORMER = "former_seeds"


def prepare(keyring: Keyring, typed: Typed) -> None:
    """Make a new recovery key with the present one, ready to be published; refuses as opening.

    ``kt`` when the own list is not the key log's newest: one on top of it would split the account.
    """
    store = keyring.store
    restored = open_account(keyring.server, store, typed)
    keyring.refresh(keyring.device.user)
    renewal = renew_recovery(restored.recovered, restored.newest, time=now_ms())
    store.remember(PENDING, _to_keep(restored, renewal))


def _to_keep(restored: Restored, renewal: Renewal) -> JSON:
    user, bk_version = restored.recovered.account.user, restored.recovered.bk_version + 1
    return {
        "version": restored.recovered.version + 1,
        "words": renewal.words,
        "code": encode_code(renewal.recovery_key),
        "bk_pub": b64(backup_public(renewal.recovery_key, user, bk_version)),
        "seeds": {str(version): b64(seed) for version, seed in restored.seeds.items()},
        "published": {
            "device_list": b64(renewal.devices.data),
            "list_sig": b64(renewal.devices.sig),
            "recovery_blob": b64(renewal.blob.data),
            "recovery_sig": b64(renewal.blob.sig),
            "carry": b64(renewal.carry),
        },
    }


def publish(keyring: Keyring) -> None:
    """Put the prepared key in the place of the present one, which is worth nothing from then on.

    When another list was quicker, what was prepared is forgotten: ``list_version``. An answer that
    was lost loses nothing.
    """
    store, server = keyring.store, keyring.server
    kept = store.fact(PENDING)
    published = kept["published"]
    signed = SignedDeviceList(unb64(published["device_list"]), unb64(published["list_sig"]))
    try:
        server.post("/api/me/recovery", published)
    except Refused as refusal:
        if refusal.code != "list_version":
            raise
        keyring.refresh(keyring.device.user)
        if signed.list_hash not in keyring.lists():
            store.remember(PENDING, None)
            raise
    _make_it_the_own(keyring, signed, kept)


def _make_it_the_own(keyring: Keyring, signed: SignedDeviceList, kept: JSON) -> None:
    store, devices = keyring.store, parse_device_list(signed.data)
    with store.transaction():
        known = keyring.newest(devices.user)
        if known is None or known.version < devices.version:
            keep_list(store, devices.user, devices.amk_pub, signed, devices.version)
        keep_backup_key(store, history_writer(keyring.device, devices, unb64(kept["bk_pub"])))
        store.remember(FORMER, kept["seeds"])
        store.remember("recovery_version", kept["version"])
        store.remember(PENDING, None)
    store.forget_recovery()


def reseal_room(rooms: Rooms, room: bytes) -> int:
    """Seal a room's history again to the newest backup key; gives how many records.

    What does not open stays where it is, as unreadable as it was.
    """
    writer = rooms.keyring.history_writer()
    seeds = {int(version): unb64(seed) for version, seed in rooms.store.fact(FORMER).items()}
    former = {
        epoch: written
        for epoch, written in _written_here(rooms, room).items()
        if written and all(record.bk_version < writer.bk_version for record, _ in written)
    }
    made: list[JSON] = []
    for item in _commits_of(rooms.server, room, former):
        record = _sealed_again(writer, item, former[item["epoch"]], seeds)
        if record is not None:
            made.append(record_to_json(record))
    rooms.records.put(room, made)
    return len(made)


def _commits_of(server: Server, room: bytes, epochs: Collection[int]) -> Iterator[JSON]:
    """The commits of these epochs. Each record names the hash of its own: none is believed."""
    path, after = f"/api/rooms/{uuid.UUID(bytes=room)}/commits", min(epochs, default=0) - 1
    while any(epoch > after for epoch in epochs):
        items = server.get(path, after=after)["commits"]
        yield from (item for item in items if item["epoch"] in epochs)
        highest = max((item["epoch"] for item in items), default=after)
        if highest <= after:
            return
        after = highest


def _written_here(rooms: Rooms, room: bytes) -> dict[int, list[tuple[HistoryRecord, DeviceList]]]:
    """A room's records by epoch, each with an own list that names its writer; others are left out.

    Backup keys of one account key count none of another's: a record of before the account was
    started again may have any version, and says nothing of the present keys.
    """
    own = _own_lists(rooms)
    return {
        epoch: [
            (record, devices)
            for record in records
            if (devices := _list_naming(own, record.writer)) is not None
        ]
        for epoch, records in fetch_records(rooms.server, room).items()
    }


def _sealed_again(
    writer: HistoryWriter,
    item: JSON,
    written: Sequence[tuple[HistoryRecord, DeviceList]],
    seeds: Mapping[int, bytes],
) -> HistoryRecord | None:
    commit = commit_of(item, {})
    for record, devices in written:
        try:
            seed = seeds.get(record.bk_version)
            if seed is None:
                raise RecoveryError("a history record of a backup key that is not at hand")
            return reseal_history(record, commit, writer, devices=devices, backup_seed=seed)
        except ProtocolError:
            continue  # anybody may have put it there: the next writer's may be the true one
    return None


def _own_lists(rooms: Rooms) -> list[DeviceList]:
    """The lists under the own account key; all of them verified when they were kept."""
    own = rooms.keyring.device
    read = (parse_device_list(signed.data) for signed in rooms.keyring.lists().values())
    return [each for each in read if (each.user, each.amk_pub) == (own.user, own.amk_pub)]


def _list_naming(own: Sequence[DeviceList], device: bytes) -> DeviceList | None:
    return next((devices for devices in own if devices.entry(device) is not None), None)
