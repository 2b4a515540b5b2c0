"""Wraps that a device fetches, and history records that an account keeps for itself."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from accounts.access import former_devices, newest_list
from accounts.models import Device, User
from accounts.protocol import SUITE, digest, lp, verifies
from accounts.refusals import Refused
from accounts.signed_objects import parse_device_list
from rooms.access import room_for_reader, stays_of
from rooms.commit import HISTORY_OFF, parse_state
from rooms.models import EpochCommit, EpochWrap, HistoryRecord

WRITERS_AN_EPOCH = 3
WRAP_LIFE = timedelta(days=60)
WRAPS_A_QUERY = 500


@dataclass(frozen=True, slots=True)
class HistoryItem:
    """An epoch secret sealed to its owner's backup key, signed by the device that wrote it."""

    epoch: int
    commit_hash: bytes
    bk_version: int
    record: bytes
    sig: bytes

    def signed(self, user: UUID, room_id: UUID) -> bytes:
        """What the signature is over (docs/protocol.md 5.4)."""
        bound = lp(
            b"history",
            bytes([SUITE]),
            user.bytes,
            self.bk_version.to_bytes(8, "big"),
            room_id.bytes,
            self.epoch.to_bytes(8, "big"),
            self.commit_hash,
        )
        return digest("history", lp(bound, self.record))


@transaction.atomic
def acknowledge_wraps(*, actor: User, device: Device, room_id: UUID, epochs: Sequence[int]) -> None:
    """Delete the wraps of this device that it says it has opened."""
    room_for_reader(actor, room_id)
    EpochWrap.objects.filter(
        device=device,
        commit__room=room_id,
        commit__epoch__in=epochs,
        commit__status=EpochCommit.Status.ACCEPTED,
    ).delete()


def forget_old_wraps() -> int:
    """Delete wraps that nobody has fetched for 60 days; gives how many.

    Never those of a room's head epoch: a device that was away reads on from there
    (docs/protocol.md 4).
    """
    old = EpochWrap.objects.filter(commit__created_at__lt=timezone.now() - WRAP_LIFE).exclude(
        commit__epoch=F("commit__room__head_epoch")
    )
    # MySQL does not delete rows that the condition reads through a join.
    wraps = list(old.values_list("pk", flat=True))
    for start in range(0, len(wraps), WRAPS_A_QUERY):
        EpochWrap.objects.filter(pk__in=wraps[start : start + WRAPS_A_QUERY]).delete()
    return len(wraps)


def forget_wraps(devices: Collection[UUID]) -> None:
    """Delete what revoked devices have not fetched, in the revocation's transaction."""
    EpochWrap.objects.filter(device__in=devices).delete()


@transaction.atomic
def save_history_records(
    *, actor: User, device: Device, room_id: UUID, records: Sequence[HistoryItem]
) -> None:
    """Keep an account's own history records, all or none.

    At most three devices write for an epoch; what a fourth brings is not needed and is not kept.
    A record for a newer backup key takes the place of those for older ones: whoever has an older
    recovery key gets nothing more of that epoch from here. A device that has not heard of the
    newest key yet may still write for the one before; the account's carried seeds open that.
    Records of before the account started again count their backup keys by themselves: they stay,
    and keep nothing out.
    Refuses with ``forbidden`` an epoch that the actor may not read, with ``history_off`` one that
    keeps no history, and with ``invalid`` another commit hash, backup version or signature.
    """
    room_for_reader(actor, room_id)
    _demand_readable(actor, room_id, records)
    bk_version = parse_device_list(bytes(newest_list(actor).body)).bk_version
    for item in records:
        genuine = verifies(
            bytes(device.dsk_pub), "history", item.signed(actor.id, room_id), item.sig
        )
        if not 1 <= item.bk_version <= bk_version or not genuine:
            raise Refused("invalid", fields={"records": ["Not sealed and signed as it must be."]})
    own = HistoryRecord.objects.filter(user=actor, room=room_id)
    present = own.exclude(writer_device__in=former_devices(actor))
    kept = _kept_in(present, records)
    for item in records:
        if _is_wanted(item, device, kept[item.epoch]):
            present.filter(epoch=item.epoch, bk_version__lt=item.bk_version).delete()
            _save(actor, device, room_id, item)


def _demand_readable(actor: User, room_id: UUID, records: Iterable[HistoryItem]) -> None:
    stays = stays_of(actor.id, room_id)
    epochs = {item.epoch for item in records}
    commits = {
        row.epoch: row
        for row in EpochCommit.objects.filter(
            room=room_id, epoch__in=epochs, status=EpochCommit.Status.ACCEPTED
        )
    }
    for item in records:
        commit = commits.get(item.epoch)
        if commit is None or not any(stay.covers(item.epoch) for stay in stays):
            raise Refused("forbidden")
        if parse_state(bytes(commit.state)).history_policy == HISTORY_OFF:
            raise Refused("history_off")
        if bytes(commit.hash) != item.commit_hash:
            raise Refused("invalid", fields={"records": ["Not this epoch's commit."]})


def _kept_in(
    present: QuerySet[HistoryRecord], records: Iterable[HistoryItem]
) -> dict[int, list[tuple[int, UUID]]]:
    """The backup version and writer of each record that is kept for these epochs."""
    found: dict[int, list[tuple[int, UUID]]] = {item.epoch: [] for item in records}
    rows = present.filter(epoch__in=found)
    for epoch, bk_version, writer in rows.values_list("epoch", "bk_version", "writer_device"):
        found[epoch].append((bk_version, writer))
    return found


def _is_wanted(item: HistoryItem, device: Device, kept: Sequence[tuple[int, UUID]]) -> bool:
    if any(bk_version > item.bk_version for bk_version, _ in kept):
        return False
    others = [w for bk_version, w in kept if bk_version == item.bk_version and w != device.id]
    return len(others) < WRITERS_AN_EPOCH


def _save(actor: User, device: Device, room_id: UUID, item: HistoryItem) -> None:
    HistoryRecord.objects.update_or_create(
        user=actor,
        room_id=room_id,
        epoch=item.epoch,
        writer_device=device.id,
        defaults={
            "commit_hash": item.commit_hash,
            "bk_version": item.bk_version,
            "record": item.record,
            "sig": item.sig,
        },
    )
