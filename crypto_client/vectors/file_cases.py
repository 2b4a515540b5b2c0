"""Vectors of docs/protocol.md §8.8: sealed files, their names and types."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import nacl.bindings as sodium

from crypto_client.encoding import dump_json
from crypto_client.encoding import encode_base64url as b64
from crypto_client.file_seal import CHUNK, FileSealer, padme, sealed_size
from crypto_client.vectors.case import Case
from crypto_client.vectors.cast import seeded

_MESSAGE, _PUSH, _REKEY, _FINAL = (
    sodium.crypto_secretstream_xchacha20poly1305_TAG_MESSAGE,
    sodium.crypto_secretstream_xchacha20poly1305_TAG_PUSH,
    sodium.crypto_secretstream_xchacha20poly1305_TAG_REKEY,
    sodium.crypto_secretstream_xchacha20poly1305_TAG_FINAL,
)
_KEY = seeded("file")(32)
_LIMIT = 1 << 20


def cases() -> Iterator[tuple[str, Case]]:
    """Give every case with its topic."""
    for group in (_honest(), _by_server(), _by_insider(), _descriptions(), _names()):
        yield from (("file", case) for case in group)
    lengths = [0, 1, 2, 7, 8, 9, 100, 1000, 65_536, 65_537, 1_000_000, (1 << 40) - 1, 1 << 40]
    why = "padded so that sizes say little"
    yield "file", Case("file-sizes", why, "8.8", "file_sizes", {"lengths": lengths})


def _sealed(*chunks: tuple[bytes, int]) -> bytes:
    state = sodium.crypto_secretstream_xchacha20poly1305_state()
    sealed = sodium.crypto_secretstream_xchacha20poly1305_init_push(state, _KEY)
    for chunk, tag in chunks:
        sealed += sodium.crypto_secretstream_xchacha20poly1305_push(state, chunk, b"", tag)
    return sealed


def _case(
    name: str, comment: str, sealed: bytes, length: int, expect: str = "file", **more: Any
) -> Case:
    given = {
        "key": b64(_KEY),
        "hash": b64(hashlib.blake2b(sealed, digest_size=32).digest()),
        "size": sealed_size(length),
        "length": length,
        "sealed": b64(sealed),
        "limit": _LIMIT,
        **more,
    }
    return Case(name, comment, "8.8", "file_open", given, expect)


def _honest() -> Iterator[Case]:
    rows = [
        ("file", "a hundred bytes, padded to 104", 100),
        ("file-empty", "one empty last chunk", 0),
        ("file-one-byte", "no padding", 1),
        ("file-two-chunks", "one more than a chunk", CHUNK + 1),
    ]
    for name, comment, length in rows:
        sealer = FileSealer(length, lambda _: _KEY)
        sealed = sealer.push(seeded("content")(length))
        yield _case(name, comment, sealed + sealer.finish()[0], length, "ok")


def _by_server() -> Iterator[Case]:
    content = seeded("content")(100) + bytes(4)
    good = _sealed((content, _FINAL))
    yield _case("file-hash-wrong", "other bytes", good, 100, hash=b64(bytes(32)))
    yield _case("file-size-plus-1", "a size that is not the length's", good, 100,
                size=len(good) + 1)  # fmt: skip
    more, less = good + b"\0", good[:-1]
    yield _case("file-byte-more", "one more than the size", more, 100)
    yield _case("file-byte-less", "one less than the size", less, 100)
    yield _case("file-too-large", "above the limit", good, 100, limit=len(good) - 1)
    yield _case("file-at-limit", "just allowed", good, 100, "ok", limit=len(good))
    yield _case("file-length-beyond-2-40", "no such file", good, (1 << 40) + 1)
    yield _case("file-other-key", "of another file", good, 100, key=b64(bytes(32)))


def _by_insider() -> Iterator[Case]:
    content = seeded("content")(100)
    padded = content + bytes(4)
    yield _case("file-no-final", "cut off", _sealed((padded, _MESSAGE)), 100)
    yield _case("file-tag-push", "another tag", _sealed((padded, _PUSH)), 100)
    yield _case("file-tag-rekey", "another tag", _sealed((padded, _REKEY)), 100)
    full, rest = seeded("full")(CHUNK), bytes(padme(CHUNK + 1) - CHUNK)
    after = _sealed((full, _FINAL), (rest, _FINAL))
    yield _case("file-after-final", "something after the end", after, CHUNK + 1)
    good = _sealed((full, _MESSAGE), (rest, _FINAL))
    at = 24 + CHUNK + 17
    swapped = good[:24] + good[at:] + good[24:at]
    yield _case("file-swapped-chunks", "the end first", swapped, CHUNK + 1)
    split = _sealed((bytes(50), _MESSAGE), (bytes(37), _FINAL))
    yield _case("file-short-middle-chunk", "of the right size together", split, 104)
    dirty = _sealed((content + b"\0\0\0\1", _FINAL))
    yield _case("file-pad-nonzero", "a hidden byte", dirty, 100)
    yield _case("file-len-greater-than-plain", "more than is there", _sealed((padded, _FINAL)), 105)
    yield _case("file-empty-with-byte", "none was promised", _sealed((b"x", _FINAL)), 0)


def _description(number: int, **changed: Any) -> dict[str, Any]:
    return {
        "id": b64(bytes([number]) * 16),
        "key": b64(bytes([number]) * 32),
        "hash": b64(bytes(32)),
        "size": sealed_size(100),
        "len": 100,
        "mime": "image/png",
        "name": "cat.png",
        **changed,
    }


def _descriptions() -> Iterator[Case]:
    def case(
        name: str, comment: str, files: Any, ids: Sequence[int] = (1,), expect: str = "ok"
    ) -> Case:
        given = {
            "body": b64(dump_json({"type": "file", "files": files})),
            "attachments": [b64(bytes([number]) * 16) for number in ids],
        }
        return Case(name, comment, "8.8", "files", given, expect)

    one, two = _description(1), _description(2)
    yield case("files", "two pictures", [one, two], (1, 2))
    yield case("file-svg-inline", "a picture that can run code: a download",
               [_description(1, mime="image/svg+xml", name="cat.svg")])  # fmt: skip
    yield case("file-html-inline", "a page: a download", [_description(1, mime="text/html")])
    yield case("file-name-traversal", "a way out of the folder",
               [_description(1, name="../../.ssh/authorized_keys")])  # fmt: skip
    yield case("files-other-than-header", "another id", [one], (2,), "file")
    yield case("files-fewer-than-header", "one is not described", [one], (1, 2), "file")
    yield case("files-other-order", "not the header's", [two, one], (1, 2), "file")
    yield case("files-one-key", "a key is used once", [one, _description(2, key=one["key"])],
               (1, 2), "file")  # fmt: skip
    odd: list[tuple[str, str, Any]] = [
        ("files-none", "no file", []),
        ("files-17", "too many", [_description(number) for number in range(17)]),
        ("files-object", "no list", one),
        ("files-of-text", "no description", ["cat.png"]),
        ("file-key-31", "a short key", [_description(1, key=b64(bytes(31)))]),
        ("file-size-text", "no number", [_description(1, size="1")]),
        ("file-len-negative", "no length", [_description(1, len=-1)]),
        ("file-mime-upper-case", "one form", [_description(1, mime="Image/png")]),
        ("file-mime-parameter", "one form", [_description(1, mime="text/html;x=image/png")]),
        ("file-name-256", "too long", [_description(1, name="n" * 256)]),
        ("file-name-number", "no name", [_description(1, name=1)]),
    ]
    for name, comment, files in odd:
        yield case(name, comment, files, expect="body")


def _names() -> Iterator[Case]:
    rows = [
        ("plain", "고양이 사진.png"),
        ("traversal", "../../etc/passwd"),
        ("backslash", "..\\..\\windows\\win.ini"),
        ("dots", "..."),
        ("empty", ""),
        ("hidden", ".bashrc"),
        ("turned", "invoice\u202egpj.exe"),
        ("control", "a\nb\x00c.txt"),
        ("device", "CON.txt"),
        ("device-bare", "lpt1"),
        ("colon", 'a:b*c?"d<e>f|g.txt'),
        ("long", "n" * 200 + ".png"),
        ("long-without-ending", "나" * 200),
        ("surrogates", "😀" * 121),
        ("long-ending", "a." + "b" * 130),
        ("trailing", "cat.png. . "),
        ("slash-last", "folder/"),
    ]
    for name, given in rows:
        yield Case(f"name-{name}", "saved under", "8.8", "file_name", {"name": given})
