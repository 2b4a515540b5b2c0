"""Files: sealed in chunks, hashed whole, described inside a message (docs/protocol.md §8.8).

Nothing here holds a file: a sealer, a checker and an opener take pieces of any length.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import nacl.bindings as sodium
from nacl.exceptions import RuntimeError as SodiumError

from crypto_client.encoding import KEY_SIZE
from crypto_client.errors import FileError
from crypto_client.primitives import Random, same, system_random

CHUNK = 65_536
OVERHEAD = sodium.crypto_secretstream_xchacha20poly1305_ABYTES
HEADER = sodium.crypto_secretstream_xchacha20poly1305_HEADERBYTES
MAX_LENGTH = 1 << 40
_MESSAGE = sodium.crypto_secretstream_xchacha20poly1305_TAG_MESSAGE
_FINAL = sodium.crypto_secretstream_xchacha20poly1305_TAG_FINAL


@dataclass(frozen=True)
class FileSeal:
    """What opens a sealed file: its key, the hash and size of all sealed bytes, its length."""

    key: bytes = field(repr=False)
    hash: bytes
    size: int
    length: int


def padme(length: int) -> int:
    """Give the padded length, at most 12 % more, so that sizes say little (PURBs, §4)."""
    if length < 2:
        return length
    exponent = length.bit_length() - 1
    step = 1 << (exponent - exponent.bit_length())
    return -(-length // step) * step


def sealed_size(length: int) -> int:
    """Give the number of sealed bytes of a file of this length."""
    padded = padme(length)
    return HEADER + padded + OVERHEAD * max(1, -(-padded // CHUNK))


def _require(condition: object, why: str) -> None:
    if not condition:
        raise FileError(why)


def _chunks(waiting: bytes, size: int) -> tuple[list[bytes], bytes]:
    # Something stays back always: whether a chunk is the last one shows only at the end.
    whole = max(0, len(waiting) - 1) // size
    cut = [waiting[at * size : (at + 1) * size] for at in range(whole)]
    return cut, waiting[whole * size :]


class FileSealer:
    """Seals a file of a known length; each has a key of its own."""

    def __init__(self, length: int, random: Random = system_random) -> None:
        if not 0 <= length <= MAX_LENGTH:
            raise ValueError("a file has a length up to 2^40")
        self._key = random(KEY_SIZE)
        self._state = sodium.crypto_secretstream_xchacha20poly1305_state()
        self._header = sodium.crypto_secretstream_xchacha20poly1305_init_push(
            self._state, self._key
        )
        self._hash = hashlib.blake2b(digest_size=32)
        self._length, self._taken, self._waiting = length, 0, b""

    def push(self, piece: bytes) -> bytes:
        """Take the next bytes of the file; gives sealed bytes to pass on."""
        self._taken += len(piece)
        if self._taken > self._length:
            raise ValueError("more bytes than the file was said to have")
        chunks, self._waiting = _chunks(self._waiting + piece, CHUNK)
        return self._out(b"".join(self._seal(chunk, _MESSAGE) for chunk in chunks))

    def finish(self) -> tuple[bytes, FileSeal]:
        """Seal the rest with its padding: (sealed bytes, what opens the file)."""
        if self._taken != self._length:
            raise ValueError("fewer bytes than the file was said to have")
        padding = bytes(padme(self._length) - self._length)
        chunks, rest = _chunks(self._waiting + padding, CHUNK)
        sealed = b"".join(self._seal(chunk, _MESSAGE) for chunk in chunks)
        last = self._out(sealed + self._seal(rest, _FINAL))
        size = sealed_size(self._length)
        return last, FileSeal(self._key, self._hash.digest(), size, self._length)

    def _seal(self, chunk: bytes, tag: int) -> bytes:
        return sodium.crypto_secretstream_xchacha20poly1305_push(self._state, chunk, b"", tag)

    def _out(self, sealed: bytes) -> bytes:
        sealed, self._header = self._header + sealed, b""
        self._hash.update(sealed)
        return sealed


class FileChecker:
    """Compares all sealed bytes with size and hash, before one of them is opened."""

    def __init__(self, seal: FileSeal, limit: int) -> None:
        _require(0 <= seal.length <= MAX_LENGTH, "a length out of range")
        _require(seal.size == sealed_size(seal.length), "a size that is not the length's")
        _require(seal.size <= limit, "a file that is too large")
        self._seal, self._size = seal, 0
        self._hash = hashlib.blake2b(digest_size=32)

    def push(self, piece: bytes) -> None:
        """Take the next sealed bytes; ``file`` as soon as there are too many."""
        self._size += len(piece)
        _require(self._size <= self._seal.size, "more bytes than the file has")
        self._hash.update(piece)

    def finish(self) -> "FileOpener":
        """Give the opener of the bytes that were checked; ``file`` when they are not the ones."""
        _require(self._size == self._seal.size, "fewer bytes than the file has")
        _require(same(self._hash.digest(), self._seal.hash), "other bytes than the file's")
        return FileOpener(self._seal)


class FileOpener:
    """Opens a file that was checked; comes only from a checker.

    It is given the bytes again, from a place that others may have written to meanwhile, so it
    checks them again: what it gave is worth something only when ``finish`` has returned.
    """

    def __init__(self, seal: FileSeal) -> None:
        self._seal, self._waiting = seal, b""
        self._state = sodium.crypto_secretstream_xchacha20poly1305_state()
        self._begun = False
        self._padded = self._given = 0
        self._hash = hashlib.blake2b(digest_size=32)

    def push(self, piece: bytes) -> bytes:
        """Take the next sealed bytes; gives opened ones."""
        self._hash.update(piece)
        self._waiting += piece
        if not self._begun and len(self._waiting) >= HEADER:
            header, self._waiting = self._waiting[:HEADER], self._waiting[HEADER:]
            sodium.crypto_secretstream_xchacha20poly1305_init_pull(
                self._state, header, self._seal.key
            )
            self._begun = True
        if not self._begun:
            return b""
        chunks, self._waiting = _chunks(self._waiting, CHUNK + OVERHEAD)
        return b"".join(self._open(chunk, _MESSAGE) for chunk in chunks)

    def finish(self) -> bytes:
        """Open the last chunk; ``file`` when anything is not as it was checked."""
        _require(self._begun, "shorter than its header")
        opened = self._open(self._waiting, _FINAL)
        _require(self._padded == padme(self._seal.length), "another padded length")
        _require(same(self._hash.digest(), self._seal.hash), "other bytes than were checked")
        return opened

    def _open(self, chunk: bytes, wanted: int) -> bytes:
        _require(len(chunk) >= OVERHEAD, "shorter than its tag")
        try:
            opened, tag = sodium.crypto_secretstream_xchacha20poly1305_pull(self._state, chunk, b"")
        except SodiumError:
            raise FileError("a chunk does not open") from None
        _require(tag == wanted, "a chunk with another tag")
        self._padded += len(opened)
        return self._without_padding(opened)

    def _without_padding(self, opened: bytes) -> bytes:
        content = opened[: max(0, self._seal.length - self._given)]
        _require(not any(opened[len(content) :]), "padding that is not zero")
        self._given += len(content)
        return content


def open_file(seal: FileSeal, pieces: Sequence[bytes], *, limit: int) -> bytes:
    """Check and open a file that is in memory anyway."""
    checker = FileChecker(seal, limit)
    for piece in pieces:
        checker.push(piece)
    opener = checker.finish()
    opened = [opener.push(piece) for piece in pieces]
    return b"".join(opened) + opener.finish()
