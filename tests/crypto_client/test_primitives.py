"""The libraries behind HRK/1 against published vectors."""

import hashlib
from collections.abc import Iterator

import cryptography_vectors
import nacl.bindings as sodium
import nacl.pwhash.argon2id as argon2id
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from crypto_client.primitives import hmac_sha256

Row = dict[str, str]


def published(name: str, first: str) -> Iterator[Row]:
    """Read `key = value` rows; ``first`` is the key that begins a new vector."""
    row: Row = {}
    with cryptography_vectors.open_vector_file(name, "r") as lines:
        for line in lines:
            if line.startswith("#") or "=" not in line:
                continue
            key, _, value = (part.strip() for part in line.partition("="))
            if key == first and row:
                yield row
                row = {}
            row[key] = value
    yield row


def test_ml_kem_768_opens_published_ciphertexts() -> None:
    rows = list(published("asymmetric/MLKEM/kat_MLKEM_768.rsp", "count"))
    assert len(rows) > 10
    for row in rows:
        secret = MLKEM768PrivateKey.from_seed_bytes(bytes.fromhex(row["d"] + row["z"]))
        assert secret.public_key().public_bytes_raw().hex() == row["pk"]
        assert secret.decapsulate(bytes.fromhex(row["ct"])).hex() == row["ss"]


def test_ed25519_signs_as_published() -> None:
    with cryptography_vectors.open_vector_file("asymmetric/Ed25519/sign.input", "r") as lines:
        rows = [line.split(":") for line in list(lines)[:128]]
    assert len(rows) == 128
    for secret, public, message, signed in (row[:4] for row in rows):
        pair = sodium.crypto_sign_seed_keypair(bytes.fromhex(secret[:64]))
        assert pair[0].hex() == public
        assert sodium.crypto_sign(bytes.fromhex(message), pair[1]).hex() == signed


def test_x25519_agrees_as_published() -> None:
    rows = [row for row in published("asymmetric/X25519/rfc7748.txt", "COUNT") if "INPUT_U" in row]
    assert len(rows) >= 2
    for row in rows[:2]:
        scalar, point = bytes.fromhex(row["INPUT_SCALAR"]), bytes.fromhex(row["INPUT_U"])
        assert sodium.crypto_scalarmult(scalar, point).hex() == row["OUTPUT_U"]


def test_hmac_sha256_is_rfc_4231() -> None:
    rows = list(published("HMAC/rfc-4231-sha256.txt", "Len"))
    assert len(rows) >= 6
    for row in rows:
        size = int(row["Len"]) // 8
        mac = hmac_sha256(bytes.fromhex(row["Key"]), bytes.fromhex(row["Msg"])[:size])
        assert mac.hex() == row["MD"]


def test_blake2b_is_as_published() -> None:
    rows = list(published("hashes/blake2/blake2b.txt", "Len"))
    assert len(rows) >= 3
    for row in rows:
        message = bytes.fromhex(row["Msg"])[: int(row["Len"]) // 8]
        assert hashlib.blake2b(message).hexdigest() == row["MD"]


def peer_argon2id(row: Row) -> bytes:
    return Argon2id(
        salt=bytes.fromhex(row["salt"]),
        length=int(row["length"]),
        iterations=int(row["iter"]),
        lanes=int(row["lanes"]),
        memory_cost=int(row["memcost"]),
        ad=bytes.fromhex(row["ad"]) if "ad" in row else None,
        secret=bytes.fromhex(row["secret"]) if "secret" in row else None,
    ).derive(bytes.fromhex(row["pass"]))


def test_argon2id_agrees_with_a_library_that_reproduces_rfc_9106() -> None:
    rfc_9106 = next(published("KDF/argon2id.txt", "COUNT"))
    assert peer_argon2id(rfc_9106).hex() == rfc_9106["output"]
    ours = {
        "length": "32",
        "iter": "3",
        "lanes": "1",
        "memcost": "65536",
        "salt": bytes(range(16)).hex(),
        "pass": b"baba zyzu mido kera tofu nalo".hex(),
    }
    derived = argon2id.kdf(
        32, bytes.fromhex(ours["pass"]), bytes.fromhex(ours["salt"]), opslimit=3, memlimit=64 << 20
    )
    assert derived == peer_argon2id(ours)
