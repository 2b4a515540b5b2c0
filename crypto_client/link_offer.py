"""The offer of a new device, and the short code that opens it (docs/protocol.md §3.8)."""

from dataclasses import dataclass, field

from crypto_client import xwing
from crypto_client.encoding import ID_SIZE, SIGNATURE_SIZE, SUITE_BYTE, lp, lp_fields, uint
from crypto_client.errors import LinkError, ProtocolError
from crypto_client.identity import DeviceEntry
from crypto_client.linking import Asking, LinkCode, Waiting
from crypto_client.prekeys import SignedPrekey, verify_prekey
from crypto_client.primitives import (
    ZERO_NONCE,
    Random,
    aead_open,
    aead_seal,
    h,
    kdf,
    system_random,
)
from crypto_client.typed_code import read_code, write_code

SHORT_LENGTH = 24
_SECRET_SIZE = 14


@dataclass(frozen=True)
class ScreenSecret:
    """What is on the new device's screen and nowhere else: 112 random bits."""

    data: bytes = field(repr=False)

    @property
    def short_code(self) -> str:
        """The 24 characters that a person types, or a camera reads: six groups of four."""
        number = int.from_bytes(self.data, "big") << 8 | _checksum(self.data)
        return write_code(number, SHORT_LENGTH)

    @property
    def link_id(self) -> bytes:
        """The name of the server's box, 16 bytes; tells nothing of the secret."""
        return h("link-id", self.data)[:ID_SIZE]

    def offer_key(self, user: bytes) -> bytes:
        """The key of the one offer that this secret seals."""
        return kdf(h("link-screen", self.data), "link-offer", lp(SUITE_BYTE, user))


@dataclass(frozen=True)
class Offer:
    """A new device's code as §3.8 has it, its one-use key, and the prekey it enters with."""

    code: bytes = field(repr=False)
    xw_pub: bytes
    prekey: SignedPrekey


def new_screen_secret(random: Random = system_random) -> ScreenSecret:
    """Draw the secret of one attempt."""
    return ScreenSecret(random(_SECRET_SIZE))


def read_short_code(text: str) -> ScreenSecret:
    """Read what a person typed; ``link`` for another length, character or checksum."""
    number = read_code(text, SHORT_LENGTH)
    if number is None:
        raise LinkError("a short code has 24 characters")
    secret = (number >> 8).to_bytes(_SECRET_SIZE, "big")
    if number & 255 != _checksum(secret):
        raise LinkError("a character of the short code is wrong")
    return ScreenSecret(secret)


def _checksum(secret: bytes) -> int:
    return h("link-check", secret)[0]


def seal_offer(secret: ScreenSecret, waiting: Waiting, prekey: SignedPrekey) -> bytes:
    """Seal a new device's offer for who sees its screen; at most 4,096 bytes."""
    content = lp(waiting.code.data, waiting.xw_pub, prekey.data, prekey.sig)
    # The zero nonce is used once because the secret is.
    return aead_seal(secret.offer_key(waiting.code.user), ZERO_NONCE, content, b"")


def open_offer(secret: ScreenSecret, sealed: bytes, user: bytes) -> Offer:
    """Open an offer for one's own account; ``link`` when it is not by who shows this code."""
    try:
        content = aead_open(secret.offer_key(user), ZERO_NONCE, sealed, b"")
        sizes = [None, xwing.PUBLIC_SIZE, None, SIGNATURE_SIZE]
        code, xw_pub, prekey, sig = lp_fields(content, sizes)
    except ProtocolError:
        raise LinkError("an offer by who does not show this code") from None
    return Offer(code, xw_pub, SignedPrekey(prekey, sig))


def check_first_prekey(asking: Asking, prekey: SignedPrekey) -> None:
    """Refuse, with ``link``, a prekey with which the new device cannot enter (§4)."""
    code = asking.code
    entry = DeviceEntry(code.device, code.dsk_pub, code.accept, 0)
    try:
        found = verify_prekey(prekey, user=code.user, entry=entry, now=asking.read)
    except ProtocolError:
        raise LinkError("a prekey that is not this device's") from None
    if found.seq != 1:
        raise LinkError("a prekey that is not the first")


def compare_number(code: LinkCode) -> str:
    """Six digits that both screens show, so that a person sees that they talk of one device."""
    return f"{uint(h('link-compare', code.data)[:4]) % 1_000_000:06}"
