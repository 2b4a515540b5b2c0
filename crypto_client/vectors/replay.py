"""Replays a vector against this implementation; README.md defines every ``op``."""

from collections.abc import Callable
from typing import Any

from crypto_client.commit import Commit, PrekeySource, open_wrap
from crypto_client.device_list import (
    parse_device_list,
)
from crypto_client.envelope import acceptance_stamp, check_commitment, parse_header
from crypto_client.epoch import Trust, view_from_json
from crypto_client.errors import ProtocolError
from crypto_client.history import EpochName, HistoryRecord, history_writer, open_history
from crypto_client.identity import DeviceKeys
from crypto_client.joining import Invite, join_by_invite
from crypto_client.log_hash import check_log_hash, check_void, event_hash, next_log_hash
from crypto_client.opening import Known, open_message
from crypto_client.ops import apply_ops, parse_ops
from crypto_client.ratchet import close_epoch, epoch_from_json, message_key, start_epoch
from crypto_client.receiving import Received, follow_chain, receive_commit
from crypto_client.renewal import open_carry
from crypto_client.report import Report, check_report
from crypto_client.rollback import judge_head
from crypto_client.roster import encode_roster, parse_origin, parse_roster, roster_hash
from crypto_client.safety import safety_number
from crypto_client.statements import Subject, parse_statement
from crypto_client.vectors.replay_accounts import ACCOUNT_OPS
from crypto_client.vectors.replay_files import FILE_OPS
from crypto_client.vectors.replay_key_log import KEY_LOG_OPS
from crypto_client.vectors.replay_linking import LINK_OPS
from crypto_client.vectors.replay_objects import OBJECT_OPS, Outputs, Values, raw, read_signed, text
from crypto_client.vectors.replay_own_room import OWN_ROOM_OPS
from crypto_client.vectors.replay_references import REFERENCE_OPS


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


def _history_writer(v: Values) -> Outputs:
    own_list = parse_device_list(raw(v["device_list"]))
    entry = own_list.entries[0]
    parts = (entry.device, entry.dsk_pub, bytes(32), entry.accept, entry.created)
    keys = DeviceKeys(own_list.user, own_list.amk_pub, *parts)
    writer = history_writer(keys, own_list, raw(v["bk_pub"]), v["known_bk_version"])
    return {"bk_version": writer.bk_version}


def _carry_open(v: Values) -> Outputs:
    seed = open_carry(
        raw(v["carry"]),
        raw(v["backup_seed"]),
        user=raw(v["user"]),
        bk_version=v["bk_version"],
        bk_hash=raw(v["bk_hash"]),
    )
    return {"former_seed": text(seed)}


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
    lists = [read_signed(item) for item in v["lists"]]
    pins = {raw(user): raw(amk_pub) for user, amk_pub in v["pins"]}
    server_keys = frozenset([] if v["server_key"] is None else [raw(v["server_key"])])
    trust = Trust({signed.list_hash: signed for signed in lists}, pins, server_keys)
    for signed in map(read_signed, v.get("read", [])):
        trust.read.keep(signed.list_hash, parse_device_list(signed.data))
    return trust


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


def _follow_chain(v: Values) -> tuple[str, Outputs]:
    commits = [_commit(commit) for commit in v["commits"]]
    room, source = raw(v["room"]), _source(v["source"])
    last = follow_chain(None, commits, room=room, trust=_trust(v), source=source)[-1]
    return last.outcome, _describe(last)


def _join(v: Values) -> tuple[str, Outputs]:
    given = {n: raw(item) for n, item in v["invite"].items() if n != "epoch"}
    user, amk_pub = (raw(item) for item in v["own"])
    source = _source(v["source"])
    if source is None:
        raise ValueError("who joins has a source")
    received = join_by_invite(
        Invite(**given, epoch=v["invite"]["epoch"]),
        _commit(v["commit"]),
        parse_roster(raw(v["roster"])),
        own=(user, amk_pub),
        trust=_trust(v),
        source=source,
    )
    return received.outcome, _describe(received)


def _judge_head(v: Values) -> Outputs:
    served = v["served"] and (v["served"][0], raw(v["served"][1]))
    judged = judge_head(view_from_json(v["view"]), served)
    return {"verdict": judged.verdict, "epochs": list(judged.epochs)}


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


def _report(v: Values) -> Outputs:
    parts = {name: raw(v[name]) for name in ("hdr", "stamp", "frank_key", "padded")}
    report = Report(key_id=v["key_id"], accepted_ms=v["accepted_ms"], **parts)
    body = check_report(report, {key_id: raw(key) for key_id, key in v["stamp_keys"]})
    return {"type": body.type, "text": body.text}


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
    **OBJECT_OPS,
    **ACCOUNT_OPS,
    **LINK_OPS,
    **FILE_OPS,
    **REFERENCE_OPS,
    **KEY_LOG_OPS,
    **OWN_ROOM_OPS,
    "history_open": _history_open,
    "history_writer": _history_writer,
    "carry_open": _carry_open,
    "origin": _origin,
    "apply_ops": _apply_ops,
    "statement": _statement,
    "receive_commit": _receive_commit,
    "follow_chain": _follow_chain,
    "join": _join,
    "judge_head": _judge_head,
    "wrap_open": _wrap_open,
    "sender_chain": _sender_chain,
    "open_message": _open_message,
    "commitment": _commitment,
    "stamp": _stamp,
    "report": _report,
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
