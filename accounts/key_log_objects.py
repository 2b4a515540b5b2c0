"""The objects of the key log and its tree, as the server writes them. See docs/protocol.md, 11."""

import functools
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from nacl.signing import SigningKey

from accounts.protocol import digest, labelled, lp, typed
from accounts.signed_objects import SUITE_FIELD

DEVICE_LIST, ACCOUNT_RESET = 1, 2
NO_HASH = bytes(32)
HASH_SIZE = 32
KEY_LABEL = b"HRK/1 key log"


@dataclass(frozen=True, slots=True)
class LeafObject:
    """One entry of the log, as its bytes say it."""

    label: bytes
    seq: int
    kind: int
    record_hash: bytes
    previous: bytes

    def encode(self) -> bytes:
        """The bytes that are hashed and handed out."""
        seq, kind = self.seq.to_bytes(8, "big"), bytes([self.kind])
        return lp(b"leaf", SUITE_FIELD, self.label, seq, kind, self.record_hash, self.previous)


@dataclass(frozen=True, slots=True)
class Tree:
    """The size of a log and the roots of its perfect subtrees, the largest first."""

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    @classmethod
    def read(cls, size: int, joined: bytes) -> "Tree":
        """The tree that a row keeps."""
        starts = range(0, len(joined), HASH_SIZE)
        return cls(size, tuple(joined[at : at + HASH_SIZE] for at in starts))

    def append(self, leaf: bytes) -> "Tree":
        """The tree with one more leaf, given by its bytes."""
        hashes, rest = [*self.hashes, leaf_hash(leaf)], self.size
        while rest % 2:
            right, left = hashes.pop(), hashes.pop()
            hashes.append(_node(left, right))
            rest //= 2
        return Tree(self.size + 1, tuple(hashes))

    @property
    def root(self) -> bytes:
        """The hash of the whole log."""
        if not self.hashes:
            return digest("kt-empty", b"")
        return functools.reduce(lambda root, left: _node(left, root), reversed(self.hashes))


def label_of(user_id: UUID) -> bytes:
    """The name of an account in the log: everybody who knows the id computes the same."""
    return digest("kt-label", user_id.bytes)


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of a leaf's bytes."""
    return digest("kt-leaf", leaf)


def _node(left: bytes, right: bytes) -> bytes:
    return digest("kt-node", lp(left, right))


def read_leaf(data: bytes) -> LeafObject:
    """A leaf that this server once wrote; `Malformed` when the bytes are none."""
    label, seq, kind, record_hash, previous = typed(data, "leaf", 7)
    number = int.from_bytes(seq, "big")
    return LeafObject(label, number, int.from_bytes(kind, "big"), record_hash, previous)


def head_bytes(log_id: bytes, size: int, root: bytes, time_ms: int) -> bytes:
    """What is signed about a log at a size."""
    sizes = size.to_bytes(8, "big"), time_ms.to_bytes(8, "big")
    return lp(b"head", SUITE_FIELD, log_id, sizes[0], root, sizes[1])


def start_bytes(number: int, log_pub: bytes, time_ms: int, before: bytes) -> bytes:
    """What is signed about a log's beginning."""
    numbers = number.to_bytes(8, "big"), time_ms.to_bytes(8, "big")
    return lp(b"log", SUITE_FIELD, numbers[0], log_pub, numbers[1], before)


def log_id_of(start: bytes) -> bytes:
    """The name of a log, from its beginning."""
    return digest("log", start)


def signing_keys() -> Iterator[SigningKey]:
    """The keys this server can sign with: from its secret key, then from its former ones."""
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        yield _key(secret)


@functools.lru_cache(maxsize=16)
def _key(secret: str) -> SigningKey:
    return SigningKey(hmac.digest(secret.encode(), KEY_LABEL, "sha256"))


def public_half(key: SigningKey) -> bytes:
    """What clients pin."""
    return bytes(key.verify_key)


def signature(key: SigningKey, label: str, data: bytes) -> bytes:
    """SIG(key, label, H(label, data))."""
    return key.sign(labelled(label, digest(label, data))).signature
