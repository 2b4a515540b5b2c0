"""Another recovery key after a suspicion, and what the former one had sealed (protocol.md §5.6)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from crypto_client import xwing
from crypto_client.device_list import DeviceList, SignedDeviceList, list_with_backup
from crypto_client.encoding import KEY_SIZE, SUITE_BYTE, lp, u64
from crypto_client.errors import AeadError, RecoveryError
from crypto_client.primitives import (
    TAG_SIZE,
    ZERO_NONCE,
    Random,
    aead_open,
    aead_seal,
    h,
    kdf,
    system_random,
)
from crypto_client.recovery import (
    Recovered,
    SignedBlob,
    backup_public,
    generate_words,
    seal_recovery,
)

CARRY_SIZE = xwing.CIPHERTEXT_SIZE + KEY_SIZE + TAG_SIZE


@dataclass(frozen=True)
class Renewal:
    """What takes the place of a recovery key: three things to publish at once, two to write down.

    ``carry`` holds the former backup seed for whoever has the new key.
    """

    devices: SignedDeviceList
    blob: SignedBlob
    carry: bytes
    recovery_key: bytes = field(repr=False)
    words: str = field(repr=False)


def renew_recovery(
    recovered: Recovered,
    newest: SignedDeviceList,
    *,
    time: int,
    random: Random = system_random,
) -> Renewal:
    """Make a new recovery key for an account that its present one opened; ``time`` in ms.

    The account key stays. Runs Argon2id once. Nothing counts before the server took it.
    """
    account, bk_version = recovered.account, recovered.bk_version + 1
    recovery_key, words = random(KEY_SIZE), generate_words(random)
    bk_pub = backup_public(recovery_key, account.user, bk_version)
    blob = seal_recovery(
        account,
        recovery_key,
        words,
        version=recovered.version + 1,
        bk_version=bk_version,
        random=random,
    )
    carry = seal_carry(account.user, recovered.bk_version, recovered.backup_seed, bk_pub, random)
    devices = list_with_backup(account, newest, bk_pub, time=time)
    return Renewal(devices, blob, carry, recovery_key, words)


def _associated_data(user: bytes, bk_version: int) -> bytes:
    return lp(b"carry", SUITE_BYTE, user, u64(bk_version))


def seal_carry(
    user: bytes, bk_version: int, seed: bytes, bk_pub: bytes, random: Random = system_random
) -> bytes:
    """Seal the backup seed of ``bk_version`` to the backup key that follows it; 1168 bytes."""
    ad = _associated_data(user, bk_version)
    ciphertext, shared = xwing.encapsulate(bk_pub, random)
    return ciphertext + aead_seal(kdf(shared, "carry", ad), ZERO_NONCE, seed, ad)


def open_carry(carry: bytes, seed: bytes, *, user: bytes, bk_version: int, bk_hash: bytes) -> bytes:
    """Open the seed of an earlier backup key with that of the next one, 32 bytes.

    ``bk_hash`` is what the own lists of that ``bk_version`` name. Refuses ``recovery`` for another
    length, what does not open, and a seed that is not that key's.
    """
    if len(carry) != CARRY_SIZE:
        raise RecoveryError("a carried seed of another length")
    ad = _associated_data(user, bk_version)
    try:
        shared = xwing.decapsulate(seed, carry[: xwing.CIPHERTEXT_SIZE])
        sealed = carry[xwing.CIPHERTEXT_SIZE :]
        former = aead_open(kdf(shared, "carry", ad), ZERO_NONCE, sealed, ad)
    except (xwing.XWingError, AeadError):
        raise RecoveryError("a carried seed does not open") from None
    if h("bk", xwing.public_of(former)) != bk_hash:
        raise RecoveryError("a carried seed of another backup key than the lists name")
    return former


def backup_seeds(
    newest: bytes, lists: Sequence[DeviceList], carries: Mapping[int, bytes]
) -> dict[int, bytes]:
    """Give the backup seeds of an account by ``bk_version``, from that of its newest list back.

    Where a carried seed is missing or refused it ends: the records of before stay closed, and are
    counted where they are opened.
    """
    hashes = {devices.bk_version: devices.bk_hash for devices in lists}
    seeds = {lists[-1].bk_version: newest}
    bk_version = lists[-1].bk_version - 1
    while bk_version in carries and bk_version in hashes:
        try:
            seeds[bk_version] = open_carry(
                carries[bk_version],
                seeds[bk_version + 1],
                user=lists[-1].user,
                bk_version=bk_version,
                bk_hash=hashes[bk_version],
            )
        except RecoveryError:
            break
        bk_version -= 1
    return seeds
