"""Computes the key log again from its rows, and compares device lists with their leaves."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from accounts.key_log import starts
from accounts.key_log_objects import (
    ACCOUNT_RESET,
    DEVICE_LIST,
    NO_HASH,
    LeafObject,
    Tree,
    label_of,
    leaf_hash,
    log_id_of,
    public_half,
    read_leaf,
    signing_keys,
)
from accounts.models import DeviceList, FormerKey, KeyLog, KeyLogLeaf, User
from accounts.protocol import Malformed, digest, read_lp, typed, verifies

# Of a leaf: label, kind, and the hash of the list or reset that it names.
Named = tuple[bytes, int, bytes]


@dataclass
class Checked:
    """What was looked at, and what is wrong; nothing is repaired."""

    logs: int = 0
    leaves: int = 0
    lists: int = 0
    troubles: list[str] = field(default_factory=list)


def check_key_log() -> Checked:
    """Look at every leaf of every log that clients may follow, and at every device list."""
    checked = Checked()
    before: KeyLog | None = None
    newest: dict[bytes, LeafObject] = {}
    listed: set[Named] = set()
    for log in starts():
        checked.logs += 1
        checked.troubles += _start_troubles(log, before)
        newest.clear()
        listed.clear()
        for trouble in _leaf_troubles(log, newest, listed):
            checked.troubles.append(f"log {log.number}: {trouble}")
        checked.leaves += log.size
        before = log
    checked.troubles += _list_troubles(newest, listed, checked)
    if before is not None and bytes(before.log_pub) not in map(public_half, signing_keys()):
        checked.troubles.append("the key of the newest log is gone: see SECRET_KEY_FALLBACKS")
    return checked


def _start_troubles(log: KeyLog, before: KeyLog | None) -> Iterator[str]:
    start, log_id = bytes(log.start), bytes(log.log_id)
    by = bytes((before or log).log_pub)
    if log_id != log_id_of(start) or not verifies(by, "log", log_id, bytes(log.sig)):
        yield f"log {log.number}: its beginning is not what was signed"
    if before is not None and not _names_a_head_of(before, start):
        yield f"log {log.number}: it names no head of the log before"


def _names_a_head_of(before: KeyLog, start: bytes) -> bool:
    try:
        head, sig = read_lp(typed(start, "log", 6)[3], 2)
        log_id, size, root, _ = typed(head, "head", 6)
    except Malformed:
        return False
    at = int.from_bytes(size, "big")
    rows = before.leaves.filter(index=at - 1).values_list("root", flat=True)
    own = bytes(rows[0]) if rows else Tree().root
    signed = verifies(bytes(before.log_pub), "head", digest("head", head), sig)
    return signed and log_id == bytes(before.log_id) and root == own


def _leaf_troubles(
    log: KeyLog, newest: dict[bytes, LeafObject], listed: set[Named]
) -> Iterator[str]:
    """Fills in the newest leaf of each label, and which lists and resets have a leaf."""
    tree = Tree()
    for row in log.leaves.order_by("index").iterator():
        if row.index != tree.size:
            yield f"leaf {tree.size} is missing"
            return
        tree = tree.append(bytes(row.body))
        try:
            leaf = read_leaf(bytes(row.body))
        except Malformed:
            yield f"leaf {row.index} cannot be read"
            continue
        yield from _row_troubles(row, leaf, newest.get(leaf.label), tree)
        newest[leaf.label] = leaf
        if leaf.kind in (DEVICE_LIST, ACCOUNT_RESET):
            listed.add((leaf.label, leaf.kind, leaf.record_hash))
    if (log.size, bytes(log.frontier)) != (tree.size, b"".join(tree.hashes)):
        yield "its size or frontier is not that of its leaves"


def _row_troubles(
    row: KeyLogLeaf, leaf: LeafObject, before: LeafObject | None, tree: Tree
) -> Iterator[str]:
    seq, previous = (before.seq, leaf_hash(before.encode())) if before else (0, NO_HASH)
    if (leaf.seq, leaf.previous) != (seq + 1, previous):
        yield f"leaf {row.index} does not follow its label's newest"
    if (row.label, row.seq, bytes(row.root)) != (leaf.label.hex(), leaf.seq, tree.root):
        yield f"leaf {row.index} is not what its row says"


def _list_troubles(
    newest: dict[bytes, LeafObject], listed: set[Named], checked: Checked
) -> Iterator[str]:
    """Lists and resets without a leaf, and leaves of living accounts without what they name."""
    highest: dict[bytes, DeviceList] = {}
    for kept in DeviceList.objects.order_by("user", "key_number", "version").iterator():
        checked.lists += 1
        label = label_of(kept.user_id)
        highest[label] = kept
        if (label, DEVICE_LIST, bytes(kept.list_hash)) not in listed:
            yield f"list {kept.version} of {kept.user_id} has no leaf"
        listed.discard((label, DEVICE_LIST, bytes(kept.list_hash)))
    for former in FormerKey.objects.select_related("reset"):
        named = (label_of(former.user_id), ACCOUNT_RESET, bytes(former.reset.reset_id))
        if named not in listed:
            yield f"the reset of {former.user_id} has no leaf"
        listed.discard(named)
    people = {label_of(user_id): user_id for user_id in User.objects.values_list("pk", flat=True)}
    for label, kind, _ in sorted(listed):
        if label in people:
            what = "list" if kind == DEVICE_LIST else "reset"
            yield f"a leaf of {people[label]} has no {what}"
    for label, kept in highest.items():
        leaf = newest.get(label)
        if leaf and leaf.kind == DEVICE_LIST and leaf.record_hash != bytes(kept.list_hash):
            yield f"list {kept.version} of {kept.user_id} is not the newest leaf"
