"""A trial encapsulation, so that no device publishes a key to which nobody can wrap."""

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

MLKEM_PUB = 1184


def survives_trial(xw_pub: bytes) -> bool:
    """Whether a 1216-byte X-Wing key can be wrapped to: both halves load and agree on something.

    Refuses an ML-KEM key out of range (FIPS 203, 7.2) and an X25519 key of small order.
    """
    try:
        MLKEM768PublicKey.from_public_bytes(xw_pub[:MLKEM_PUB]).encapsulate()
        X25519PrivateKey.generate().exchange(X25519PublicKey.from_public_bytes(xw_pub[MLKEM_PUB:]))
    except ValueError:
        return False
    return True
