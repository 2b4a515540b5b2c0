"""Vectors of docs/protocol.md §5: recovery secret, blob, history records."""

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from crypto_client import xwing
from crypto_client.commit import Commit
from crypto_client.encoding import encode_base64url as b64
from crypto_client.encoding import lp, lp_split, u8, u64
from crypto_client.history import EpochName, HistoryRecord, HistoryWriter, seal_history
from crypto_client.identity import AccountKey
from crypto_client.primitives import h, sign
from crypto_client.recovery import (
    SignedBlob,
    backup_public,
    backup_seed,
    encode_code,
    seal_recovery,
)
from crypto_client.vectors.case import Case, commit_bytes
from crypto_client.vectors.cast import Person, person, seeded
from crypto_client.vectors.forge import Forgery

_WORDS = "baba zyzu mido kera tofu nalo"


def cases() -> Iterator[tuple[str, Case]]:
    """Give every case with its topic."""
    alice = person("alice")
    groups = {
        "recovery": _recovery(alice),
        "recovery-secret": _secrets(alice),
        "history": _backup_keys(alice),
    }
    for topic, group in groups.items():
        yield from ((topic, case) for case in group)


@dataclass(frozen=True)
class _Lying(AccountKey):
    """An account that names a key it does not have."""

    claimed: bytes

    @property
    def public(self) -> bytes:
        return self.claimed


def _blob(alice: Person, **changes: Any) -> SignedBlob:
    values = {"version": 3, "bk_version": 1, "random": seeded("blob"), **changes}
    return seal_recovery(alice.account, alice.recovery_key, _WORDS, **values)


def _edited(alice: Person, blob: SignedBlob, at: int, value: bytes) -> SignedBlob:
    fields = lp_split(blob.data)
    context = lp_split(fields[0])
    context[at] = value
    data = lp(lp(*context), *fields[1:])
    return SignedBlob(data, sign(alice.account.seed, "recovery", h("recovery", data)))


def _part(alice: Person, blob: SignedBlob, at: int, value: bytes) -> SignedBlob:
    fields = lp_split(blob.data)
    fields[at] = value
    data = lp(*fields)
    return SignedBlob(data, sign(alice.account.seed, "recovery", h("recovery", data)))


def _recovery(alice: Person) -> Iterator[Case]:
    def case(
        name: str, comment: str, blob: SignedBlob, expect: str = "recovery", **more: Any
    ) -> Case:
        given: dict[str, Any] = {
            "data": b64(blob.data),
            "sig": b64(blob.sig),
            "user": b64(alice.user),
            "secret": _WORDS,
            "code": None,
            "known_version": 3,
            "known_bk_version": 1,
            **more,
        }
        if given["code"] is not None:
            given["secret"] = None
        return Case(name, comment, "5.3", "recovery_open", given, expect)

    bob, blob = person("bob"), _blob(alice)
    yield from _usual_openings(case, alice, blob)
    yield from _parameters(case, alice, blob)
    yield from _of_another_place(case, alice, bob, blob)
    yield from _mixed_up(case, alice, bob, blob)
    yield from _blob_encodings(case, alice, blob)


def _usual_openings(case: Callable[..., Case], alice: Person, blob: SignedBlob) -> Iterator[Case]:
    code = encode_code(alice.recovery_key)
    yield case("six-words", "the usual way", blob, "ok")
    yield case("code", "without Argon2id", blob, "ok", code=code)
    spaced = "  BABA zyzu\tmido  kera\u3000tofu nalo\n"
    yield case("recovery-double-space", "the same secret", blob, "ok", secret=spaced)
    yield case("recovery-check-wrong", "another word", blob, secret=_WORDS[:-1] + "u")


def _parameters(case: Callable[..., Case], alice: Person, blob: SignedBlob) -> Iterator[Case]:
    why = "weak parameters are refused before Argon2id runs"
    yield case("recovery-ops-2", why, _blob(alice, ops=2))
    yield case("recovery-ops-17", why, _blob(alice, ops=17))
    yield case("recovery-mem-8MiB", why, _blob(alice, mem=8 << 20))
    yield case("recovery-mem-4GiB", why, _edited(alice, blob, 8, u64(4 << 30)))
    yield case("recovery-alg-2", "another algorithm", _edited(alice, blob, 6, u8(2)))


def _of_another_place(
    case: Callable[..., Case], alice: Person, bob: Person, blob: SignedBlob
) -> Iterator[Case]:
    yield case("recovery-other-user", "another account's", blob, user=b64(bob.user))
    yield case("recovery-version-lower-than-known", "an old blob", blob, known_version=4)
    yield case("recovery-bk-version-lower", "an old backup key", blob, known_bk_version=2)
    foreign = _edited(alice, blob, 3, bob.account.public)
    code = encode_code(alice.recovery_key)
    yield case("recovery-context-bound", "the context is bound", foreign, code=code)


def _mixed_up(
    case: Callable[..., Case], alice: Person, bob: Person, blob: SignedBlob
) -> Iterator[Case]:
    code = encode_code(alice.recovery_key)
    lying = _Lying(alice.user, alice.account.seed, bob.account.public)
    data = seal_recovery(lying, alice.recovery_key, _WORDS, version=3).data
    signature = sign(bob.account.seed, "recovery", h("recovery", data))
    mixed_up = SignedBlob(data, signature)
    why = "another account key inside than outside"
    yield case("recovery-amk-mismatch", why, mixed_up, code=code)
    unsigned = replace(blob, sig=bytes(64))
    yield case("recovery-sig-missing", "anybody's blob", unsigned, "signature", code=code)
    other_bk = backup_public(bob.recovery_key, alice.user, 1)
    swapped = _part(alice, blob, 4, other_bk)
    yield case("recovery-bk-pub-other", "somebody else's backup key", swapped, code=code)
    other = _blob(alice, random=seeded("other blob"))
    mixed = _part(alice, blob, 1, lp_split(other.data)[1])
    yield case("blob-two-keys-one-ciphertext", "the check decides", mixed)


def _blob_encodings(case: Callable[..., Case], alice: Person, blob: SignedBlob) -> Iterator[Case]:
    yield case("recovery-suite-2", "an unknown suite", _edited(alice, blob, 1, b"\2"), "suite")
    long_blob = SignedBlob(blob.data + b"\0", blob.sig)
    yield case("recovery-trailing-byte", "one byte more", long_blob, "parse")


def _secrets(alice: Person) -> Iterator[Case]:
    code = encode_code(alice.recovery_key)

    def read(name: str, comment: str, text: str, expect: str = "ok") -> Case:
        return Case(name, comment, "5.2", "recovery_code", {"code": text}, expect)

    def typed(name: str, comment: str, text: str, expect: str = "ok") -> Case:
        return Case(name, comment, "5.2", "recovery_secret", {"text": text}, expect)

    yield read("code", "13 groups of four", code)
    yield read("code-lower-case", "typed without groups", code.replace("-", "").lower())
    like = code.replace("0", "O").replace("1", "l")
    yield read("code-look-alikes", "O is 0, l is 1", like)
    wrong = code[:-1] + ("0" if code[-1] != "0" else "2")
    yield read("code-checksum", "the last character is wrong", wrong, "recovery")
    yield read("code-51", "one character missing", code[:-1], "recovery")
    yield read("code-53", "one character more", code + "0", "recovery")
    ones = encode_code((sum(1 << shift for shift in range(0, 260, 5)) >> 4).to_bytes(32, "big"))
    why = "only ASCII is upper-cased: a dotless i is no I"
    yield read("code-dotless-i", why, "\u0131" + ones[1:], "recovery")
    yield read("code-long-s", "nor is a long s an S", "\u017f" + ones[1:], "recovery")
    yield read("code-u", "U is no character of a code", "U" + code[1:], "recovery")
    numbers = [0, 1, 431, 432, 4000, 7775]
    yield Case("words", "by formula", "5.2", "recovery_words", {"numbers": numbers})
    yield typed("secret", "already normal", _WORDS)
    yield typed("secret-upper-case", "ASCII is lower-cased", _WORDS.upper())
    hangul = "감래 단비 바다"
    yield typed("secret-hangul", "syllables", hangul)
    decomposed = unicodedata.normalize("NFD", hangul)
    yield typed("recovery-nfd-hangul-input", "the same syllables", decomposed)
    yield typed("secret-empty", "nothing", " ", "recovery")
    yield typed("secret-accent", "not stable in every Unicode", "café baba", "recovery")
    yield typed("secret-punctuation", "not a word", "baba, zyzu", "recovery")


def _backup_keys(alice: Person) -> Iterator[Case]:
    own = backup_public(alice.recovery_key, alice.user, 1)
    other = backup_public(bytes(32), alice.user, 1)

    def case(name: str, why: str, key: bytes, known: int, expect: str = "recovery") -> Case:
        keys = {"device_list": b64(alice.devices.data), "bk_pub": b64(key)}
        given = {**keys, "known_bk_version": known}
        return Case(name, why, "5.4", "history_writer", given, expect)

    yield case("bk-pub", "the one that the own list names", own, 1, "ok")
    why = "whoever has its seed would read every room from here on"
    yield case("bk-pub-not-in-list", why, other, 0)
    yield case("bk-version-fell", "an older one than was known", own, 2)


def history_cases(alice: Person, mallory: Person, commit: Commit, room: bytes) -> Iterator[Case]:
    """Give the cases of history records for a commit that ``alice`` is in, made by Forgery."""
    writer = HistoryWriter(alice.keys, 1, backup_public(alice.recovery_key, alice.user, 1))
    name = EpochName(room, 0, commit.hash)
    good = seal_history(writer, name, seeded(Forgery.seed)(32))
    wrong = seal_history(writer, name, bytes(32))

    def case(
        name: str, comment: str, record: HistoryRecord, expect: str = "recovery", **more: Any
    ) -> Case:
        given = {**_history_in(alice, record), "commit": commit_bytes(commit), **more}
        return Case(name, comment, "5.4", "history_open", given, expect)

    yield case("history", "a record of the first epoch", good, "ok")
    yield case("history-wrong-es", "anybody can encrypt to a public key", wrong)
    yield from _moved_records(case, alice, mallory, good)
    yield from _unsigned_records(case, mallory, good)
    yield from _other_ciphertexts(case, alice, good, commit)


def unkept_cases(alice: Person, commit: Commit, room: bytes) -> Iterator[Case]:
    """Give the cases of a genuine record for a commit of a room that keeps no history."""
    writer = HistoryWriter(alice.keys, 1, backup_public(alice.recovery_key, alice.user, 1))
    record = seal_history(writer, EpochName(room, 0, commit.hash), seeded(Forgery.seed)(32))

    def case(name: str, comment: str, state: bytes) -> Case:
        said = commit_bytes(replace(commit, state=state))
        given = {**_history_in(alice, record), "commit": said}
        return Case(name, comment, "5.4", "history_open", given, "recovery")

    why = "nothing of such a room is kept, whoever wrote it and whoever hands it out"
    yield case("history-off-room-opens-none", why, commit.state)
    flipped = lp(u8(1), u8(1), *lp_split(commit.state)[2:])
    yield case("history-off-room-policy-flipped", "the core names another state", flipped)


def _history_in(alice: Person, record: HistoryRecord) -> dict[str, Any]:
    return {
        "room": b64(record.name.room),
        "epoch": record.name.epoch,
        "commit_hash": b64(record.name.commit_hash),
        "bk_version": record.bk_version,
        "writer": b64(record.writer),
        "record": b64(record.record),
        "sig": b64(record.sig),
        "user": b64(alice.user),
        "device_list": b64(alice.devices.data),
        "backup_seed": b64(backup_seed(alice.recovery_key, alice.user, 1)),
    }


def _signed_again(alice: Person, base: HistoryRecord, **changes: Any) -> HistoryRecord:
    changed = replace(base, **changes)
    place = changed.name
    ad = lp(
        b"history",
        u8(1),
        alice.user,
        u64(changed.bk_version),
        place.room,
        u64(place.epoch),
        place.commit_hash,
    )
    content = h("history", lp(ad, changed.record))
    return replace(changed, sig=alice.keys.sign("history", content))


def _moved_records(
    case: Callable[..., Case], alice: Person, mallory: Person, good: HistoryRecord
) -> Iterator[Case]:
    other = b64(mallory.user)
    yield case("history-other-user", "of another account", good, "signature", user=other)
    elsewhere = _signed_again(alice, good, name=replace(good.name, room=b"\x09" * 16))
    yield case("history-other-room", "moved to another room", elsewhere)
    old = _signed_again(alice, good, bk_version=2)
    yield case("history-old-bk-version", "under another version", old)


def _unsigned_records(
    case: Callable[..., Case], mallory: Person, good: HistoryRecord
) -> Iterator[Case]:
    by_mallory = replace(good, writer=mallory.keys.device)
    why = "by a device that is not in the own list"
    yield case("history-writer-unknown", why, by_mallory, "signature")
    yield case("history-sig", "not signed", replace(good, sig=bytes(64)), "signature")


def _other_ciphertexts(
    case: Callable[..., Case], alice: Person, good: HistoryRecord, commit: Commit
) -> Iterator[Case]:
    def holding(record: bytes) -> HistoryRecord:
        return _signed_again(alice, good, record=record)

    yield case("history-1167", "a byte missing", holding(good.record[:-1]))
    wrap = commit.wraps[alice.keys.device]
    yield case("wrap-as-history", "a wrap in its place", holding(wrap))
    low = good.record[: xwing.CIPHERTEXT_SIZE - 32] + bytes(32) + good.record[-48:]
    yield case("history-ct-low-order", "no shared secret", holding(low))
