"""This home shows a code, and another device of the account links it (docs/protocol.md §3.8)."""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace

from crypto_client.client.failures import CommandFailure, Refused, TimedOut, Unverified
from crypto_client.client.key_log import LINKED_HEAD
from crypto_client.client.keys import device_to_json, keep_list, keep_pins, keep_prekey, now_ms
from crypto_client.client.own_lists import carries_in
from crypto_client.client.server import JSON, Server, b64, unb64
from crypto_client.client.store import Store
from crypto_client.device_list import (
    DeviceList,
    SignedDeviceList,
    parse_device_list,
    walk_own_lists,
)
from crypto_client.errors import ReferenceMissingError
from crypto_client.link_offer import ScreenSecret, compare_number, new_screen_secret, seal_offer
from crypto_client.linking import Linked, Waiting, begin_link, finish_link
from crypto_client.prekeys import SignedPrekey, new_prekey
from crypto_client.renewal import backup_seeds
from crypto_client.restoring import OwnHistory
from crypto_client.xwing import public_of

POLL_SECONDS = 2.0
LINKED_PAST = "linked_past"


@dataclass(frozen=True)
class Attempt:
    """One code on the screen, and what belongs to it; nothing of it is on disk."""

    secret: ScreenSecret
    waiting: Waiting
    prekey_seed: bytes = field(repr=False)
    prekey: SignedPrekey
    until_ms: int

    @property
    def path(self) -> str:
        """The server's box."""
        return f"/api/me/links/{uuid.UUID(bytes=self.secret.link_id)}"

    @property
    def compare(self) -> str:
        """The digits that both screens show."""
        return compare_number(self.waiting.code)


@contextmanager
def offering(server: Server) -> Iterator[Attempt]:
    """Offer this home to the account's devices; whatever happens, the box is closed at the end.

    `Refused` with ``keys_missing`` for an account without keys, and with ``link_busy``.
    """
    me = server.get("/api/me")
    if me["account_key"] is None:
        raise Refused("keys_missing")
    user, amk_pub = uuid.UUID(me["user_id"]).bytes, unb64(me["account_key"])
    waiting = begin_link(user, amk_pub, server.origin, now=now_ms())
    seed, prekey = new_prekey(waiting.keys, seq=1, created=now_ms())
    secret = new_screen_secret()
    offer = seal_offer(secret, waiting, prekey)
    link_id = str(uuid.UUID(bytes=secret.link_id))
    box = server.post("/api/me/links", {"link_id": link_id, "offer": b64(offer)})
    attempt = Attempt(secret, waiting, seed, prekey, now_ms() + box["left_ms"])
    try:
        yield attempt
    finally:
        with suppress(CommandFailure):  # it runs out by itself
            server.delete(attempt.path)


def wait_for_answer(server: Server, attempt: Attempt, taken: Callable[[], None]) -> Linked:
    """Wait until a device has answered, calling ``taken`` once when one has read the code.

    `TimedOut` when the code's minutes are over, `Refused` with ``not_found`` when a side gave
    up, `Unverified` with ``link`` for an answer by who did not see the screen.
    """
    told = False
    while now_ms() <= attempt.until_ms:
        box = server.get(attempt.path)
        if box["answer"] is not None:
            linked = finish_link(attempt.waiting, unb64(box["answer"]), now=now_ms())
            if not isinstance(linked, Linked):
                raise Unverified(linked.outcome)
            return linked
        if box["is_taken"] and not told:
            told = True
            taken()
        pause()
    raise TimedOut("link_expired")


def pause() -> None:
    """Let the other device get on."""
    time.sleep(POLL_SECONDS)


def keep_linked(server: Server, store: Store, attempt: Attempt, linked: Linked) -> None:
    """Make this home the device that the answer names, all at once.

    `Unverified` with ``link`` when the answer gives no history, or is of another history of the
    account than the server's lists.
    """
    devices = parse_device_list(linked.devices.data)
    entry = devices.entry(linked.keys.device)
    if entry is None or not linked.backup_seed:
        raise Unverified("link")
    user, amk_pub = linked.keys.user, linked.keys.amk_pub
    signed, _ = _own_lists(server, user, amk_pub)
    if linked.devices.list_hash not in {each.list_hash for each in signed}:
        raise Unverified("link")
    kept: JSON = {
        **device_to_json(replace(linked.keys, created=entry.created)),
        "bk_pub": b64(public_of(linked.backup_seed)),
        "bk_version": devices.bk_version,
    }
    with store.transaction():
        store.remember("device", kept)
        keep_prekey(store, 1, attempt.prekey_seed, attempt.prekey, now_ms())
        for version, each in enumerate(signed, 1):
            keep_list(store, user, amk_pub, each, version)
        keep_pins(store, linked.pins)
        store.remember(LINKED_PAST, b64(linked.backup_seed))
        store.remember(LINKED_HEAD, b64(linked.head) or None)


def linked_past(server: Server, store: Store) -> OwnHistory:
    """What opens the past of a home that was just linked; it is kept until every room was read."""
    device = store.fact("device")
    user, amk_pub = unb64(device["user"]), unb64(device["amk_pub"])
    _, lists = _own_lists(server, user, amk_pub)
    carries = carries_in(server.get("/api/me/recovery"))
    seeds = backup_seeds(unb64(store.fact(LINKED_PAST)), lists, carries)
    return OwnHistory(user, lists, seeds)


def _own_lists(
    server: Server, user: bytes, amk_pub: bytes
) -> tuple[list[SignedDeviceList], tuple[DeviceList, ...]]:
    """All own lists from the first on, verified, as they travel and opened."""
    found = server.user_keys(uuid.UUID(bytes=user), after_version=0)["lists"]
    signed = [
        SignedDeviceList(unb64(item["device_list"]), unb64(item["list_sig"]))
        for item in sorted(found, key=lambda item: int(item["version"]))
    ]
    if not signed:
        raise ReferenceMissingError("an account key without a device list")
    return signed, walk_own_lists(signed, user=user, amk_pub=amk_pub)
