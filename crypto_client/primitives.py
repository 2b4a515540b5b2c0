"""The primitives of HRK/1 with their labels (docs/protocol.md §1.1, §1.3); nothing hand-made."""

import functools
import hashlib
import hmac
import os
from collections.abc import Callable

import nacl.bindings as sodium
from nacl.exceptions import BadSignatureError, CryptoError

from crypto_client.encoding import KEY_SIZE, SIGNATURE_SIZE, lp
from crypto_client.errors import AeadError, SignatureError

Random = Callable[[int], bytes]
"""Gives that many fresh random bytes; os.urandom everywhere but in vectors."""

NONCE_SIZE = 24
TAG_SIZE = 16
ZERO_NONCE = bytes(NONCE_SIZE)
system_random: Random = os.urandom


def _labelled(label: str, data: bytes) -> bytes:
    return _prefix(label) + lp(data)


@functools.cache
def _prefix(label: str) -> bytes:
    return lp(b"HRK/1 " + label.encode("ascii"))


def h(label: str, data: bytes) -> bytes:
    """Hash under a label: BLAKE2b-256 (RFC 7693), 32 bytes."""
    return hashlib.blake2b(_labelled(label, data), digest_size=32).digest()


def kdf(key: bytes, label: str, data: bytes = b"") -> bytes:
    """Derive 32 bytes from a 32-byte key: keyed BLAKE2b-256; another key length is a ValueError."""
    if len(key) != KEY_SIZE:
        raise ValueError("a derivation key has 32 bytes")
    return hashlib.blake2b(_labelled(label, data), digest_size=32, key=key).digest()


def hmac_sha256(key: bytes, data: bytes) -> bytes:
    """HMAC-SHA256 (RFC 2104), 32 bytes."""
    return hmac.digest(key, data, "sha256")


def same(left: bytes, right: bytes) -> bool:
    """Compare secrets in constant time."""
    return hmac.compare_digest(left, right)


def public_key(seed: bytes) -> bytes:
    """Give the Ed25519 public key (32 bytes) of a 32-byte seed."""
    public, _ = sodium.crypto_sign_seed_keypair(seed)
    return public


def sign(seed: bytes, label: str, data: bytes) -> bytes:
    """Sign under a label with Ed25519 (RFC 8032); 64 bytes."""
    message = _labelled(label, data)
    _, secret = sodium.crypto_sign_seed_keypair(seed)
    return sodium.crypto_sign(message, secret)[:SIGNATURE_SIZE]


def verify(public: bytes, label: str, data: bytes, signature: bytes) -> None:
    """Check a labelled signature with libsodium and nothing else; ``signature`` if not valid.

    OpenSSL accepts signatures under small-order keys that libsodium refuses (protocol.md §1.3).
    """
    if len(signature) != SIGNATURE_SIZE or len(public) != KEY_SIZE:
        raise SignatureError("a key or signature of the wrong length")
    try:
        sodium.crypto_sign_open(signature + _labelled(label, data), public)
    except BadSignatureError:
        raise SignatureError(f"the {label!r} signature is not valid") from None


def check_public_key(public: bytes) -> None:
    """Refuse a signing key that is not a point of the main subgroup, with ``signature``."""
    if len(public) != KEY_SIZE or not sodium.crypto_core_ed25519_is_valid_point(public):
        raise SignatureError("not a valid signing key")


def aead_seal(key: bytes, nonce: bytes, message: bytes, associated_data: bytes) -> bytes:
    """Seal with XChaCha20-Poly1305-IETF; 16 bytes longer than the message."""
    return sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(message, associated_data, nonce, key)


def aead_open(key: bytes, nonce: bytes, sealed: bytes, associated_data: bytes) -> bytes:
    """Open what ``aead_seal`` made; ``aead`` when anything differs."""
    if len(sealed) < TAG_SIZE:
        raise AeadError("shorter than its tag")
    try:
        return sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
            sealed, associated_data, nonce, key
        )
    except CryptoError:
        raise AeadError("does not open") from None
