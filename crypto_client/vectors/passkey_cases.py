"""Vectors of docs/protocol.md §5.7: the recovery key sealed under a passkey."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from crypto_client.encoding import encode_base64url as b64
from crypto_client.encoding import lp, lp_split, u64
from crypto_client.passkey import PasskeyName, seal_passkey
from crypto_client.vectors.case import Case
from crypto_client.vectors.cast import Person, person, seeded

_PRF = seeded("what the authenticator answers")(32)
_CREDENTIAL = seeded("credential")(64)


def cases() -> Iterator[tuple[str, Case]]:
    """Give every case with its topic."""
    alice, mallory = person("alice"), person("mallory")
    for group in (_usual(alice), _of_another_place(alice, mallory), _encodings(alice)):
        yield from (("passkey", case) for case in group)


def _name(alice: Person) -> PasskeyName:
    return PasskeyName(alice.user, alice.account.public, 2, _CREDENTIAL)


def _sealed(alice: Person, name: PasskeyName | None = None) -> bytes:
    return seal_passkey(alice.recovery_key, _PRF, name or _name(alice), seeded("passkey"))


def _case(alice: Person, name: str, comment: str, sealed: bytes, expect: str, **more: Any) -> Case:
    given = {
        "sealed": b64(sealed),
        "prf": b64(_PRF),
        "user": b64(alice.user),
        "amk_pub": b64(alice.account.public),
        "bk_version": 2,
        "credential": b64(_CREDENTIAL),
        **more,
    }
    return Case(name, comment, "5.7", "passkey_open", given, expect)


def _usual(alice: Person) -> Iterator[Case]:
    good = _sealed(alice)
    yield _case(alice, "passkey", "the usual way", good, "ok")
    for size in (1, 1023):
        credential = seeded("long")(size)
        sealed = _sealed(alice, replace(_name(alice), credential=credential))
        why = "authenticators choose the length"
        yield _case(alice, f"credential-{size}", why, sealed, "ok", credential=b64(credential))
    other = b64(seeded("another authenticator")(32))
    why = "another authenticator, or without asking who holds it"
    yield _case(alice, "passkey-prf-other", why, good, "recovery", prf=other)
    why = "never a derivation key of another length"
    yield _case(alice, "passkey-prf-31", why, good, "recovery", prf=b64(_PRF[:31]))
    flipped = good[:-1] + bytes([good[-1] ^ 1])
    yield _case(alice, "passkey-changed", "a changed byte", flipped, "recovery")


def _of_another_place(alice: Person, mallory: Person) -> Iterator[Case]:
    good = _sealed(alice)
    theirs = b64(mallory.user)
    yield _case(alice, "passkey-other-user", "another person's", good, "reference", user=theirs)
    key = b64(mallory.account.public)
    why = "of the account before it was started again"
    yield _case(alice, "passkey-other-account-key", why, good, "reference", amk_pub=key)
    other = b64(seeded("another credential")(64))
    why = "another one than was asked"
    yield _case(alice, "passkey-other-credential", why, good, "reference", credential=other)
    why = "of the recovery key before it was made anew"
    yield _case(alice, "passkey-other-bk-version", why, good, "recovery", bk_version=3)
    why = "what it is bound to cannot be rewritten"
    for name, at, value in (
        ("passkey-rebound-user", 2, mallory.user),
        ("passkey-rebound-credential", 5, seeded("another credential")(64)),
        ("passkey-rebound-bk-version", 4, u64(3)),
    ):
        yield _case(alice, name, why, _edited(good, at, value), "recovery", **_asked(at, value))


def _asked(at: int, value: bytes) -> dict[str, Any]:
    if at == 4:
        return {"bk_version": 3}
    return {{2: "user", 5: "credential"}[at]: b64(value)}


def _edited(sealed: bytes, at: int, value: bytes) -> bytes:
    context, closed = lp_split(sealed)
    fields = lp_split(context)
    fields[at] = value
    return lp(lp(*fields), closed)


def _encodings(alice: Person) -> Iterator[Case]:
    good = _sealed(alice)
    yield _case(alice, "passkey-suite-2", "an unknown suite", _edited(good, 1, b"\2"), "suite")
    label = _edited(good, 0, b"recovery")
    yield _case(alice, "passkey-label", "an object of another kind", label, "parse")
    yield _case(alice, "passkey-trailing-byte", "one byte more", good + b"\0", "parse")
    context, closed = lp_split(good)
    short = lp(context, closed[:-1])
    yield _case(alice, "passkey-71", "a byte missing", short, "parse")
    for size in (0, 1024):
        odd = _edited(good, 5, bytes(size))
        asked = b64(bytes(size))
        why = "no credential id"
        yield _case(alice, f"passkey-credential-{size}", why, odd, "parse", credential=asked)
    far = _edited(good, 4, b"\0\x20" + bytes(6))
    yield _case(alice, "passkey-bk-version-2-53", "beyond exact numbers", far, "parse")
