"""The recovery secret and the blob it opens (docs/protocol.md §5.1–5.3)."""

import re
import unicodedata
from dataclasses import dataclass, field

import nacl.pwhash.argon2id as argon2id

from crypto_client import xwing
from crypto_client.encoding import (
    HASH_SIZE,
    ID_SIZE,
    KEY_SIZE,
    SUITE_BYTE,
    lp,
    lp_fields,
    typed_fields,
    u8,
    u32,
    u64,
    uint,
)
from crypto_client.errors import AeadError, RecoveryError
from crypto_client.identity import AccountKey
from crypto_client.primitives import (
    NONCE_SIZE,
    TAG_SIZE,
    Random,
    aead_open,
    aead_seal,
    h,
    kdf,
    public_key,
    same,
    sign,
    system_random,
    verify,
)
from crypto_client.typed_code import read_code, write_code

WORD_COUNT = 6
WORDLIST_SIZE = 7776
CODE_LENGTH = 52
SALT_SIZE = 16
OPS_RANGE = range(3, 17)
MEM_RANGE = range(64 << 20, (1 << 30) + 1)
DEFAULT_OPS = 3
DEFAULT_MEM = 64 << 20

_ALG = 1
_SEALED_SIZE = NONCE_SIZE + KEY_SIZE + TAG_SIZE
_FIRST = "bcdfghjklmnprstvwz"
_VOWELS = "aeiouy"
_LAST = "aiou"
_SPACE = re.compile("[\t\n\r \u00a0\u3000]+")
_PLAIN = re.compile("[a-z0-9\uac00-\ud7a3]+( [a-z0-9\uac00-\ud7a3]+)*")
_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


@dataclass(frozen=True)
class SignedBlob:
    """A recovery blob as it travels: the bytes as received, and the account key's signature."""

    data: bytes
    sig: bytes


@dataclass(frozen=True)
class Recovered:
    """What a recovery secret gives back."""

    account: AccountKey
    recovery_key: bytes = field(repr=False)
    backup_seed: bytes = field(repr=False)
    version: int
    bk_version: int


@dataclass(frozen=True)
class _Context:
    data: bytes
    user: bytes
    amk_pub: bytes
    version: int
    bk_version: int
    alg: int
    ops: int
    mem: int
    salt: bytes


def word(number: int) -> str:
    """Give word 0 … 7775 of the list that docs/protocol.md §5.2 defines by formula."""
    if not 0 <= number < WORDLIST_SIZE:
        raise ValueError("a word number is below 7,776")
    last = _FIRST[number // 4 % 18] + _LAST[number % 4]
    return _FIRST[number // 432] + _VOWELS[number // 72 % 6] + last


def _uniform(random: Random) -> int:
    limit = 65536 - 65536 % WORDLIST_SIZE
    while (drawn := uint(random(2))) >= limit:
        continue
    return drawn % WORDLIST_SIZE


def generate_words(random: Random = system_random) -> str:
    """Draw a recovery secret: six words of 7,776, about 77 bits."""
    return " ".join(word(_uniform(random)) for _ in range(WORD_COUNT))


def normalise_secret(text: str) -> bytes:
    """Bring a typed secret into its one form; ``recovery`` for any other character."""
    spaced = _SPACE.sub(" ", unicodedata.normalize("NFC", text)).strip(" ").translate(_LOWER)
    if not _PLAIN.fullmatch(spaced):
        raise RecoveryError("a secret has letters a-z, digits, Hangul syllables and spaces")
    return spaced.encode("utf-8")


def _checksum(recovery_key: bytes) -> int:
    return h("recovery-code", recovery_key)[0] >> 4


def encode_code(recovery_key: bytes) -> str:
    """Write RK as 52 characters in 13 groups of four."""
    number = int.from_bytes(recovery_key, "big") << 4 | _checksum(recovery_key)
    return write_code(number, CODE_LENGTH)


def decode_code(text: str) -> bytes:
    """Read RK from its code; ``recovery`` for another length, character or checksum."""
    number = read_code(text, CODE_LENGTH)
    if number is None:
        raise RecoveryError("a code has 52 characters")
    recovery_key = (number >> 4).to_bytes(KEY_SIZE, "big")
    if number & 15 != _checksum(recovery_key):
        raise RecoveryError("a character of the code is wrong")
    return recovery_key


def backup_seed(recovery_key: bytes, user: bytes, bk_version: int) -> bytes:
    """Derive the secret seed of the backup key pair, 32 bytes."""
    return kdf(recovery_key, "backup", lp(SUITE_BYTE, user, u64(bk_version)))


def backup_public(recovery_key: bytes, user: bytes, bk_version: int) -> bytes:
    """Give bk_pub, the 1216-byte key that devices write history to."""
    return xwing.public_of(backup_seed(recovery_key, user, bk_version))


def _kek(secret: bytes, salt: bytes, ops: int, mem: int) -> bytes:
    return argon2id.kdf(KEY_SIZE, secret, salt, opslimit=ops, memlimit=mem)


def _amk_wrapping_key(recovery_key: bytes, user: bytes) -> bytes:
    return kdf(recovery_key, "recovery-amk", lp(SUITE_BYTE, user))


def seal_recovery(
    account: AccountKey,
    recovery_key: bytes,
    secret: str,
    *,
    version: int,
    bk_version: int = 1,
    ops: int = DEFAULT_OPS,
    mem: int = DEFAULT_MEM,
    random: Random = system_random,
) -> SignedBlob:
    """Make the blob that ``secret`` (or RK's code) opens; runs Argon2id with ``mem`` bytes."""
    salt = random(SALT_SIZE)
    context = lp(
        b"recovery",
        SUITE_BYTE,
        account.user,
        account.public,
        u64(version),
        u64(bk_version),
        u8(_ALG),
        u32(ops),
        u64(mem),
        salt,
    )
    kek = _kek(normalise_secret(secret), salt, ops, mem)
    first, second = random(NONCE_SIZE), random(NONCE_SIZE)
    wrapped = aead_seal(kdf(kek, "recovery-wrap", context), first, recovery_key, context)
    amk_key = _amk_wrapping_key(recovery_key, account.user)
    data = lp(
        context,
        kdf(kek, "recovery-check", context),
        first + wrapped,
        second + aead_seal(amk_key, second, account.seed, context),
        backup_public(recovery_key, account.user, bk_version),
    )
    return SignedBlob(data, sign(account.seed, "recovery", h("recovery", data)))


def _read_context(data: bytes) -> _Context:
    sizes = [ID_SIZE, KEY_SIZE, 8, 8, 1, 4, 8, SALT_SIZE]
    user, amk_pub, version, bk_version, alg, ops, mem, salt = typed_fields(data, "recovery", sizes)
    return _Context(
        data,
        user,
        amk_pub,
        uint(version),
        uint(bk_version),
        uint(alg),
        uint(ops),
        uint(mem),
        salt,
    )


def _open_sealed(key: bytes, sealed: bytes, context: bytes) -> bytes:
    try:
        return aead_open(key, sealed[:NONCE_SIZE], sealed[NONCE_SIZE:], context)
    except AeadError:
        raise RecoveryError("a sealed part of the blob does not open") from None


def _recovery_key(context: _Context, check: bytes, wrapped: bytes, secret: str) -> bytes:
    if context.ops not in OPS_RANGE or context.mem not in MEM_RANGE:
        raise RecoveryError("Argon2id parameters out of range")
    kek = _kek(normalise_secret(secret), context.salt, context.ops, context.mem)
    if not same(kdf(kek, "recovery-check", context.data), check):
        raise RecoveryError("not the recovery secret of this blob")
    return _open_sealed(kdf(kek, "recovery-wrap", context.data), wrapped, context.data)


def open_recovery(
    blob: SignedBlob,
    *,
    user: bytes,
    secret: str | None = None,
    code: str | None = None,
    known_version: int = 0,
    known_bk_version: int = 0,
) -> Recovered:
    """Open a blob with the six words (``secret``) or with RK's ``code`` (protocol.md §5.3).

    Refuses ``parse``, ``suite``, ``signature`` and, for everything else, ``recovery``.
    """
    data, check, wrapped, sealed_amk, bk_pub = lp_fields(
        blob.data, [None, HASH_SIZE, _SEALED_SIZE, _SEALED_SIZE, xwing.PUBLIC_SIZE]
    )
    context = _read_context(data)
    if context.alg != _ALG or context.user != user:
        raise RecoveryError("a blob of another kind or account")
    if context.version < known_version or context.bk_version < known_bk_version:
        raise RecoveryError("a blob older than one already known")
    if code is not None:
        recovery_key = decode_code(code)
    elif secret is not None:
        recovery_key = _recovery_key(context, check, wrapped, secret)
    else:
        raise ValueError("either the secret or the code")
    amk_seed = _open_sealed(_amk_wrapping_key(recovery_key, user), sealed_amk, data)
    if public_key(amk_seed) != context.amk_pub:
        raise RecoveryError("the blob holds another account key than it names")
    verify(context.amk_pub, "recovery", h("recovery", blob.data), blob.sig)
    seed = backup_seed(recovery_key, user, context.bk_version)
    if xwing.public_of(seed) != bk_pub:
        raise RecoveryError("the blob names another backup key")
    account = AccountKey(user, amk_seed)
    return Recovered(account, recovery_key, seed, context.version, context.bk_version)
