"""The recovery key under a passkey, for who has not the paper at hand (protocol.md §5.7)."""

from dataclasses import dataclass

from crypto_client.encoding import (
    ID_SIZE,
    KEY_SIZE,
    SUITE_BYTE,
    lp,
    lp_fields,
    typed_fields,
    u64,
    uint,
)
from crypto_client.errors import AeadError, ParseError, RecoveryError, ReferenceMissingError
from crypto_client.primitives import (
    NONCE_SIZE,
    TAG_SIZE,
    Random,
    aead_open,
    aead_seal,
    h,
    kdf,
    system_random,
)

PRF_SALT = b"HRK/1 passkey"
"""What every authenticator is asked about; the answer differs with each credential."""

PRF_SIZE = 32
MAX_CREDENTIAL = 1023
_SEALED_SIZE = NONCE_SIZE + KEY_SIZE + TAG_SIZE


@dataclass(frozen=True)
class PasskeyName:
    """Which passkey of which recovery key: everything that its sealed bytes are bound to.

    ``credential`` is the authenticator's id for it, 1 to 1023 bytes.
    """

    user: bytes
    amk_pub: bytes
    bk_version: int
    credential: bytes

    def encode(self) -> bytes:
        """Write it, as it stands in front of what is sealed."""
        if not 1 <= len(self.credential) <= MAX_CREDENTIAL:
            raise ValueError("a credential id has 1 to 1023 bytes")
        version = u64(self.bk_version)
        return lp(b"passkey", SUITE_BYTE, self.user, self.amk_pub, version, self.credential)


def passkey_id(user: bytes, credential: bytes) -> bytes:
    """Name a passkey by 16 bytes, as devices are named."""
    return h("passkey-id", lp(user, credential))[:ID_SIZE]


def seal_passkey(
    recovery_key: bytes, prf: bytes, name: PasskeyName, random: Random = system_random
) -> bytes:
    """Seal RK under what the authenticator answered (``prf``, 32 bytes)."""
    context, nonce = name.encode(), random(NONCE_SIZE)
    return lp(context, nonce + aead_seal(_key(prf, context), nonce, recovery_key, context))


def open_passkey(sealed: bytes, prf: bytes, name: PasskeyName) -> bytes:
    """Give RK back, 32 bytes.

    Refuses ``parse``, ``suite``, ``reference`` for another person's, account key's or credential's,
    and ``recovery`` for one of another recovery key and for what does not open.
    """
    context, closed = lp_fields(sealed, [None, _SEALED_SIZE])
    found = _read(context)
    if (found.user, found.amk_pub, found.credential) != (name.user, name.amk_pub, name.credential):
        raise ReferenceMissingError("a passkey of another account or credential")
    if found.bk_version != name.bk_version:
        raise RecoveryError("a passkey of another recovery key")
    if len(prf) != PRF_SIZE:
        raise RecoveryError("not what an authenticator answers")
    try:
        return aead_open(_key(prf, context), closed[:NONCE_SIZE], closed[NONCE_SIZE:], context)
    except AeadError:
        raise RecoveryError("the passkey does not open it") from None


def _read(context: bytes) -> PasskeyName:
    sizes = [ID_SIZE, KEY_SIZE, 8, None]
    user, amk_pub, bk_version, credential = typed_fields(context, "passkey", sizes)
    if not 1 <= len(credential) <= MAX_CREDENTIAL:
        raise ParseError("a credential id has 1 to 1023 bytes")
    return PasskeyName(user, amk_pub, uint(bk_version), credential)


def _key(prf: bytes, context: bytes) -> bytes:
    return kdf(prf, "passkey", context)
