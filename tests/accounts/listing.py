"""Device lists as a client with the recovery secret makes them, ready to be posted."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.test import Client

from accounts.access import newest_list
from accounts.protocol import from_base64url, to_base64url
from accounts.services import now_ms
from crypto_client.device_list import SignedDeviceList, next_device_list
from crypto_client.identity import DeviceKeys, device_proof, new_device
from crypto_client.prekeys import SignedPrekey, new_prekey
from crypto_client.recovery import Recovered, backup_seed
from crypto_client.renewal import Renewal, renew_recovery
from tests.cast import JSON, ORIGIN, Keys, Person

PATH = "/api/me/device-lists"


def fresh_device(person: Person) -> DeviceKeys:
    """Keys for a further device of one of the cast, in no list yet."""
    return new_device(person.id.bytes, person.keys.account.public, now_ms())


def newest(person: Person) -> SignedDeviceList:
    """The list that the server has now."""
    row = newest_list(person.user)
    return SignedDeviceList(bytes(row.body), bytes(row.sig))


def listed(person: Person, *devices: DeviceKeys) -> SignedDeviceList:
    """The next list, with exactly these devices."""
    entries = [device.entry() for device in devices]
    return next_device_list(person.keys.account, newest(person), entries, time=now_ms())


def first_prekey(device: DeviceKeys) -> SignedPrekey:
    """The prekey with which a device enters."""
    return new_prekey(device, seq=1, created=now_ms())[1]


def body_of(signed: SignedDeviceList, prekeys: Sequence[SignedPrekey] = ()) -> dict[str, Any]:
    """The body of ``POST /api/me/device-lists``."""
    return {
        "device_list": to_base64url(signed.data),
        "list_sig": to_base64url(signed.sig),
        "prekeys": [
            {"prekey": to_base64url(each.data), "prekey_sig": to_base64url(each.sig)}
            for each in prekeys
        ],
    }


def add_device(person: Person) -> DeviceKeys:
    """Let a further device in; it has proved nothing yet."""
    device = fresh_device(person)
    body = body_of(listed(person, person.device, device), [first_prekey(device)])
    assert person.post(PATH, body).status_code == 201
    return device


def proof_of(device: DeviceKeys, nonce: bytes) -> dict[str, str]:
    """What a device says to a nonce over REST."""
    signature = device_proof(device, ORIGIN, nonce)
    return {"device_id": id_of_device(device), "signature": to_base64url(signature)}


def prove_as(client: Client, device: DeviceKeys) -> Any:
    """Make a client's session a device; gives the answer."""
    nonce = from_base64url(client.post("/api/devices/challenge", {}, JSON).json()["nonce"])
    return client.post("/api/devices/proof", proof_of(device, nonce), JSON)


def id_of_device(device: DeviceKeys) -> str:
    """A device's id as JSON has it."""
    return str(UUID(bytes=device.device))


def renewal_of(keys: Keys) -> Renewal:
    """A new recovery key for an account whose first one is known; nothing is published."""
    seed = backup_seed(keys.recovery_key, keys.account.user, 1)
    recovered = Recovered(keys.account, keys.recovery_key, seed, version=1, bk_version=1)
    return renew_recovery(recovered, keys.device_list, time=now_ms())


def body_of_renewal(renewal: Renewal) -> dict[str, str]:
    """The body of ``POST /api/me/recovery``."""
    return {
        "device_list": to_base64url(renewal.devices.data),
        "list_sig": to_base64url(renewal.devices.sig),
        "recovery_blob": to_base64url(renewal.blob.data),
        "recovery_sig": to_base64url(renewal.blob.sig),
        "carry": to_base64url(renewal.carry),
    }


def renewal_body(keys: Keys) -> dict[str, str]:
    """What publishes a new recovery key in the place of the first."""
    return body_of_renewal(renewal_of(keys))
