"""How a home becomes the first device of an account: keys made, kept, and then published."""

import uuid
from dataclasses import dataclass

from crypto_client.client.failures import Refused
from crypto_client.client.keys import device_to_json, keep_list, keep_prekey, now_ms
from crypto_client.client.server import JSON, Server, b64, unb64
from crypto_client.client.store import Store
from crypto_client.device_list import SignedDeviceList, first_device_list
from crypto_client.identity import AccountKey, new_account, new_device
from crypto_client.prekeys import SignedPrekey, new_prekey
from crypto_client.primitives import system_random
from crypto_client.recovery import backup_public, encode_code, generate_words, seal_recovery


def enrol(server: Server, store: Store, user: uuid.UUID) -> None:
    """Make this account's keys and this device, publish the public halves, and remember all of it.

    The home keeps everything before the server hears of it: a lost answer cannot lose the keys.
    """
    made = store.fact("enrolment") or _make_keys(store, user)
    try:
        server.post("/api/me/keys", made["published"])
    except Refused as refusal:
        mine = server.get("/api/me")["account_key"] == made["published"]["account_key"]
        if refusal.code != "keys_exist" or not mine:
            raise
    with store.transaction():
        store.remember("device", made["device"])
        store.remember("enrolment", None)


@dataclass(frozen=True)
class NewAccount:
    """A new account key with its first device, before anybody has heard of them."""

    user: bytes
    amk_pub: bytes
    devices: SignedDeviceList
    prekey_seed: bytes
    prekey: SignedPrekey
    published: JSON
    device: JSON

    def keep(self, store: Store) -> None:
        """Make the home the one of this device: its prekey, its list, and the own pin."""
        keep_prekey(store, 1, self.prekey_seed, self.prekey, now_ms())
        keep_list(store, self.user, self.amk_pub, self.devices, 1)

    def to_json(self) -> JSON:
        """What a home keeps until it may use them."""
        return {
            "published": self.published,
            "device": self.device,
            "prekey_seed": b64(self.prekey_seed),
        }

    @staticmethod
    def from_json(kept: JSON) -> "NewAccount":
        """Read what a home has kept."""
        published = kept["published"]
        parts = {name: unb64(text) for name, text in published.items()}
        return NewAccount(
            unb64(kept["device"]["user"]),
            parts["account_key"],
            SignedDeviceList(parts["device_list"], parts["list_sig"]),
            unb64(kept["prekey_seed"]),
            SignedPrekey(parts["prekey"], parts["prekey_sig"]),
            published,
            kept["device"],
        )


def _make_keys(store: Store, user: uuid.UUID) -> JSON:
    new, _ = new_keys(user)
    made: JSON = {"published": new.published, "device": new.device}
    with store.transaction():
        store.remember("enrolment", made)
        new.keep(store)
    return made


def new_keys(user: uuid.UUID) -> tuple[NewAccount, AccountKey]:
    """Make an account key, a first device with its prekey, and a recovery secret.

    The account key is for what has to be signed at once; nobody keeps it.
    """
    now = now_ms()
    account = new_account(user.bytes)
    device = new_device(user.bytes, account.public, now)
    recovery_key, words = system_random(32), generate_words()
    backup = backup_public(recovery_key, user.bytes, 1)
    devices = first_device_list(account, [device.entry()], time=now, bk_pub=backup)
    seed, prekey = new_prekey(device, seq=1, created=now)
    blob = seal_recovery(account, recovery_key, words, version=1)
    published = {
        "account_key": b64(account.public),
        "device_list": b64(devices.data),
        "list_sig": b64(devices.sig),
        "prekey": b64(prekey.data),
        "prekey_sig": b64(prekey.sig),
        "recovery_blob": b64(blob.data),
        "recovery_sig": b64(blob.sig),
    }
    kept = {
        **device_to_json(device),
        "bk_pub": b64(backup),
        "bk_version": 1,
        "recovery_words": words,
        "recovery_code": encode_code(recovery_key),
    }
    new = NewAccount(account.user, account.public, devices, seed, prekey, published, kept)
    return new, account
