"""This device links another home or browser of its owner's (docs/protocol.md §3.8)."""

import uuid
from contextlib import suppress
from dataclasses import dataclass

from crypto_client.client.failures import CommandFailure, Refused, Unverified
from crypto_client.client.keys import Keyring, now_ms
from crypto_client.client.own_lists import admit, revoke
from crypto_client.client.server import Server, b64, unb64
from crypto_client.client.store import Store
from crypto_client.device_list import MAX_DEVICES
from crypto_client.encoding import lp
from crypto_client.errors import LinkError
from crypto_client.link_offer import (
    check_first_prekey,
    compare_number,
    open_offer,
    read_short_code,
)
from crypto_client.linking import Answered, Asking, GaveUp, Pin, answer_code, scan_code
from crypto_client.prekeys import SignedPrekey
from crypto_client.restoring import Restored
from crypto_client.slips import Typed

READ = "links_read"
REMEMBERED = 64
MAX_SENT_PINS = 6000


@dataclass(frozen=True)
class Taken:
    """A new device's offer that this device has taken and verified."""

    path: str
    asking: Asking
    prekey: SignedPrekey

    @property
    def compare(self) -> str:
        """The digits that both screens show."""
        return compare_number(self.asking.code)


class LinkOther:
    """Reads a code, and admits the device that shows it."""

    def __init__(self, store: Store, server: Server, keyring: Keyring) -> None:
        self.store = store
        self.server = server
        self.keyring = keyring

    def read(self, text: str) -> Taken:
        """Take the offer that a typed code names, and verify it.

        ``link`` for a mistyped code and for what the screen did not show; `Refused` with
        ``not_found`` when nobody shows this code any more.
        """
        secret = read_short_code(text)
        path = f"/api/me/links/{uuid.UUID(bytes=secret.link_id)}"
        sealed = unb64(self.server.post(f"{path}/take")["offer"])
        try:
            offer = open_offer(secret, sealed, self.keyring.device.user)
            asking = self._scan(offer.code, offer.xw_pub)
            check_first_prekey(asking, offer.prekey)
        except (LinkError, Unverified):
            self.refuse(path)
            raise
        return Taken(path, asking, offer.prekey)

    def _scan(self, code: bytes, xw_pub: bytes) -> Asking:
        used: list[str] = self.store.fact(READ) or []
        device = self.keyring.device
        asking = scan_code(
            code,
            xw_pub,
            own=(device.user, device.amk_pub),
            origin=self.server.origin,
            used={unb64(each) for each in used},
            now=now_ms(),
        )
        if isinstance(asking, GaveUp):
            raise Unverified(asking.outcome)
        self.store.remember(READ, [*used, b64(asking.code.code_hash)][-REMEMBERED:])
        return asking

    def refuse(self, path: str) -> None:
        """Say no; the box runs out by itself when this is not heard."""
        with suppress(CommandFailure):
            self.server.delete(path)

    def accept(self, taken: Taken, typed: Typed) -> None:
        """List the new device with the recovery secret, publish the list, and answer.

        An answer that the server does not take leaves an entry that nobody uses: it is revoked.
        """
        device = taken.asking.code.device
        self.server.post(f"{taken.path}/take")  # `not_found` when the new device has given up
        try:
            answer = admit(
                self.server,
                self.store,
                typed,
                lambda now: self._answer(taken.asking, now),
                taken.prekey,
            )
            self.server.put(f"{taken.path}/answer", {"answer": b64(answer)})
        except CommandFailure:
            if self._is_listed(device):
                revoke(self.server, self.store, typed, device)
            raise
        self.keyring.refresh(self.keyring.device.user)

    def _answer(self, asking: Asking, now: Restored) -> Answered:
        if len(now.lists[-1].entries) >= MAX_DEVICES:
            raise Refused("device_limit")
        answered = answer_code(
            asking,
            now.recovered.account,
            now.newest,
            head=self._head(),
            pins=self._pins(),
            backup_seed=now.recovered.backup_seed,
            now=now_ms(),
        )
        if isinstance(answered, GaveUp):
            raise Unverified(answered.outcome)
        return answered

    def _is_listed(self, device: bytes) -> bool:
        user = self.keyring.device.user
        self.keyring.refresh(user)
        return self.keyring.list_of(user).entry(device) is not None

    def _head(self) -> bytes:
        row = self.store.row("SELECT head, sig FROM key_logs ORDER BY number DESC LIMIT 1")
        return lp(row["head"], row["sig"]) if row and row["head"] else b""

    def _pins(self) -> list[Pin]:
        own = self.keyring.device.user
        rows = self.store.rows("SELECT * FROM accounts WHERE user != ? LIMIT ?", own, MAX_SENT_PINS)
        return [Pin(r["user"], r["amk_pub"], r["version"], r["list_hash"]) for r in rows]
