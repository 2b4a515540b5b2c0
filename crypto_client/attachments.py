"""What a message says about its files (docs/protocol.md §8.8)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from crypto_client.body import Body, bytes_member, is_count
from crypto_client.encoding import HASH_SIZE, ID_SIZE, KEY_SIZE, encode_base64url
from crypto_client.errors import BodyError, FileError
from crypto_client.file_seal import FileSeal

MAX_FILES = 16
MAX_NAME = 255
SHOWN_INLINE = frozenset(
    [
        *("image/png", "image/jpeg", "image/gif", "image/webp"),
        *("audio/mpeg", "audio/mp4", "audio/ogg", "audio/wav", "audio/webm"),
        *("video/mp4", "video/webm"),
    ]
)
_MIME = re.compile(r"[a-z0-9][a-z0-9.+-]{0,62}/[a-z0-9][a-z0-9.+-]{0,62}\Z")
# Control characters, and those that turn a name's direction so that exe.txt reads as txt.exe.
_HIDDEN = re.compile(
    "[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)
_UNSAFE = re.compile('[<>:"|?*]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|\Z)", re.IGNORECASE | re.ASCII)
_CLEAN_LENGTH = 120


@dataclass(frozen=True)
class Attachment:
    """One file of a message."""

    id: bytes
    seal: FileSeal
    mime: str
    name: str

    @property
    def is_shown_inline(self) -> bool:
        """Whether a client may draw or play it; everything else is a download."""
        return self.mime in SHOWN_INLINE

    @property
    def clean_name(self) -> str:
        """A name to save it under, whatever its sender called it."""
        return clean_name(self.name)

    def members(self) -> dict[str, object]:
        """Write the attachment as it stands in a body."""
        seal = self.seal
        named = {"id": self.id, "key": seal.key, "hash": seal.hash}
        written = {name: encode_base64url(data) for name, data in named.items()}
        sizes = {"size": seal.size, "len": seal.length}
        return {**written, **sizes, "mime": self.mime, "name": self.name}


def clean_name(name: str) -> str:
    """Make a file name safe: no folder, no hidden or turned characters, no device name."""
    base = re.split(r"[/\\]", _HIDDEN.sub("", name))[-1]
    base = _UNSAFE.sub("_", base).strip(" .")
    stem, dot, ending = base.rpartition(".")
    if dot and len(ending) < 16:
        base = stem[: _CLEAN_LENGTH - len(ending) - 1].rstrip(" .") + dot + ending
    base = base[:_CLEAN_LENGTH].strip(" .")
    if _RESERVED.match(base):
        base = "_" + base
    return base or "file"


def files_of(attachments: Sequence[Attachment], *, text: str = "") -> dict[str, object]:
    """Give the members of a body that carries files; the header lists the same ids."""
    members: dict[str, object] = {"type": "file", "files": [one.members() for one in attachments]}
    return {**members, "text": text} if text else members


def read_files(body: Body, attachments: Sequence[bytes]) -> tuple[Attachment, ...]:
    """Read the files of a body of type ``file``; ``attachments`` are the header's ids.

    Refuses ``body`` for another shape and ``file`` when header and body name different files or
    two files have one key.
    """
    files = body.members.get("files")
    if body.type != "file" or not isinstance(files, list) or not 1 <= len(files) <= MAX_FILES:
        raise BodyError("a body with 1 to 16 files")
    read = tuple(_attachment(value) for value in files)
    if [one.id for one in read] != list(attachments):
        raise FileError("other files than the header names")
    if len({one.seal.key for one in read}) != len(read):
        raise FileError("one key for two files")
    return read


def _attachment(value: object) -> Attachment:
    if not isinstance(value, dict):
        raise BodyError("an attachment is an object")
    size, length, mime, name = (value.get(member) for member in ("size", "len", "mime", "name"))
    if not is_count(size) or not is_count(length):
        raise BodyError("sizes are numbers from 0")
    if not isinstance(mime, str) or not _MIME.match(mime):
        raise BodyError("a type is two lower-case words")
    if not isinstance(name, str) or len(name.encode("utf-8")) > MAX_NAME:
        raise BodyError("a name has at most 255 bytes")
    key = bytes_member(value.get("key"), KEY_SIZE)
    digest = bytes_member(value.get("hash"), HASH_SIZE)
    seal = FileSeal(key, digest, int(str(size)), int(str(length)))
    return Attachment(bytes_member(value.get("id"), ID_SIZE), seal, mime, name)
