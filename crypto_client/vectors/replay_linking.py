"""Replays the vectors of linking a device; README.md defines every ``op``."""

from collections.abc import Callable

from crypto_client.identity import DeviceKeys
from crypto_client.link_offer import (
    check_first_prekey,
    compare_number,
    open_offer,
    read_short_code,
)
from crypto_client.linking import (
    Asking,
    GaveUp,
    Linked,
    Waiting,
    finish_link,
    parse_code,
    scan_code,
)
from crypto_client.vectors.replay_objects import Outputs, Values, raw, text


def _scan(v: Values) -> tuple[str, Outputs]:
    data = raw(v["code"])
    used = {raw(code_hash) for code_hash in v["used"]}
    own = (raw(v["user"]), raw(v["amk_pub"]))
    state = scan_code(data, raw(v["xw_pub"]), own=own, origin=v["origin"], used=used, now=0)
    if isinstance(state, GaveUp):
        return state.outcome, {}
    code = state.code
    return "ok", {"device": text(code.device), "code_hash": text(code.code_hash)}


def _finish(v: Values) -> tuple[str, Outputs]:
    code = parse_code(raw(v["code"]))
    keys = DeviceKeys(code.user, code.amk_pub, code.device, code.dsk_pub, b"", code.accept, 0)
    state: Waiting | Linked | GaveUp = Waiting(keys, code, raw(v["xw_seed"]), v["made"])
    for answer in v["answers"]:
        state = finish_link(state, raw(answer), now=v["now"])
    if not isinstance(state, Linked):
        return (state.outcome if isinstance(state, GaveUp) else "ok"), {}
    return "ok", {
        "list_hash": text(state.devices.list_hash),
        "head": text(state.head),
        "pins": [
            [text(pin.user), text(pin.amk_pub), pin.version, text(pin.list_hash)]
            for pin in state.pins
        ],
        "backup_seed": text(state.backup_seed),
    }


def _short(v: Values) -> tuple[str, Outputs]:
    secret = read_short_code(v["text"])
    return "ok", {"secret": text(secret.data), "link_id": text(secret.link_id)}


def _offer(v: Values) -> tuple[str, Outputs]:
    offer = open_offer(read_short_code(v["short"]), raw(v["offer"]), raw(v["user"]))
    code = parse_code(offer.code)
    check_first_prekey(Asking(code, offer.xw_pub, v["now"]), offer.prekey)
    told = {"code": text(offer.code), "xw_pub": text(offer.xw_pub)}
    return "ok", {**told, "prekey": text(offer.prekey.data), "compare": compare_number(code)}


LINK_OPS: dict[str, Callable[[Values], tuple[str, Outputs]]] = {
    "link_scan": _scan,
    "link_finish": _finish,
    "link_short": _short,
    "link_offer": _offer,
}
