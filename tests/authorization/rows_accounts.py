"""Rows of "Me, keys, devices" in docs/wire.md."""

from typing import Any

from accounts.protocol import to_base64url
from accounts.services import now_ms
from crypto_client.device_list import next_device_list
from crypto_client.identity import new_device
from tests.accounts.listing import body_of, first_prekey, renewal_body
from tests.authorization.table import Row, Scene
from tests.cast import keys_of

SIGNED_IN = (401, 200, 200, 200, 200, 200)


def enrolment(scene: Scene, actor: str) -> Any:
    return keys_of(actor if actor != "anonymous" else "mallory").enrolment()


def no_proof(scene: Scene, actor: str) -> Any:
    return {"device_id": str(scene["bob"]), "signature": to_base64url(bytes(64))}


def list_of_bob(scene: Scene, actor: str) -> Any:
    """bob's device list with a second device, signed by bob's account key."""
    keys = keys_of("bob")
    device = new_device(keys.account.user, keys.account.public, now_ms())
    entries = [keys.device.entry(), device.entry()]
    signed = next_device_list(keys.account, keys.device_list, entries, time=now_ms())
    return body_of(signed, [first_prekey(device)])


def renewal_of_bob(scene: Scene, actor: str) -> Any:
    """A new recovery key of bob's account, made with his present one."""
    return renewal_body(keys_of("bob"))


def old_prekey(scene: Scene, actor: str) -> Any:
    keys = keys_of(actor if actor != "anonymous" else "mallory")
    return {"prekey": to_base64url(keys.prekey.data), "prekey_sig": to_base64url(keys.prekey.sig)}


ROWS = [
    Row("GET", "/api/me", SIGNED_IN),
    Row("PATCH", "/api/me", SIGNED_IN, body=lambda scene, actor: {"nickname": "N"}),
    Row("POST", "/api/me/keys", (401, 409, 409, 409, 409, 409), body=enrolment),
    # the account key's signature is the authority, and it is bob's
    Row("POST", "/api/me/device-lists", (401, 400, 400, 201, 400, 400), body=list_of_bob),
    Row("GET", "/api/me/recovery", SIGNED_IN),
    Row("POST", "/api/me/recovery", (401, 403, 403, 403, 403, 403), body=renewal_of_bob),
    Row(
        "POST",
        "/api/me/recovery",
        (401, 400, 400, 201, 400, 400),
        body=renewal_of_bob,
        device=True,
    ),
    Row("GET", "/api/me/backup-key", SIGNED_IN),
    Row("GET", "/api/devices", SIGNED_IN),
    Row("POST", "/api/devices/challenge", SIGNED_IN),
    Row("POST", "/api/devices/proof", (401, 403, 403, 403, 403, 403), body=no_proof),
    Row("POST", "/api/prekeys", (401, 403, 403, 403, 403, 403), body=old_prekey),
    Row("POST", "/api/prekeys", (401, 400, 400, 400, 400, 400), body=old_prekey, device=True),
    # hashes only: for everybody who is signed in
    Row("GET", "/api/key-log", SIGNED_IN),
    Row("GET", "/api/key-log/head", SIGNED_IN),
    # bob's profile and keys: for bob and his friend alone
    Row("GET", "/api/users/{bob}", (401, 404, 404, 200, 200, 404)),
    Row("GET", "/api/users/{bob}/keys", (401, 404, 404, 200, 200, 404)),
    Row("GET", "/api/schema/", (200, 200, 200, 200, 200, 200)),
]
