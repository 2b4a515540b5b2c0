"""Vectors of docs/protocol.md §3.8: the short code on a screen, and the offer that it opens."""

from collections.abc import Iterator

from crypto_client.encoding import encode_base64url as b64
from crypto_client.encoding import lp
from crypto_client.link_offer import ScreenSecret, new_screen_secret, seal_offer
from crypto_client.linking import begin_link
from crypto_client.prekeys import SignedPrekey, new_prekey
from crypto_client.primitives import ZERO_NONCE, aead_seal
from crypto_client.vectors.case import Case
from crypto_client.vectors.cast import NOW, person, seeded

_ORIGIN = "https://chat.example:443"


def cases() -> Iterator[tuple[str, Case]]:
    """Give every case with its topic."""
    for group in (_short_codes(), _Offers().cases()):
        yield from (("link", case) for case in group)


def _secret(seed: str = "screen") -> ScreenSecret:
    return new_screen_secret(seeded(seed))


def _short_codes() -> Iterator[Case]:
    def reads(name: str, comment: str, text: str, expect: str = "link") -> Case:
        return Case(name, comment, "3.8", "link_short", {"text": text}, expect)

    good = _secret().short_code
    zeros = ScreenSecret(bytes(14)).short_code
    other = "1" if good[0] != "1" else "2"
    yield reads("link-short", "as it is shown", good, "ok")
    typed = " " + good.lower().replace("-", " ") + "\n"
    yield reads("link-short-typed", "as it is typed", typed, "ok")
    letters = zeros.replace("0", "O", 3)
    yield reads("link-short-letter-o", "O for 0", letters, "ok")
    yield reads("link-short-mistyped", "one character is another", other + good[1:])
    yield reads("link-short-23", "a character short", good[:-1])
    yield reads("link-short-25", "a character more", good + "0")
    yield reads("link-short-u", "no such character", "U" + good[1:])
    yield reads("link-short-dotless-i", "not a Latin letter", "\u0131" + good[1:])
    yield reads("link-short-empty", "nothing", "")


class _Offers:
    """Alice's new laptop offers itself."""

    def __init__(self) -> None:
        self.alice, self.mallory = person("alice"), person("mallory")
        self.secret = _secret()
        alice = self.alice
        self.waiting = begin_link(
            alice.user, alice.account.public, _ORIGIN, now=NOW, random=seeded("link")
        )
        _, self.prekey = new_prekey(self.waiting.keys, seq=1, created=NOW, random=seeded("entry"))
        self.good = seal_offer(self.secret, self.waiting, self.prekey)

    def reads(self, name: str, comment: str, expect: str = "link", **more: str) -> Case:
        """Let alice's phone open an offer."""
        given = {
            "short": self.secret.short_code,
            "user": b64(self.alice.user),
            "offer": b64(self.good),
            "now": NOW,
            **more,
        }
        return Case(name, comment, "3.8", "link_offer", given, expect)

    def with_prekey(self, prekey: SignedPrekey) -> str:
        """Give an offer with another prekey."""
        return b64(seal_offer(self.secret, self.waiting, prekey))

    def cases(self) -> Iterator[Case]:
        """Who opens which offer."""
        reads, keys = self.reads, self.waiting.keys
        yield reads("link-offer", "by who shows the code", "ok")
        yield reads("link-offer-other-screen", "another code", short=_secret("other").short_code)
        yield reads("link-offer-other-user", "another account", user=b64(self.mallory.user))
        yield reads("link-offer-cut", "a byte short", offer=b64(self.good[:-1]))
        flipped = bytes([self.good[0] ^ 1]) + self.good[1:]
        yield reads("link-offer-changed", "one bit of the server", offer=b64(flipped))
        fields = (self.waiting.code.data, self.waiting.xw_pub, self.prekey.data, self.prekey.sig)
        key = self.secret.offer_key(self.alice.user)
        more = aead_seal(key, ZERO_NONCE, lp(*fields, b""), b"")
        yield reads("link-offer-field-more", "a field more", offer=b64(more))
        short = aead_seal(key, ZERO_NONCE, lp(fields[0], fields[1][1:], *fields[2:]), b"")
        yield reads("link-offer-xw-1215", "a short key", offer=b64(short))
        _, foreign = new_prekey(self.mallory.keys, seq=1, created=NOW, random=seeded("foreign"))
        yield reads("link-offer-prekey-foreign", "not its own", offer=self.with_prekey(foreign))
        _, second = new_prekey(keys, seq=2, created=NOW, random=seeded("second"))
        yield reads("link-offer-prekey-second", "not the first", offer=self.with_prekey(second))
        unsigned = SignedPrekey(self.prekey.data, bytes(64))
        yield reads("link-offer-prekey-unsigned", "by nobody", offer=self.with_prekey(unsigned))
