"""A further device by the recovery secret alone (docs/protocol.md §5.5).

Pure steps: what is fetched comes in, what is to be kept goes out, nothing is remembered here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from crypto_client.commit import Commit, open_title, title_after
from crypto_client.device_list import DeviceList, SignedDeviceList, walk_own_lists
from crypto_client.epoch import RoomView, Trust, senders_of
from crypto_client.errors import AeadError, BodyError, ProtocolError, RecoveryError, SignatureError
from crypto_client.history import HistoryRecord, open_history
from crypto_client.ops import ChangeState, Create, parse_ops
from crypto_client.primitives import h
from crypto_client.ratchet import EpochState, close_epoch, start_epoch, unusable_epoch
from crypto_client.receiving import Received, read_commit
from crypto_client.recovery import Recovered, SignedBlob, backup_public, open_recovery
from crypto_client.renewal import backup_seeds
from crypto_client.roster import find_member


@dataclass(frozen=True)
class OwnAccount:
    """What the server says of the own account: nothing of it is believed before it verified.

    ``carries`` are the seeds of former backup keys by ``bk_version``, each sealed to the next key.
    """

    user: bytes
    amk_pub: bytes
    blob: SignedBlob
    lists: tuple[SignedDeviceList, ...]
    carries: Mapping[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class OwnHistory:
    """What opens an account's past, and nothing else of it.

    All its lists from the first on, and its backup seeds by ``bk_version``. ``former`` are the
    account keys of before, from which verified resets led to this one.
    """

    user: bytes
    lists: tuple[DeviceList, ...]
    seeds: Mapping[int, bytes] = field(repr=False)
    former: tuple[bytes, ...] = ()

    @property
    def amk_pub(self) -> bytes:
        """The account key whose past this opens."""
        return self.lists[-1].amk_pub

    def seed(self, bk_version: int) -> bytes:
        """What opens the records of a backup key; ``recovery`` where it is not at hand."""
        if bk_version not in self.seeds:
            raise RecoveryError("a history record of a backup key that is not at hand")
        return self.seeds[bk_version]

    def names(self, device: bytes) -> bool:
        """Whether a list, the newest or an earlier one, names this device."""
        return any(devices.entry(device) is not None for devices in self.lists)

    def writer(self, device: bytes) -> DeviceList:
        """A list that names this device, the newest or an earlier one, else ``signature``."""
        for devices in reversed(self.lists):
            if devices.entry(device) is not None:
                return devices
        raise SignatureError("a history record by a device that was never listed")


@dataclass(frozen=True)
class Restored:
    """The own account, opened by its secret, with all its device lists from the first on.

    ``seeds`` open its history, by ``bk_version``.
    """

    recovered: Recovered
    signed: tuple[SignedDeviceList, ...]
    lists: tuple[DeviceList, ...]
    seeds: Mapping[int, bytes] = field(repr=False)

    @property
    def newest(self) -> SignedDeviceList:
        """The list that the next one follows."""
        return self.signed[-1]

    @property
    def bk_pub(self) -> bytes:
        """The backup key that this account's devices write history to."""
        key, version = self.recovered.recovery_key, self.recovered.bk_version
        return backup_public(key, self.recovered.account.user, version)

    @property
    def history(self) -> OwnHistory:
        """What opens the past with it."""
        return OwnHistory(self.recovered.account.user, self.lists, self.seeds)


def restore_account(
    own: OwnAccount,
    *,
    secret: str | None = None,
    code: str | None = None,
    known_version: int = 0,
) -> Restored:
    """Open the own account with the six words or the code, and read its lists under that key.

    ``recovery`` for a blob that does not open, holds another account key than the server claims,
    or another backup key than the newest list names; else as `open_recovery` and `walk_own_lists`.
    """
    recovered = open_recovery(
        own.blob, user=own.user, secret=secret, code=code, known_version=known_version
    )
    amk_pub = recovered.account.public
    if amk_pub != own.amk_pub:
        raise RecoveryError("the server names another account key than the blob holds")
    lists = walk_own_lists(own.lists, user=own.user, amk_pub=amk_pub)
    bk_pub = backup_public(recovered.recovery_key, own.user, recovered.bk_version)
    if (recovered.bk_version, h("bk", bk_pub)) != (lists[-1].bk_version, lists[-1].bk_hash):
        raise RecoveryError("the blob is not of the newest list's backup key")
    seeds = backup_seeds(recovered.backup_seed, lists, own.carries)
    return Restored(recovered, own.lists, lists, seeds)


@dataclass(frozen=True)
class Link:
    """One commit of a chain that has been verified from epoch 0, and what it made of the room."""

    commit: Commit
    received: Received


@dataclass(frozen=True)
class Past:
    """What history gave back of one room.

    ``epochs`` are those in whose roster the account is, ``opened`` or not; ``refused`` names, by
    epoch, why none of its records opened it.
    """

    view: RoomView
    epochs: tuple[EpochState, ...]
    refused: Mapping[int, str]


def reopen_past(
    own: OwnHistory,
    chain: Sequence[Link],
    records: Mapping[int, Sequence[HistoryRecord]],
    trust: Trust,
) -> Past:
    """Open the epochs of a verified chain with the account's own history records, by epoch.

    The keys of senders are those that the roster of their epoch names. A title is read as its
    readers read it then (§6.4). An epoch under a former account key is there only where a device of
    this one has sealed it again (§5.8).
    """
    epochs: list[EpochState] = []
    refused: dict[int, str] = {}
    title: str | None = None
    former: str | None = None
    for at, link in enumerate(chain):
        former = former if title is None else title
        known, title = title, None if _sets_title(link.commit) else title
        view = link.received.view
        found = _counting(own, view, records.get(view.epoch, ()))
        if found is None:
            continue
        state = unusable_epoch(view.room, view.epoch, link.commit.hash)
        try:
            secret = _secret_of(own, link, found)
        except ProtocolError as error:
            refused[view.epoch] = error.outcome
            secret = None
        if secret is not None:
            state = _chains(link, secret, trust)
            title = _title(link, secret, known)
        cuts = chain[at + 1].received.cuts if at + 1 < len(chain) else {}
        epochs.append(close_epoch(state, cuts))
    view = replace(chain[-1].received.view, title=title, former_title=former)
    return Past(view, tuple(epochs), refused)


def _counting(
    own: OwnHistory, view: RoomView, found: Sequence[HistoryRecord]
) -> Sequence[HistoryRecord] | None:
    """The records that count for an epoch; None where the account is not, or is another party."""
    row = find_member(view.roster, own.user)
    if row is None or row.amk_pub not in {own.amk_pub, *own.former}:
        return None
    if row.amk_pub == own.amk_pub:
        return found
    return [record for record in found if own.names(record.writer)] or None


def _secret_of(own: OwnHistory, link: Link, records: Sequence[HistoryRecord]) -> bytes | None:
    """The secret of the first record that passes; None when there is none, else the last refusal.

    Anybody can write to a public key, so one bad record must not hide a good one.
    """
    refusal: ProtocolError | None = None
    for record in records:
        try:
            return open_history(
                record,
                link.commit,
                user=own.user,
                devices=own.writer(record.writer),
                backup_seed=own.seed(record.bk_version),
            )
        except ProtocolError as error:
            refusal = error
    if refusal is not None:
        raise refusal
    return None


def _chains(link: Link, secret: bytes, trust: Trust) -> EpochState:
    view = link.received.view
    senders = {
        device: (user, entry.dsk_pub)
        for device, (user, entry) in senders_of(view.roster, trust).items()
    }
    return start_epoch(view.room, view.epoch, link.commit.hash, secret, senders)


def _sets_title(commit: Commit) -> bool:
    return any(isinstance(op, ChangeState | Create) for op in parse_ops(commit.ops))


def _title(link: Link, secret: bytes, known: str | None) -> str | None:
    read = read_commit(link.commit, link.received.view.room)
    changes = _sets_title(link.commit)
    try:
        said = open_title(secret, read.core, read.sealed)
    except (AeadError, BodyError):
        return None if changes else known
    return title_after(known, said, is_first=read.core.epoch == 0, changes=changes)
