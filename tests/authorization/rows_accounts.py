"""Rows of "Me, keys, devices" in docs/wire.md."""

from typing import Any
from uuid import UUID

from accounts.models import Passkey
from accounts.protocol import to_base64url
from accounts.services import now_ms
from crypto_client.device_list import next_device_list
from crypto_client.identity import new_device
from crypto_client.passkey import PasskeyName, passkey_id, seal_passkey
from tests.accounts.listing import body_of, first_prekey, renewal_body
from tests.accounts.resetting import COMPLETE, VETO, let_pass, new_start, veto_by
from tests.accounts.resetting import PATH as RESET
from tests.authorization.table import Row, Scene, plain
from tests.cast import Cast, keys_of

LINK = UUID(int=7)
LINK_PATH = "/api/me/links/{link}"
SIGNED_IN = (401, 200, 200, 200, 200, 200)


def enrolment(scene: Scene, actor: str) -> Any:
    return keys_of(actor if actor != "anonymous" else "mallory").enrolment()


def keys_of_bob(scene: Scene, actor: str) -> Any:
    return {"users": [{"user_id": str(scene["bob"]), "after_version": 0}]}


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


def bob_starts_again(cast: Cast) -> Scene:
    """bob has announced that he starts again, and nobody has stopped it for 72 hours."""
    started = new_start(cast.bob)
    assert cast.bob.post(RESET, started.announcement()).status_code == 201
    let_pass()
    return {**plain(cast), "started": started, "cast": cast}


def announcement_of_bob(scene: Scene, actor: str) -> Any:
    return scene["started"].announcement()


def in_bobs_name(cast: Cast) -> Scene:
    """Everybody sends what bob has signed; nothing has been announced."""
    return {**plain(cast), "started": new_start(cast.bob)}


def veto_of_bob(scene: Scene, actor: str) -> Any:
    return veto_by(scene["cast"].bob.device, scene["started"].reset)


def new_keys_of_bob(scene: Scene, actor: str) -> Any:
    return scene["started"].keys.enrolment()


def old_prekey(scene: Scene, actor: str) -> Any:
    keys = keys_of(actor if actor != "anonymous" else "mallory")
    return {"prekey": to_base64url(keys.prekey.data), "prekey_sig": to_base64url(keys.prekey.sig)}


def link_offer(scene: Scene, actor: str) -> Any:
    return {"link_id": str(LINK), "offer": to_base64url(b"sealed")}


def link_answer(scene: Scene, actor: str) -> Any:
    return {"answer": to_base64url(b"sealed")}


def with_box_of_bob(cast: Cast) -> Scene:
    """bob's browser has opened a box, and no device has taken it."""
    assert cast.bob.post("/api/me/links", link_offer({}, "bob")).status_code == 201
    return {**plain(cast), "link": LINK}


def with_taken_box_of_bob(cast: Cast) -> Scene:
    """bob's device has taken the offer in bob's box."""
    scene = with_box_of_bob(cast)
    assert cast.bob.prove().post(f"/api/me/links/{LINK}/take").status_code == 200
    return scene


def passkey_of_bob(scene: Scene, actor: str) -> Any:
    return {"passkey": to_base64url(sealed_for_bob())}


def sealed_for_bob() -> bytes:
    """bob's recovery key under a passkey whose credential is called "c"."""
    account = keys_of("bob").account
    name = PasskeyName(account.user, account.public, 1, b"c")
    return seal_passkey(keys_of("bob").recovery_key, bytes(32), name)


def with_passkey_id(cast: Cast) -> Scene:
    """Nobody has a passkey yet; bob's will have this id."""
    return {**plain(cast), "passkey": UUID(bytes=passkey_id(cast.bob.id.bytes, b"c"))}


def with_passkey_of_bob(cast: Cast) -> Scene:
    """bob has kept a passkey."""
    scene = with_passkey_id(cast)
    Passkey.objects.create(id=scene["passkey"], user=cast.bob.user, sealed=sealed_for_bob())
    return scene


PASSKEY = "/api/me/passkeys/{passkey}"

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
    # each of them has none of their own, and nobody sees another's
    Row("GET", "/api/me/former-recovery", (401, 403, 403, 403, 403, 403)),
    Row("GET", "/api/me/former-recovery", SIGNED_IN, device=True),
    Row("GET", "/api/me/backup-key", SIGNED_IN),
    Row("GET", "/api/me/passkeys", SIGNED_IN),
    Row("GET", PASSKEY, (401, 404, 404, 200, 404, 404), scene=with_passkey_of_bob),
    Row("DELETE", PASSKEY, (401, 404, 404, 204, 404, 404), scene=with_passkey_of_bob),
    Row("PUT", PASSKEY, (401, 403, 403, 403, 403, 403), passkey_of_bob, with_passkey_id),
    Row(
        "PUT",
        PASSKEY,
        (401, 400, 400, 204, 400, 400),
        body=passkey_of_bob,
        scene=with_passkey_id,
        device=True,
    ),
    Row("POST", "/api/me/links", (401, 201, 201, 201, 201, 201), body=link_offer),
    # bob's box is bob's; nobody hears whether there was one to close
    Row("GET", LINK_PATH, (401, 404, 404, 200, 404, 404), scene=with_box_of_bob),
    Row("DELETE", LINK_PATH, (401, 204, 204, 204, 204, 204), scene=with_box_of_bob),
    Row("POST", f"{LINK_PATH}/take", (401, 403, 403, 403, 403, 403), scene=with_box_of_bob),
    Row(
        "POST",
        f"{LINK_PATH}/take",
        (401, 404, 404, 200, 404, 404),
        scene=with_box_of_bob,
        device=True,
    ),
    Row(
        "PUT",
        f"{LINK_PATH}/answer",
        (401, 404, 404, 204, 404, 404),
        body=link_answer,
        scene=with_taken_box_of_bob,
        device=True,
    ),
    # everybody speaks for their own account alone, and bob's is the only one that starts again
    Row("GET", RESET, SIGNED_IN),
    Row("POST", RESET, (401, 400, 400, 201, 400, 400), announcement_of_bob, in_bobs_name),
    Row("DELETE", RESET, (401, 404, 404, 204, 404, 404), scene=bob_starts_again),
    Row("POST", VETO, (401, 404, 404, 204, 404, 404), veto_of_bob, bob_starts_again),
    Row("POST", COMPLETE, (401, 404, 404, 201, 404, 404), new_keys_of_bob, bob_starts_again),
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
    # of many at once: whoever may not see bob gets nothing of him, see accounts/test_many_keys.py
    Row("POST", "/api/users/keys", (401, 200, 200, 200, 200, 200), body=keys_of_bob),
    Row("GET", "/api/schema/", (200, 200, 200, 200, 200, 200)),
]
