"""X-Wing: X25519 and ML-KEM-768 combined, both of which must fall (docs/protocol.md §2).

Source: draft-connolly-cfrg-xwing-kem. The two halves are PyNaCl's and pyca's; only the combination
is here, and it is checked against the draft's vectors.
"""

import hashlib

import nacl.bindings as sodium
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from nacl.exceptions import RuntimeError as SodiumError

from crypto_client.primitives import Random, system_random

SEED_SIZE = 32
PUBLIC_SIZE = 1216
CIPHERTEXT_SIZE = 1120
_MLKEM_PUBLIC = 1184
_MLKEM_CIPHERTEXT = 1088
_LABEL = bytes.fromhex("5c2e2f2f5e5c")


class XWingError(Exception):
    """A key or ciphertext that X-Wing cannot use; callers turn it into their own outcome."""


def _expand(seed: bytes) -> tuple[MLKEM768PrivateKey, bytes]:
    if len(seed) != SEED_SIZE:
        raise XWingError("a seed has 32 bytes")
    expanded = hashlib.shake_256(seed).digest(96)
    return MLKEM768PrivateKey.from_seed_bytes(expanded[:64]), expanded[64:]


def _combine(mlkem_secret: bytes, x_secret: bytes, x_ciphertext: bytes, x_public: bytes) -> bytes:
    joined = mlkem_secret + x_secret + x_ciphertext + x_public + _LABEL
    return hashlib.sha3_256(joined).digest()


def _agree(secret: bytes, public: bytes) -> bytes:
    try:
        return sodium.crypto_scalarmult(secret, public)
    except SodiumError:
        raise XWingError("an X25519 key of small order") from None


def public_of(seed: bytes) -> bytes:
    """Give the 1216-byte public key of a 32-byte seed."""
    mlkem, x_secret = _expand(seed)
    return mlkem.public_key().public_bytes_raw() + sodium.crypto_scalarmult_base(x_secret)


def encapsulate(public: bytes, random: Random = system_random) -> tuple[bytes, bytes]:
    """Make (ciphertext 1120, shared secret 32) for a public key.

    XWingError for another length, an ML-KEM key out of range or an X25519 key of small order.
    The ML-KEM half always draws from the system's generator.
    """
    if len(public) != PUBLIC_SIZE:
        raise XWingError("a public key has 1216 bytes")
    x_public = public[_MLKEM_PUBLIC:]
    ephemeral = random(32)
    x_secret = _agree(ephemeral, x_public)
    x_ciphertext = sodium.crypto_scalarmult_base(ephemeral)
    try:
        mlkem = MLKEM768PublicKey.from_public_bytes(public[:_MLKEM_PUBLIC])
        mlkem_secret, mlkem_ciphertext = mlkem.encapsulate()
    except ValueError:
        raise XWingError("an ML-KEM key out of range") from None
    shared = _combine(mlkem_secret, x_secret, x_ciphertext, x_public)
    return mlkem_ciphertext + x_ciphertext, shared


def decapsulate(seed: bytes, ciphertext: bytes) -> bytes:
    """Recover the 32-byte shared secret; XWingError for another length or a small-order point."""
    if len(ciphertext) != CIPHERTEXT_SIZE:
        raise XWingError("a ciphertext has 1120 bytes")
    mlkem, x_private = _expand(seed)
    x_ciphertext = ciphertext[_MLKEM_CIPHERTEXT:]
    x_secret = _agree(x_private, x_ciphertext)
    mlkem_secret = mlkem.decapsulate(ciphertext[:_MLKEM_CIPHERTEXT])
    return _combine(mlkem_secret, x_secret, x_ciphertext, sodium.crypto_scalarmult_base(x_private))
