"""Replays a vector against this implementation; README.md defines every ``op``."""

from collections.abc import Callable, Mapping
from typing import Any

import nacl.bindings as sodium

import crypto_client.primitives as prim
from crypto_client import xwing
from crypto_client.body import parse_body
from crypto_client.commit import Commit, PrekeySource, open_wrap
from crypto_client.device_list import (
    KnownList,
    SignedDeviceList,
    accept_device_list,
    parse_device_list,
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
from crypto_client.envelope import acceptance_stamp, check_commitment, parse_header
from crypto_client.epoch import Trust, view_from_json
from crypto_client.errors import ProtocolError
from crypto_client.history import EpochName, HistoryRecord, open_history
from crypto_client.identity import DeviceEntry, verify_device_proof
from crypto_client.log_hash import check_log_hash, check_void, event_hash, next_log_hash
from crypto_client.opening import Known, open_message
from crypto_client.ops import apply_ops, parse_ops
from crypto_client.prekeys import SignedPrekey, verify_prekey
from crypto_client.ratchet import close_epoch, epoch_from_json, message_key, start_epoch
from crypto_client.receiving import Received, receive_commit
from crypto_client.recovery import SignedBlob, decode_code, normalise_secret, open_recovery, word
from crypto_client.roster import encode_roster, parse_origin, parse_roster, roster_hash
from crypto_client.safety import safety_number
from crypto_client.statements import Subject, parse_statement

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


def _signed(v: Values) -> SignedDeviceList:
    return SignedDeviceList(raw(v["data"]), raw(v["sig"]))


def _device_list(v: Values) -> Outputs:
    signed, user, amk_pub = _signed(v), raw(v["user"]), raw(v["amk_pub"])
    devices = verify_device_list(signed, user, amk_pub)
    if v["known"] is not None:
        known = KnownList(v["known"]["version"], raw(v["known"]["list_hash"]))
        lists = [*(_signed(between) for between in v["between"]), signed]
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


def _commit(v: Values) -> Commit:
    core, tag, sig, ops, state, prekeys = (
        raw(v[name]) for name in ("core", "tag", "sig", "ops", "state", "prekeys")
    )
    wraps = {raw(device): raw(wrap) for device, wrap in v["wraps"]}
    return Commit(core, tag, sig, ops, state, prekeys, wraps)


def _history_open(v: Values) -> Outputs:
    name = EpochName(raw(v["room"]), v["epoch"], raw(v["commit_hash"]))
    record = HistoryRecord(name, v["bk_version"], raw(v["writer"]), raw(v["record"]), raw(v["sig"]))
    secret = open_history(
        record,
        _commit(v["commit"]),
        user=raw(v["user"]),
        devices=parse_device_list(raw(v["device_list"])),
        backup_seed=raw(v["backup_seed"]),
    )
    return {"secret": text(secret)}


def _origin(v: Values) -> Outputs:
    origin = parse_origin(raw(v["data"]))
    return {"kind": origin.kind, "room": text(origin.room), "head": text(origin.head)}


def _apply_ops(v: Values) -> Outputs:
    previous = None if v["roster"] is None else parse_roster(raw(v["roster"]))
    roster = apply_ops(previous, parse_ops(raw(v["ops"])))
    return {"roster": text(encode_roster(roster)), "roster_hash": text(roster_hash(roster))}


def _statement(v: Values) -> Outputs:
    statement = parse_statement(raw(v["data"]))
    subject = Subject(raw(v["room"]), raw(v["user"]), raw(v["amk_pub"]), v["joined_epoch"])
    statement.verify(subject, raw(v["signer_pub"]))
    return {"kind": statement.kind}


def _trust(v: Values) -> Trust:
    lists = [_signed(signed) for signed in v["lists"]]
    pins = {raw(user): raw(amk_pub) for user, amk_pub in v["pins"]}
    server_key = None if v["server_key"] is None else raw(v["server_key"])
    return Trust({signed.list_hash: signed for signed in lists}, pins, server_key)


def _source(v: Values | None) -> PrekeySource | None:
    if v is None:
        return None
    seeds = {raw(prekey_hash): raw(seed) for prekey_hash, seed in v["prekeys"]}
    return PrekeySource(raw(v["user"]), raw(v["device"]), seeds)


def _describe(received: Received) -> Outputs:
    chains = {} if received.epoch is None else received.epoch.chains
    return {
        "epoch": received.view.epoch,
        "head": text(received.view.head),
        "roster_hash": text(roster_hash(received.view.roster)),
        "title": received.view.title,
        "ignored": received.ignored,
        "chains": [[text(device), text(chains[device].key)] for device in sorted(chains)],
        "cuts": [[text(device), n] for device, n in sorted(received.cuts.items())],
        "strangers": [text(user) for user in received.strangers],
    }


def _receive_commit(v: Values) -> tuple[str, Outputs]:
    view = None if v["view"] is None else view_from_json(v["view"])
    received = receive_commit(
        view,
        _commit(v["commit"]),
        room=raw(v["room"]),
        trust=_trust(v),
        source=_source(v["source"]),
    )
    return received.outcome, _describe(received)


def _wrap_open(v: Values) -> Outputs:
    names = ("core_hash", "user", "device", "prekey_hash")
    secret = open_wrap(raw(v["wrap"]), raw(v["seed"]), **{name: raw(v[name]) for name in names})
    return {"secret": text(secret)}


def _sender_chain(v: Values) -> Outputs:
    device, user = raw(v["device"]), raw(v["user"])
    senders = {device: (user, bytes(32))}
    state = start_epoch(bytes(16), 0, raw(v["commit_hash"]), raw(v["secret"]), senders)
    chain = state.chains[device]
    key, _ = message_key(chain, v["n"])
    return {"chain": text(chain.key), "key": text(key)}


class _Index:
    """The messages that the earlier steps of one vector opened."""

    def __init__(self) -> None:
        self.known: dict[tuple[bytes, ...], Known] = {}

    def has(self, eid: bytes) -> bool:
        return any(known.eid == eid for known in self.known.values())

    def by_id(self, device: bytes, msg_id: bytes) -> Known | None:
        return self.known.get((device, msg_id))

    def by_counter(self, device: bytes, epoch: int, n: int) -> Known | None:
        return self.known.get((device, b"%d" % epoch, b"%d" % n))


def _step(v: Values, state: list[Any], index: _Index) -> str:
    revoked = [raw(device) for device in v["revoked"]]
    try:
        opened = open_message(
            raw(v["envelope"]), state[0], room=raw(v["room"]), index=index, revoked=revoked
        )
    except ProtocolError as error:
        return error.outcome
    state[0] = opened.epoch
    if opened.message is None:
        return "known"
    message = opened.message
    if opened.outcome == "ok" and not opened.again:
        known = Known(message.eid, message.body.data, message.key)
        counter = (b"%d" % message.pre.epoch, b"%d" % message.pre.n)
        index.known[(message.pre.device, message.pre.msg_id)] = known
        index.known[(message.pre.device, *counter)] = known
    return "again" if opened.again else opened.outcome


def _open_message(v: Values) -> tuple[str, Outputs]:
    state = [None if v["epoch"] is None else epoch_from_json(v["epoch"])]
    if state[0] is not None and v["cuts"]:
        state[0] = close_epoch(state[0], {raw(device): n for device, n in v["cuts"]})
    index = _Index()
    common = {"room": v["room"], "revoked": v["revoked"]}
    outcomes = [_step({**common, "envelope": item}, state, index) for item in v["envelopes"]]
    last = "ok" if outcomes[-1] in ("known", "again") else outcomes[-1]
    return last, {"steps": outcomes}


def _commitment(v: Values) -> Outputs:
    check_commitment(parse_header(raw(v["hdr"])), raw(v["frank_key"]), raw(v["padded"]))
    return {}


def _stamp(v: Values) -> Outputs:
    stamp = acceptance_stamp(raw(v["key"]), v["key_id"], raw(v["hdr"]), v["accepted_ms"])
    return {"stamp": text(stamp)}


def _log_hash(v: Values) -> Outputs:
    log = raw(v["start"])
    for seq, kind, item in v["items"]:
        log = next_log_hash(log, seq, event_hash(raw(item)) if kind == "event" else raw(item))
    if v["asserted"] is not None:
        check_log_hash(log, raw(v["asserted"]))
    return {"log": text(log)}


def _void(v: Values) -> Outputs:
    check_void([(epoch, n) for epoch, n in v["void"]], {(epoch, n) for epoch, n in v["stored"]})
    return {}


def _safety(v: Values) -> Outputs:
    one, other = ((raw(user), raw(amk_pub)) for user, amk_pub in (v["one"], v["other"]))
    return {"number": safety_number(one, other)}


OPS: dict[str, Callable[[Values], Outputs | tuple[str, Outputs]]] = {
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
    "aead_open": _aead_open,
    "ed25519": _ed25519,
    "hmac": _hmac,
    "xwing": _xwing,
    "device_list": _device_list,
    "device_proof": _device_proof,
    "prekey": _prekey,
    "recovery_open": _recovery_open,
    "recovery_code": _recovery_code,
    "recovery_words": _recovery_words,
    "recovery_secret": _recovery_secret,
    "history_open": _history_open,
    "origin": _origin,
    "apply_ops": _apply_ops,
    "statement": _statement,
    "receive_commit": _receive_commit,
    "wrap_open": _wrap_open,
    "sender_chain": _sender_chain,
    "open_message": _open_message,
    "commitment": _commitment,
    "stamp": _stamp,
    "log_hash": _log_hash,
    "void": _void,
    "safety": _safety,
}


def replay(op: str, values: Values) -> tuple[str, Outputs]:
    """Run one vector's operation: (outcome, outputs); a refusal has no outputs."""
    try:
        result = OPS[op](values)
    except ProtocolError as error:
        return error.outcome, {}
    return result if isinstance(result, tuple) else ("ok", result)
