"""Makes wrong objects out of good ones: the mutants that both implementations must judge alike."""

import copy
import functools
import operator
import random
from collections.abc import Callable, Iterator
from typing import Any

from crypto_client.commit import parse_core
from crypto_client.encoding import decode_base64url, encode_base64url, lp, lp_split
from crypto_client.errors import ProtocolError
from crypto_client.ops import apply_ops, parse_ops
from crypto_client.primitives import h
from crypto_client.roster import parse_roster, roster_hash

Case = dict[str, Any]
Path = tuple[Any, ...]

INTEGERS = (
    [0, 1, 2, 3, 4, 7, 8, 255],
    [0, 1, 2, 4095, 4096, 4097, (1 << 31) - 1, 1 << 31, (1 << 32) - 1],
    [
        0,
        1,
        2,
        (1 << 32) - 1,
        1 << 32,
        (1 << 53) - 1,
        1 << 53,
        (1 << 53) + 1,
        1 << 63,
        (1 << 64) - 1,
    ],
)
NAMED_BY_HASH = {"ops": "ops", "state": "state", "prekeys": "prekeys", "data": "devices"}
WORDS = [
    *('"', "{", "}", "[", "]", ",", ":", "\\", "\\u0000", "\\ud800", "\\ude00", "\\ud83d\\ude00"),
    *("-0", "-1", "0", "00", "1.0", "1e3", "1E0", "9007199254740991", "9007199254740992", "-"),
    *("NaN", "Infinity", "-Infinity", "null", "true", "false", "\t", "\u00a0", "\ufeff", "\u2028"),
    *('"type":"text",', '"type":"x",', '"text":null,', '"seen":{},', '"seen":null,', '"kt":1,'),
    *('"void":[[1,2]],', '"void":[[1,-1]],', '"void":[1],', '"__proto__":1,', '"reply":{},'),
    *('"constructor":{},', '"toString":"",', "[[[[[[", "]]]]]]", '{"a":', "\x00", "\x1f", "\x7f"),
    *("\u00e9", "e\u0301", "\uac00", "\u1100\u1161", "\U0001f44b", "\u0131", "\u017f", "\u212a"),
    *("\u3000", "\u2003", "\u200b", "\uff21", "A", "z", "O", "I", "l", "-", " ", "\n", "\u00df"),
]


class Mutator:
    """Draws mutants from a seed; every draw is the same for the same seed."""

    def __init__(self, seed: str, pool: list[bytes]) -> None:
        self.draw = random.Random(seed)
        self.pool = pool

    def data(self, data: bytes) -> bytes:
        """Change bytes: as a nest of length-prefixed fields where they are one, else anywhere."""
        fields = _fields(data)
        if fields is None or self.draw.random() < 0.15:
            return self._anywhere(data)
        if self.draw.random() < 0.35 or not fields:
            return self._fields(fields)
        at = self.draw.randrange(len(fields))
        fields[at] = self.data(fields[at])
        return lp(*fields)

    def text(self, text: str) -> str:
        """Change a text by one to three of the words that parsers dislike."""
        for _ in range(self.draw.randint(1, 3)):
            at = self.draw.randint(0, len(text))
            gone = self.draw.choice((0, 0, 0, 1, 1, 3))
            text = text[:at] + self.draw.choice([*WORDS, ""]) + text[at + gone :]
        return text

    def _fields(self, fields: list[bytes]) -> bytes:
        at = self.draw.randint(0, max(0, len(fields) - 1))
        other = self.draw.choice(self.pool)
        changes: list[Callable[[], list[bytes]]] = [
            lambda: [*fields[:at], *fields[at + 1 :]],
            lambda: [*fields[:at], *fields[at : at + 1] * 2, *fields[at + 1 :]],
            lambda: [*fields[:at], *reversed(fields[at : at + 2]), *fields[at + 2 :]],
            lambda: [*fields[:at], other, *fields[at + 1 :]],
            lambda: [*fields[:at], other, *fields[at:]],
        ]
        return lp(*self.draw.choice(changes)())

    def _anywhere(self, data: bytes) -> bytes:
        if len(data) in (1, 4, 8) and self.draw.random() < 0.8:
            numbers = INTEGERS[(1, 4, 8).index(len(data))]
            return self.draw.choice(numbers).to_bytes(len(data), "big")
        at, end = sorted(self.draw.choices(range(len(data) + 1), k=2))
        changes: list[Callable[[], bytes]] = [
            lambda: _flip(data, self.draw.randrange(8 * len(data))) if data else b"\0",
            lambda: data[:at],
            lambda: data + bytes(self.draw.randint(1, 4)),
            lambda: data[:at] + data[end:],
            lambda: data[:end] + data[at:],
            lambda: data[:at] + self.draw.randbytes(1) + data[at:],
            lambda: bytes(len(data)),
            lambda: b"",
        ]
        return self.draw.choice(changes)()


def _flip(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def _fields(data: bytes) -> list[bytes] | None:
    try:
        return lp_split(data) if data else None
    except ProtocolError:
        return None


def byte_strings(value: Any, path: Path = ()) -> Iterator[tuple[Path, bytes]]:
    """Give every byte string of a case with the way to it."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        if isinstance(item, dict | list):
            yield from byte_strings(item, (*path, key))
        elif isinstance(item, str):
            try:
                yield (*path, key), decode_base64url(item)
            except ProtocolError:
                continue


def _put(case: Case, path: Path, value: object) -> None:
    inner: Any = case
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value


def mutant(case: Case, path: Path, mutator: Mutator) -> Case:
    """Change one byte string; in half of the mutants what names it by its hash follows along."""
    changed = copy.deepcopy(case)
    text: Any = functools.reduce(operator.getitem, path, case)
    before = decode_base64url(text)
    after = mutator.data(before)
    _put(changed, path, encode_base64url(after))
    if mutator.draw.random() < 0.2:
        return changed
    label = NAMED_BY_HASH.get(str(path[-1]))
    if label is not None and before != after:
        _follow(changed, h(label, before), h(label, after))
    if "commit" in case and "core" in case["commit"]:
        _restate_roster(changed)
    return changed


def _follow(case: Case, old: bytes, new: bytes, hops: int = 4) -> None:
    for path, data in list(byte_strings(case)):
        if old in data:
            _put(case, path, encode_base64url(data.replace(old, new)))
            label = NAMED_BY_HASH.get(str(path[-1]))
            if label is not None and hops:
                _follow(case, h(label, data), h(label, data.replace(old, new)), hops - 1)


def _restate_roster(case: Case) -> None:
    """Name the roster that the operations make, where they make one."""
    commit, view = case["commit"], case.get("view")
    try:
        core = decode_base64url(commit["core"])
        previous = parse_roster(decode_base64url(view["roster"])) if view else None
        made = apply_ops(previous, parse_ops(decode_base64url(commit["ops"])))
        commit["core"] = encode_base64url(
            core.replace(parse_core(core).roster_hash, roster_hash(made))
        )
    except (ProtocolError, ValueError):
        return
