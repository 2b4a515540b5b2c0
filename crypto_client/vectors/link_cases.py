"""Vectors of docs/protocol.md §3.8: linking a further device by a code on its screen."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from crypto_client import xwing
from crypto_client.device_list import SignedDeviceList, parse_device_list, sign_device_list
from crypto_client.encoding import encode_base64url as b64
from crypto_client.encoding import lp, lp_split, u64
from crypto_client.identity import DeviceKeys
from crypto_client.linking import (
    LINK_MS,
    Answered,
    Asking,
    LinkCode,
    Pin,
    answer_code,
    begin_link,
)
from crypto_client.primitives import ZERO_NONCE, aead_seal, kdf
from crypto_client.recovery import backup_seed
from crypto_client.vectors.case import Case
from crypto_client.vectors.cast import NOW, person, seeded

_ORIGIN = "https://chat.example:443"


def cases() -> Iterator[tuple[str, Case]]:
    """Give every case with its topic."""
    linking = _Linking()
    for group in (linking.codes(), linking.forged_codes(), linking.answers(), linking.payloads()):
        yield from (("link", case) for case in group)


class _Linking:
    """Alice's new laptop shows a code, and her phone reads it."""

    def __init__(self) -> None:
        self.alice, self.bob, self.mallory = person("alice"), person("bob"), person("mallory")
        alice = self.alice
        self.waiting = begin_link(
            alice.user, alice.account.public, _ORIGIN, now=NOW, random=seeded("link")
        )
        self.other = begin_link(
            alice.user, alice.account.public, _ORIGIN, now=NOW, random=seeded("other link")
        )
        self.seed = backup_seed(alice.recovery_key, alice.user, 1)
        self.pin = Pin(self.bob.user, self.bob.account.public, 1, self.bob.devices.list_hash)
        answered = self._answer(self.waiting.code, self.waiting.xw_pub)
        self.devices, self.good = answered.devices, answered.answer

    def _answer(self, code: LinkCode, xw_pub: bytes, seed: bytes | None = None) -> Answered:
        answered = answer_code(
            Asking(code, xw_pub, NOW),
            self.alice.account,
            self.alice.devices,
            head=b"",
            pins=[self.pin],
            backup_seed=self.seed if seed is None else seed,
            now=NOW,
            random=seeded("answer"),
        )
        if not isinstance(answered, Answered):
            raise ValueError(answered.why)
        return answered

    def scan(
        self, name: str, comment: str, code: bytes | None = None, expect: str = "link", **more: Any
    ) -> Case:
        """Let alice's phone read a code."""
        given = {
            "code": b64(self.waiting.code.data if code is None else code),
            "xw_pub": b64(self.waiting.xw_pub),
            "user": b64(self.alice.user),
            "amk_pub": b64(self.alice.account.public),
            "origin": _ORIGIN,
            "used": [],
            **more,
        }
        return Case(name, comment, "3.8", "link_scan", given, expect)

    def codes(self) -> Iterator[Case]:
        """Who reads which code."""
        scan, waiting, mallory = self.scan, self.waiting, self.mallory
        yield scan("link-scan", "a new laptop", expect="ok")
        other = b64(self.other.xw_pub)
        yield scan("link-xw-hash-mismatch", "the server's own key", xw_pub=other)
        short = b64(waiting.xw_pub[:-1])
        yield scan("link-xw-1215", "a byte short", xw_pub=short)
        key = b64(mallory.account.public)
        yield scan("link-amk-not-mine", "the server named another key", amk_pub=key)
        yield scan("link-user-not-mine", "another account", user=b64(mallory.user))
        yield scan("link-other-origin", "another server", origin="https://evil.example:443")
        yield scan("link-other-port", "another port", origin="https://chat.example:8443")
        used = [b64(waiting.code.code_hash)]
        yield scan("link-scanned-again", "a code works once", used=used)
        others = [b64(self.other.code.code_hash)]
        yield scan("link-other-code-used", "other codes do not matter", expect="ok", used=others)

    def forged_codes(self) -> Iterator[Case]:
        """Codes that no honest device shows."""
        scan, mallory, fields = self.scan, self.mallory.keys, lp_split(self.waiting.code.data)

        def edited(at: int, value: bytes) -> bytes:
            return lp(*fields[:at], value, *fields[at + 1 :])

        yield scan("link-accept-missing", "the device did not agree", edited(6, bytes(64)))
        stolen = lp(*fields[:5], mallory.dsk_pub, mallory.accept, *fields[7:])
        yield scan("link-accept-for-other-user", "mallory's device, for herself", stolen)
        low = lp(*fields[:5], bytes([1]) + bytes(31), *fields[6:])
        yield scan("link-small-order-dsk", "no valid key", low)
        yield scan("link-psk-31", "a short secret", edited(8, bytes(31)), "parse")
        yield scan("link-suite-2", "an unknown suite", edited(1, b"\x02"), "suite")
        yield scan("link-label", "another label", edited(0, b"links"), "parse")
        more = self.waiting.code.data + b"\0"
        yield scan("link-trailing-byte", "one byte more", more, "parse")
        yield scan("link-field-missing", "no secret", lp(*fields[:-1]), "parse")

    def finish(
        self, name: str, comment: str, *answers: bytes, expect: str = "link", now: int = NOW
    ) -> Case:
        """Let alice's new laptop take answers."""
        given = {
            "code": b64(self.waiting.code.data),
            "xw_seed": b64(self.waiting.xw_seed),
            "made": NOW,
            "now": now,
            "answers": [b64(answer) for answer in answers],
        }
        return Case(name, comment, "3.8", "link_finish", given, expect)

    def answers(self) -> Iterator[Case]:
        """Which answer opens, and when."""
        finish, good, waiting = self.finish, self.good, self.waiting
        yield finish("link", "listed", good, expect="ok")
        last = NOW + LINK_MS
        yield finish("link-after-five-minutes", "just in time", good, expect="ok", now=last)
        yield finish("link-expired", "too late", good, now=last + 1)
        yield finish("link-clock-back", "before the code was made", good, now=NOW - 1)
        yield finish("link-replayed", "a second answer ends it", good, good)
        yield finish("link-garbage-then-real", "one failure ends it", good[:-1], good)
        blind = self._answer(replace(waiting.code, psk=bytes(32)), waiting.xw_pub)
        yield finish("link-without-psk", "by who did not see the screen", blind.answer)
        other = self._answer(self.other.code, waiting.xw_pub)
        yield finish("link-other-qr", "for another code", other.answer)
        elsewhere = self._answer(waiting.code, self.other.xw_pub)
        yield finish("link-other-xw", "for another key", elsewhere.answer)
        yield finish("link-answer-short", "shorter than its ciphertext", good[:1119])
        low = good[: xwing.CIPHERTEXT_SIZE - 32] + bytes(32) + good[xwing.CIPHERTEXT_SIZE :]
        yield finish("link-ct-low-order", "no shared secret", low)

    def payloads(self) -> Iterator[Case]:
        """What an answer may hold, sealed by somebody who saw the screen."""
        finish, devices, seed = self.finish, self.devices, self.seed
        pin = lp(self.pin.user, self.pin.amk_pub, u64(1), self.pin.list_hash)
        without = self._answer(self.waiting.code, self.waiting.xw_pub, seed=b"")
        yield finish("link-without-history", "old rooms stay closed", without.answer, expect="ok")

        def holding(*fields: bytes) -> bytes:
            shared_to = xwing.encapsulate(self.waiting.xw_pub, seeded("forged answer"))
            code = self.waiting.code
            key = kdf(shared_to[1], "link", lp(code.psk, code.code_hash))
            return shared_to[0] + aead_seal(key, ZERO_NONCE, lp(*fields), b"")

        def listing(signed: SignedDeviceList, backup: bytes = b"") -> bytes:
            return holding(signed.data, signed.sig, b"", lp(), backup)

        alice, first = self.alice, self.alice.devices
        yield finish("link-list-lacks-me", "the list of before", listing(first))
        forged = self._forged(self.waiting.keys)
        yield finish("link-list-other-amk", "under the server's key", listing(forged))
        unsigned = SignedDeviceList(devices.data, bytes(64))
        yield finish("link-list-unsigned", "by nobody", listing(unsigned))
        other_seed = backup_seed(self.mallory.recovery_key, alice.user, 1)
        yield finish("link-backup-other", "not the list's key", listing(devices, other_seed))
        yield finish("link-backup-31", "a short seed", listing(devices, seed[:-1]))
        parts = (devices.data, devices.sig)
        yield finish("link-pin-twice", "one contact twice", holding(*parts, b"", lp(pin, pin), b""))
        zero = lp(self.pin.user, self.pin.amk_pub, u64(0), self.pin.list_hash)
        yield finish("link-pin-version-0", "no list", holding(*parts, b"", lp(zero), b""))
        yield finish("link-head-1025", "too long", holding(*parts, bytes(1025), lp(), b""))
        yield finish("link-payload-extra", "a field more", holding(*parts, b"", lp(), b"", b""))

    def _forged(self, laptop: DeviceKeys) -> SignedDeviceList:
        server = replace(self.mallory.account, user=self.alice.user)
        content = replace(
            parse_device_list(self.alice.devices.data),
            amk_pub=server.public,
            entries=(laptop.entry(),),
        )
        return sign_device_list(server, content)
