"""Vectors of docs/protocol.md §5.6: the seed of a former backup key, carried to the next one."""

from collections.abc import Iterator
from typing import Any

from crypto_client import xwing
from crypto_client.encoding import SUITE_BYTE, lp, u64
from crypto_client.encoding import encode_base64url as b64
from crypto_client.primitives import ZERO_NONCE, aead_seal, h, kdf
from crypto_client.recovery import backup_public, backup_seed
from crypto_client.renewal import seal_carry
from crypto_client.vectors.case import Case
from crypto_client.vectors.cast import Person, person, seeded


def cases() -> Iterator[tuple[str, Case]]:
    """Give every case with its topic."""
    yield from (("renewal", case) for case in _carries(person("alice"), person("mallory")))


def _carries(alice: Person, mallory: Person) -> Iterator[Case]:
    former = backup_seed(alice.recovery_key, alice.user, 1)
    next_key = seeded("the next recovery key")(32)
    next_seed, next_pub = (
        backup_seed(next_key, alice.user, 2),
        backup_public(next_key, alice.user, 2),
    )
    bk_hash = h("bk", xwing.public_of(former))
    good = seal_carry(alice.user, 1, former, next_pub, seeded("carry"))

    def case(name: str, comment: str, carry: bytes, expect: str = "recovery", **more: Any) -> Case:
        given = {
            "carry": b64(carry),
            "backup_seed": b64(next_seed),
            "user": b64(alice.user),
            "bk_version": 1,
            "bk_hash": b64(bk_hash),
            **more,
        }
        return Case(name, comment, "5.6", "carry_open", given, expect)

    yield case("carry", "the first renewal", good, "ok")
    yield case("carry-other-user", "of another account", good, user=b64(mallory.user))
    yield case("carry-other-version", "of another backup key", good, bk_version=2)
    yield case("carry-former-secret", "who has the former key only", good, backup_seed=b64(former))
    yield case("carry-1167", "a byte missing", good[:-1])
    yield case("carry-1169", "a byte more", good + b"\0")
    flipped = good[:-1] + bytes([good[-1] ^ 1])
    yield case("carry-changed", "a changed byte", flipped)
    low = good[: xwing.CIPHERTEXT_SIZE - 32] + bytes(32) + good[-48:]
    yield case("carry-ct-low-order", "no shared secret", low)
    foreign = seal_carry(alice.user, 1, bytes(32), next_pub, seeded("foreign carry"))
    yield case("carry-of-another-key", "anybody can encrypt to a public key", foreign)
    why = "a history record in its place"
    yield case("history-as-carry", why, _labelled("history", alice, former, next_pub))


def _labelled(label: str, alice: Person, seed: bytes, bk_pub: bytes) -> bytes:
    """The right content under the key of another kind of object."""
    ad = lp(b"carry", SUITE_BYTE, alice.user, u64(1))
    ciphertext, shared = xwing.encapsulate(bk_pub, seeded("labelled"))
    return ciphertext + aead_seal(kdf(shared, label, ad), ZERO_NONCE, seed, ad)
