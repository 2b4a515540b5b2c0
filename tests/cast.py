"""The people of the tests, all of them with keys.

alice and bob are friends; carol is a friend of alice only; dave has left the room they share;
mallory is a stranger; mod is a moderator.

Their ids and keys are made once for a test run, by the client's own code; only rows are made anew.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.test import Client

from accounts.models import AccountKey, Device, DeviceList, Prekey, User
from accounts.protocol import from_base64url, to_base64url
from accounts.services import now_ms
from crypto_client.device_list import SignedDeviceList, first_device_list
from crypto_client.identity import AccountKey as OwnAccountKey
from crypto_client.identity import DeviceKeys, device_proof, new_account, new_device
from crypto_client.prekeys import SignedPrekey, new_prekey
from crypto_client.recovery import SignedBlob, backup_public, seal_recovery
from friends.access import ordered_pair
from friends.models import Friendship

NAMES = ("alice", "bob", "carol", "dave", "mallory", "mod")
FRIENDSHIPS = (("alice", "bob"), ("alice", "carol"))
ORIGIN = "http://127.0.0.1:8000"
PASSWORD = "correct horse battery staple"
SECRET = "baba baba baba baba baba baba"
JSON = "application/json"


@dataclass(frozen=True)
class Keys:
    """Everything one person's client made at sign-up, private halves included."""

    account: OwnAccountKey
    device: DeviceKeys
    recovery_key: bytes
    device_list: SignedDeviceList
    prekey_seed: bytes
    prekey: SignedPrekey
    recovery: SignedBlob

    def enrolment(self) -> dict[str, str]:
        """The body of ``POST /api/me/keys``."""
        return {
            "account_key": to_base64url(self.account.public),
            "device_list": to_base64url(self.device_list.data),
            "list_sig": to_base64url(self.device_list.sig),
            "prekey": to_base64url(self.prekey.data),
            "prekey_sig": to_base64url(self.prekey.sig),
            "recovery_blob": to_base64url(self.recovery.data),
            "recovery_sig": to_base64url(self.recovery.sig),
        }


@cache
def id_of(name: str) -> UUID:
    """A person's id, the same in every test."""
    return UUID(bytes=name.encode().ljust(16, b"-")[:16])


@cache
def keys_of(name: str) -> Keys:
    """A person's keys, the same in every test of a run."""
    return make_keys(id_of(name))


def make_keys(user_id: UUID) -> Keys:
    """Fresh keys as a client makes them at sign-up, with the cheapest Argon2id that is allowed."""
    user, now = user_id.bytes, now_ms()
    account = new_account(user)
    device = new_device(user, account.public, now)
    recovery_key = account.seed[::-1]
    bk_pub = backup_public(recovery_key, user, 1)
    seed, prekey = new_prekey(device, seq=1, created=now)
    return Keys(
        account=account,
        device=device,
        recovery_key=recovery_key,
        device_list=first_device_list(account, [device.entry()], time=now, bk_pub=bk_pub),
        prekey_seed=seed,
        prekey=prekey,
        recovery=seal_recovery(account, recovery_key, SECRET, version=1, ops=3, mem=2**26),
    )


@cache
def hashed_password() -> str:
    """The hash of `PASSWORD`; made once, because it is meant to be slow."""
    return make_password(PASSWORD)


@dataclass
class Person:
    """One of the cast: ``user`` (the row), ``client`` (signed in, JSON) and ``keys``."""

    name: str
    user: User
    client: Client = field(default_factory=Client)

    @property
    def id(self) -> UUID:
        return self.user.id

    @property
    def keys(self) -> Keys:
        return keys_of(self.name)

    @property
    def device(self) -> DeviceKeys:
        """The signing key of this person's one device; ids in it are raw bytes."""
        return self.keys.device

    @property
    def device_id(self) -> UUID:
        return UUID(bytes=self.device.device)

    def get(self, path: str, **options: Any) -> Any:
        return self.client.get(path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> Any:
        return self.client.post(path, {} if body is None else body, JSON, **options)

    def put(self, path: str, body: Any = None, **options: Any) -> Any:
        return self.client.put(path, {} if body is None else body, JSON, **options)

    def patch(self, path: str, body: Any = None, **options: Any) -> Any:
        return self.client.patch(path, {} if body is None else body, JSON, **options)

    def delete(self, path: str, **options: Any) -> Any:
        return self.client.delete(path, **options)

    def proof(self, nonce: bytes, origin: str = ORIGIN) -> dict[str, str]:
        """The body of ``POST /api/devices/proof`` for a nonce."""
        signature = device_proof(self.device, origin, nonce)
        return {"device_id": str(self.device_id), "signature": to_base64url(signature)}

    def prove(self) -> "Person":
        """Bind the client's session to this person's device, over REST."""
        prove(self.client, self)
        return self


def prove(client: Client, person: Person) -> None:
    """Make a client's session the device of a person who is signed in to it."""
    answer = client.post("/api/devices/challenge", {}, JSON)
    assert answer.status_code == 200, answer.content
    body = person.proof(from_base64url(answer.json()["nonce"]))
    answer = client.post("/api/devices/proof", body, JSON)
    assert answer.status_code == 204, answer.content


@dataclass
class Cast:
    """All six, by name."""

    alice: Person
    bob: Person
    carol: Person
    dave: Person
    mallory: Person
    mod: Person

    def __getitem__(self, name: str) -> Person:
        person: Person = getattr(self, name)
        return person

    def __iter__(self) -> Iterator[Person]:
        return (self[name] for name in NAMES)


def user_row(name: str) -> User:
    """The account of one of the cast, not yet saved."""
    return User(
        id=id_of(name),
        email=f"{name}@example.org",
        nickname=name.capitalize(),
        password=hashed_password(),
        is_staff=name == "mod",
    )


def make_cast() -> Cast:
    """Save all six with their keys and friendships, and sign their clients in."""
    users = {name: user_row(name) for name in NAMES}
    User.objects.bulk_create(users.values())
    save_keys({name: users[name] for name in NAMES})
    pairs = [ordered_pair(id_of(a), id_of(b)) for a, b in FRIENDSHIPS]
    Friendship.objects.bulk_create(Friendship(low_id=low, high_id=high) for low, high in pairs)
    people = {name: Person(name, user) for name, user in users.items()}
    for person in people.values():
        person.client.force_login(person.user)
    return Cast(**people)


def save_keys(users: dict[str, User]) -> None:
    """Save the rows that enrolment would have left; enrolment itself has tests of its own."""
    AccountKey.objects.bulk_create(
        AccountKey(
            user=user,
            amk_pub=keys_of(name).account.public,
            recovery_blob=keys_of(name).recovery.data,
            recovery_sig=keys_of(name).recovery.sig,
            recovery_version=1,
        )
        for name, user in users.items()
    )
    DeviceList.objects.bulk_create(
        DeviceList(
            user=user,
            version=1,
            body=keys_of(name).device_list.data,
            sig=keys_of(name).device_list.sig,
            list_hash=keys_of(name).device_list.list_hash,
        )
        for name, user in users.items()
    )
    save_devices(users)


def save_devices(users: dict[str, User]) -> None:
    """Save one device with one prekey for each person."""
    Device.objects.bulk_create(
        Device(
            id=UUID(bytes=keys_of(name).device.device),
            user=user,
            dsk_pub=keys_of(name).device.dsk_pub,
        )
        for name, user in users.items()
    )
    Prekey.objects.bulk_create(
        Prekey(
            device_id=UUID(bytes=keys_of(name).device.device),
            seq=1,
            body=keys_of(name).prekey.data,
            sig=keys_of(name).prekey.sig,
            prekey_hash=keys_of(name).prekey.prekey_hash,
            expires_ms=now_ms() + 8_640_000_000,
        )
        for name in users
    )
