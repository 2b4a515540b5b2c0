"""Rows of "Me, keys, devices" in docs/wire.md."""

from typing import Any

from accounts.protocol import to_base64url
from tests.authorization.table import Row, Scene
from tests.cast import keys_of

SIGNED_IN = (401, 200, 200, 200, 200, 200)


def enrolment(scene: Scene, actor: str) -> Any:
    return keys_of(actor if actor != "anonymous" else "mallory").enrolment()


def no_proof(scene: Scene, actor: str) -> Any:
    return {"device_id": str(scene["bob"]), "signature": to_base64url(bytes(64))}


def old_prekey(scene: Scene, actor: str) -> Any:
    keys = keys_of(actor if actor != "anonymous" else "mallory")
    return {"prekey": to_base64url(keys.prekey.data), "prekey_sig": to_base64url(keys.prekey.sig)}


ROWS = [
    Row("GET", "/api/me", SIGNED_IN),
    Row("PATCH", "/api/me", SIGNED_IN, body=lambda scene, actor: {"nickname": "N"}),
    Row("POST", "/api/me/keys", (401, 409, 409, 409, 409, 409), body=enrolment),
    Row("GET", "/api/me/recovery", SIGNED_IN),
    Row("GET", "/api/devices", SIGNED_IN),
    Row("POST", "/api/devices/challenge", SIGNED_IN),
    Row("POST", "/api/devices/proof", (401, 403, 403, 403, 403, 403), body=no_proof),
    Row("POST", "/api/prekeys", (401, 403, 403, 403, 403, 403), body=old_prekey),
    Row("POST", "/api/prekeys", (401, 400, 400, 400, 400, 400), body=old_prekey, device=True),
    # bob's profile and keys: for bob and his friend alone
    Row("GET", "/api/users/{bob}", (401, 404, 404, 200, 200, 404)),
    Row("GET", "/api/users/{bob}/keys", (401, 404, 404, 200, 200, 404)),
    Row("GET", "/api/schema/", (200, 200, 200, 200, 200, 200)),
]
