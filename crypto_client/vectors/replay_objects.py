"""Replays the vectors of encodings, keys and recovery; README.md defines every ``op``."""

from collections.abc import Callable, Mapping
from typing import Any

import nacl.bindings as sodium

import crypto_client.primitives as prim
from crypto_client import xwing
from crypto_client.body import parse_body
from crypto_client.device_list import (
    KnownList,
    SignedDeviceList,
    accept_device_list,
    verify_device_list,
)
from crypto_client.encoding import (
    MESSAGE_BUCKETS,
    TITLE_BUCKETS,
    decode_base64url,
    encode_base64url,
    lp_fields,
    lp_split,
    pad,
    unpad,
)
from crypto_client.identity import DeviceEntry, verify_device_proof
from crypto_client.passkey import PasskeyName, open_passkey
from crypto_client.prekeys import SignedPrekey, verify_prekey
from crypto_client.recovery import SignedBlob, decode_code, normalise_secret, open_recovery, word

Values = Mapping[str, Any]
Outputs = dict[str, Any]

raw = decode_base64url
text = encode_base64url
_BUCKETS = {"message": MESSAGE_BUCKETS, "title": TITLE_BUCKETS}


def _lp_parse(v: Values) -> Outputs:
    data = raw(v["data"])
    fields = lp_split(data) if v["sizes"] is None else lp_fields(data, v["sizes"])
    return {"fields": [text(field) for field in fields]}


def _b64(v: Values) -> Outputs:
    return {"hex": raw(v["text"]).hex()}


def _json_body(v: Values) -> Outputs:
    body = parse_body(raw(v["data"]))
    return {"type": body.type, "text": body.text}


def _pad(v: Values) -> Outputs:
    return {"padded": text(pad(raw(v["content"]), _BUCKETS[v["buckets"]]))}


def _unpad(v: Values) -> Outputs:
    return {"content": text(unpad(raw(v["padded"]), _BUCKETS[v["buckets"]]))}


def _hash(v: Values) -> Outputs:
    return {"hash": text(prim.h(v["label"], raw(v["data"])))}


def _kdf(v: Values) -> Outputs:
    return {"key": text(prim.kdf(raw(v["key"]), v["label"], raw(v["data"])))}


def _sign(v: Values) -> Outputs:
    seed = raw(v["seed"])
    signature = prim.sign(seed, v["label"], raw(v["data"]))
    return {"public": text(prim.public_key(seed)), "sig": text(signature)}


def _verify(v: Values) -> Outputs:
    prim.verify(raw(v["public"]), v["label"], raw(v["data"]), raw(v["sig"]))
    return {}


def _check_key(v: Values) -> Outputs:
    prim.check_public_key(raw(v["public"]))
    return {}


def _ed25519(v: Values) -> Outputs:
    public, secret = sodium.crypto_sign_seed_keypair(raw(v["seed"]))
    signed = sodium.crypto_sign(raw(v["message"]), secret)
    return {"public": text(public), "sig": text(signed[:64])}


def _hmac(v: Values) -> Outputs:
    return {"mac": text(prim.hmac_sha256(raw(v["key"]), raw(v["data"])))}


def _aead_open(v: Values) -> Outputs:
    opened = prim.aead_open(raw(v["key"]), raw(v["nonce"]), raw(v["sealed"]), raw(v["ad"]))
    return {"message": text(opened)}


def _xwing(v: Values) -> Outputs:
    seed = raw(v["seed"])
    shared = xwing.decapsulate(seed, raw(v["ct"]))
    return {"public": text(xwing.public_of(seed)), "shared": text(shared)}


def read_signed(v: Values) -> SignedDeviceList:
    """Read a signed list."""
    return SignedDeviceList(raw(v["data"]), raw(v["sig"]))


def _device_list(v: Values) -> Outputs:
    signed, user, amk_pub = read_signed(v), raw(v["user"]), raw(v["amk_pub"])
    devices = verify_device_list(signed, user, amk_pub)
    if v["known"] is not None:
        known = KnownList(v["known"]["version"], raw(v["known"]["list_hash"]))
        lists = [*(read_signed(between) for between in v["between"]), signed]
        accept_device_list(known, lists, user=user, amk_pub=amk_pub)
    names = [text(entry.device) for entry in devices.entries]
    return {"version": devices.version, "list_hash": text(signed.list_hash), "devices": names}


def _device_proof(v: Values) -> Outputs:
    verify_device_proof(
        raw(v["proof"]),
        raw(v["dsk_pub"]),
        origin=v["origin"],
        nonce=raw(v["nonce"]),
        user=raw(v["user"]),
        device=raw(v["device"]),
    )
    return {}


def _prekey(v: Values) -> Outputs:
    signed = SignedPrekey(raw(v["data"]), raw(v["sig"]))
    entry = DeviceEntry.parse(raw(v["entry"]))
    floor = v["seq_floor"]
    prekey = verify_prekey(signed, user=raw(v["user"]), entry=entry, now=v["now"], seq_floor=floor)
    return {"seq": prekey.seq, "prekey_hash": text(signed.prekey_hash)}


def _recovery_open(v: Values) -> Outputs:
    found = open_recovery(
        SignedBlob(raw(v["data"]), raw(v["sig"])),
        user=raw(v["user"]),
        secret=v["secret"],
        code=v["code"],
        known_version=v["known_version"],
        known_bk_version=v["known_bk_version"],
    )
    return {
        "amk_seed": text(found.account.seed),
        "recovery_key": text(found.recovery_key),
        "backup_seed": text(found.backup_seed),
    }


def _recovery_code(v: Values) -> Outputs:
    return {"recovery_key": text(decode_code(v["code"]))}


def _recovery_words(v: Values) -> Outputs:
    return {"words": " ".join(word(number) for number in v["numbers"])}


def _recovery_secret(v: Values) -> Outputs:
    return {"secret": text(normalise_secret(v["text"]))}


def _passkey_open(v: Values) -> Outputs:
    name = PasskeyName(raw(v["user"]), raw(v["amk_pub"]), v["bk_version"], raw(v["credential"]))
    return {"recovery_key": text(open_passkey(raw(v["sealed"]), raw(v["prf"]), name))}


OBJECT_OPS: dict[str, Callable[[Values], Outputs]] = {
    "lp_parse": _lp_parse,
    "b64": _b64,
    "json_body": _json_body,
    "pad": _pad,
    "unpad": _unpad,
    "hash": _hash,
    "kdf": _kdf,
    "sign": _sign,
    "verify": _verify,
    "check_key": _check_key,
    "ed25519": _ed25519,
    "hmac": _hmac,
    "aead_open": _aead_open,
    "xwing": _xwing,
    "device_list": _device_list,
    "device_proof": _device_proof,
    "prekey": _prekey,
    "recovery_open": _recovery_open,
    "recovery_code": _recovery_code,
    "recovery_words": _recovery_words,
    "recovery_secret": _recovery_secret,
    "passkey_open": _passkey_open,
}
