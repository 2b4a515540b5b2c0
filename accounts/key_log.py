"""The key log: every device list and reset has its leaf in it, written in the same transaction.

Append-only. Whoever writes holds the lock of the first log's row, so that indices have no hole and
no two of them are taken at once; a transaction that is rolled back leaves nothing behind.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.core.cache import cache
from django.db import IntegrityError, transaction
from nacl.signing import SigningKey

from accounts.key_log_objects import (
    ACCOUNT_RESET,
    DEVICE_LIST,
    NO_HASH,
    LeafObject,
    Tree,
    head_bytes,
    label_of,
    leaf_hash,
    log_id_of,
    public_half,
    read_leaf,
    signature,
    signing_keys,
    start_bytes,
)
from accounts.models import DeviceList, FormerKey, KeyLog, KeyLogLeaf, Reset, User
from accounts.protocol import labelled, lp
from accounts.refusals import Refused
from accounts.signed_objects import DeviceListObject

PAGE = 1000
HEAD_LIFE_SECONDS = 600
LEAVES_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Record:
    """Something that happened to an account's keys, as its leaf says it."""

    label: bytes
    kind: int
    record_hash: bytes


@dataclass(frozen=True, slots=True)
class SignedHead:
    """A head and the log key's signature."""

    head: bytes
    sig: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """Leaves behind an index, the head of the size they end at, and whether more follow."""

    leaves: list[bytes]
    head: SignedHead
    more: bool


def keep_list(
    user: User, listed: DeviceListObject, *, body: bytes, sig: bytes, key_number: int = 1
) -> DeviceList:
    """Keep a device list, and its leaf with it; the caller's transaction holds both.

    Every new list of an account goes this way. The caller has checked it and locked the user.
    """
    log = _locked_log()
    kept = DeviceList.objects.create(
        user=user,
        key_number=key_number,
        version=listed.version,
        body=body,
        sig=sig,
        list_hash=listed.list_hash,
    )
    _write(log, [_of_list(kept)])
    return kept


def log_reset(reset: Reset) -> None:
    """Write the leaf of a reset that is completed; the first list under the new key follows it."""
    log = _locked_log()
    _write(log, [_of_reset(reset)])


def _of_list(kept: DeviceList) -> Record:
    return Record(label_of(kept.user_id), DEVICE_LIST, bytes(kept.list_hash))


def _of_reset(reset: Reset) -> Record:
    return Record(label_of(reset.user_id), ACCOUNT_RESET, bytes(reset.reset_id))


def _everything() -> Iterator[Record]:
    """All lists as they came, each reset before the first list that it made possible."""
    former = FormerKey.objects.select_related("reset")
    resets = {(row.user_id, row.number + 1): row.reset for row in former}
    for kept in DeviceList.objects.order_by("pk").iterator(chunk_size=LEAVES_AT_ONCE):
        if kept.version == 1 and (kept.user_id, kept.key_number) in resets:
            yield _of_reset(resets[kept.user_id, kept.key_number])
        yield _of_list(kept)


def server_signature(label: str, data: bytes) -> bytes:
    """SIG(LOG, label, x) by the newest log's key, which clients pin as the server's.

    `Refused` with ``unavailable`` when that key is gone.
    """
    return _key_of(newest_log()).sign(labelled(label, data)).signature


def server_keys() -> frozenset[bytes]:
    """The public keys with which this server has signed, former logs' keys included."""
    return frozenset(bytes(log.log_pub) for log in starts())


def newest_log() -> KeyLog:
    """The log that is written to; the first one begins when it is first asked for."""
    log = KeyLog.objects.order_by("-pk").first()
    if log is None:
        with transaction.atomic():
            log = _locked_log()
    return log


def starts() -> list[KeyLog]:
    """All logs that lead from a first one to the newest, ascending."""
    newest = newest_log()
    first = KeyLog.objects.filter(number=1).order_by("-pk").first() or newest
    return list(KeyLog.objects.filter(pk__gte=first.pk).order_by("pk"))


def head_of(log: KeyLog) -> SignedHead:
    """The log's newest head; `Refused` with ``unavailable`` when the log's key is gone."""
    root = Tree.read(log.size, bytes(log.frontier)).root
    return _signed_head(log, log.size, root)


def page_after(index: int) -> Page:
    """Up to 1,000 leaves of the newest log behind an index."""
    log = newest_log()
    rows = list(log.leaves.filter(index__gte=index, index__lt=log.size).order_by("index")[:PAGE])
    leaves = [bytes(row.body) for row in rows]
    if not rows or rows[-1].index + 1 == log.size:
        return Page(leaves, head_of(log), more=False)
    size = rows[-1].index + 1
    return Page(leaves, _signed_head(log, size, bytes(rows[-1].root)), more=True)


def restart(*, with_new_key: bool = False) -> KeyLog:
    """Begin a new log that names the last head of the one before, and write all lists into it.

    `Refused` with ``unavailable`` when the key of the log before is gone: then clients believe no
    successor, and only ``with_new_key`` goes on, as a first log that they have to be told about.
    """
    with transaction.atomic():
        before = _locked_log()
        if with_new_key:
            return _begin(number=1, before=b"", by=None)
        last = _signed_head(
            before, before.size, Tree.read(before.size, bytes(before.frontier)).root
        )
        named = lp(last.head, last.sig)
        return _begin(number=before.number + 1, before=named, by=_key_of(before))


def _locked_log() -> KeyLog:
    """The newest log, with the lock that every writer takes."""
    if not KeyLog.objects.exists():
        try:
            with transaction.atomic():
                return _begin(number=1, before=b"", by=None)
        except IntegrityError:
            pass  # somebody else began it at the same moment
    # The first row is the lock, whichever log is written to: a successor may begin meanwhile.
    KeyLog.objects.select_for_update().order_by("pk")[:1].get()
    newest = KeyLog.objects.select_for_update().order_by("-pk").first()
    assert newest is not None  # noqa: S101
    return newest


def _begin(*, number: int, before: bytes, by: SigningKey | None) -> KeyLog:
    own = next(signing_keys())
    start = start_bytes(number, public_half(own), _now_ms(), before)
    log = KeyLog.objects.create(
        pk=(KeyLog.objects.order_by("-pk").values_list("pk", flat=True).first() or 0) + 1,
        number=number,
        start=start,
        sig=signature(by or own, "log", start),
        log_id=log_id_of(start),
        log_pub=public_half(own),
    )
    _write(log, _everything())
    return log


def _write(log: KeyLog, records: Iterable[Record]) -> None:
    """Append one leaf for each record; the log is locked."""
    tree = Tree.read(log.size, bytes(log.frontier))
    newest: dict[bytes, LeafObject] = {}
    rows: list[KeyLogLeaf] = []
    for record in records:
        leaf = _next_leaf(newest.get(record.label) or _newest_leaf(log, record.label), record)
        newest[record.label] = leaf
        index, tree = tree.size, tree.append(leaf.encode())
        rows.append(_row(log, index, leaf, tree.root))
        if len(rows) == LEAVES_AT_ONCE:
            KeyLogLeaf.objects.bulk_create(rows)
            rows.clear()
    KeyLogLeaf.objects.bulk_create(rows)
    log.size, log.frontier = tree.size, b"".join(tree.hashes)
    log.save(update_fields=["size", "frontier"])


def _newest_leaf(log: KeyLog, label: bytes) -> LeafObject | None:
    if log.size == 0:
        return None
    # A locking read: what others committed while this transaction waited counts.
    rows = log.leaves.select_for_update().filter(label=label.hex())
    row = rows.order_by("-seq").first()
    return read_leaf(bytes(row.body)) if row else None


def _next_leaf(before: LeafObject | None, record: Record) -> LeafObject:
    seq, previous = (before.seq, leaf_hash(before.encode())) if before else (0, NO_HASH)
    return LeafObject(record.label, seq + 1, record.kind, record.record_hash, previous)


def _row(log: KeyLog, index: int, leaf: LeafObject, root: bytes) -> KeyLogLeaf:
    return KeyLogLeaf(
        log=log, index=index, label=leaf.label.hex(), seq=leaf.seq, body=leaf.encode(), root=root
    )


def _signed_head(log: KeyLog, size: int, root: bytes) -> SignedHead:
    """Signed when asked for, and kept for minutes: its time must not be a day old."""
    name = f"key-log-head:{log.pk}:{bytes(log.log_id).hex()}:{size}"
    kept = cache.get(name)
    if kept is None:
        head = head_bytes(bytes(log.log_id), size, root, _now_ms())
        kept = (head, signature(_key_of(log), "head", head))
        cache.set(name, kept, HEAD_LIFE_SECONDS)
    return SignedHead(*kept)


def _key_of(log: KeyLog) -> SigningKey:
    for key in signing_keys():
        if public_half(key) == bytes(log.log_pub):
            return key
    raise Refused("unavailable")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
