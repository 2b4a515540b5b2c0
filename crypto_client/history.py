"""History records: epoch secrets that only the recovery key opens (docs/protocol.md §5.4)."""

from dataclasses import dataclass

from crypto_client import xwing
from crypto_client.commit import HISTORY_OFF, Commit, confirm_tag, parse_core, parse_state
from crypto_client.device_list import DeviceList
from crypto_client.encoding import KEY_SIZE, SUITE_BYTE, lp, u64
from crypto_client.errors import AeadError, RecoveryError, SignatureError
from crypto_client.identity import DeviceKeys
from crypto_client.primitives import (
    TAG_SIZE,
    ZERO_NONCE,
    Random,
    aead_open,
    aead_seal,
    h,
    kdf,
    same,
    system_random,
    verify,
)

RECORD_SIZE = xwing.CIPHERTEXT_SIZE + KEY_SIZE + TAG_SIZE


@dataclass(frozen=True)
class EpochName:
    """Which epoch of which room, on which branch."""

    room: bytes
    epoch: int
    commit_hash: bytes


@dataclass(frozen=True)
class HistoryRecord:
    """One epoch's secret sealed to the account's backup key, signed by the device that wrote it."""

    name: EpochName
    bk_version: int
    writer: bytes
    record: bytes
    sig: bytes


@dataclass(frozen=True)
class HistoryWriter:
    """A device that writes history: its keys and the backup key of its own device list."""

    keys: DeviceKeys
    bk_version: int
    bk_pub: bytes


def history_writer(
    keys: DeviceKeys, own_list: DeviceList, bk_pub: bytes, known_bk_version: int = 0
) -> HistoryWriter:
    """Accept a backup key for writing; ``recovery`` unless the own device list names it."""
    if h("bk", bk_pub) != own_list.bk_hash or own_list.bk_version < known_bk_version:
        raise RecoveryError("a backup key that the own device list does not name")
    return HistoryWriter(keys, own_list.bk_version, bk_pub)


def _associated_data(user: bytes, bk_version: int, name: EpochName) -> bytes:
    return lp(
        b"history",
        SUITE_BYTE,
        user,
        u64(bk_version),
        name.room,
        u64(name.epoch),
        name.commit_hash,
    )


def seal_history(
    writer: HistoryWriter, name: EpochName, secret: bytes, random: Random = system_random
) -> HistoryRecord:
    """Seal an epoch secret to the backup key; 1168 bytes and a signature."""
    ad = _associated_data(writer.keys.user, writer.bk_version, name)
    ciphertext, shared = xwing.encapsulate(writer.bk_pub, random)
    record = ciphertext + aead_seal(kdf(shared, "history", ad), ZERO_NONCE, secret, ad)
    sig = writer.keys.sign("history", h("history", lp(ad, record)))
    return HistoryRecord(name, writer.bk_version, writer.keys.device, record, sig)


def open_history(
    record: HistoryRecord,
    commit: Commit,
    *,
    user: bytes,
    devices: DeviceList,
    backup_seed: bytes,
) -> bytes:
    """Open a record of the own account and check its secret against the commit's tag.

    Refuses ``signature`` for a writer that the own ``devices`` do not name, and ``recovery`` for a
    record that does not open, or opens to another secret than the commit's, or is of an epoch that
    keeps no history.
    """
    entry = devices.entry(record.writer)
    if entry is None:
        raise SignatureError("a history record by an unknown device")
    ad = _associated_data(user, record.bk_version, record.name)
    verify(entry.dsk_pub, "history", h("history", lp(ad, record.record)), record.sig)
    if len(record.record) != RECORD_SIZE or record.name.commit_hash != commit.hash:
        raise RecoveryError("a history record of another length or commit")
    _demand_kept(commit)
    ciphertext = record.record[: xwing.CIPHERTEXT_SIZE]
    try:
        shared = xwing.decapsulate(backup_seed, ciphertext)
        sealed = record.record[xwing.CIPHERTEXT_SIZE :]
        secret = aead_open(kdf(shared, "history", ad), ZERO_NONCE, sealed, ad)
    except (xwing.XWingError, AeadError):
        raise RecoveryError("a history record does not open") from None
    if not same(confirm_tag(secret, commit.core_hash), commit.tag):
        raise RecoveryError("a history record with another secret")
    return secret


def _demand_kept(commit: Commit) -> None:
    """Refuse what somebody wrote for a room that agreed to keep nothing (§6.4)."""
    is_named = h("state", commit.state) == parse_core(commit.core).state_hash
    if not is_named or parse_state(commit.state)[0].history_policy == HISTORY_OFF:
        raise RecoveryError("a history record of an epoch that keeps no history")


def reseal_history(
    record: HistoryRecord,
    commit: Commit,
    writer: HistoryWriter,
    *,
    devices: DeviceList,
    backup_seed: bytes,
) -> HistoryRecord:
    """Open a record with a former backup seed and seal it again to the writer's backup key.

    Refuses as `open_history`: what is not the commit's secret never takes a good record's place.
    """
    user = writer.keys.user
    secret = open_history(record, commit, user=user, devices=devices, backup_seed=backup_seed)
    return seal_history(writer, record.name, secret)
