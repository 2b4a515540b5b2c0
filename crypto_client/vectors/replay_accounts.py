"""Replays the vectors of what is said about accounts; README.md defines every ``op``."""

from collections.abc import Callable
from typing import Any

from crypto_client.account_statements import (
    SeenList,
    check_automatic_refresh,
    check_dispute,
    check_erase,
    check_suspend,
    check_veto,
)
from crypto_client.device_list import parse_device_list
from crypto_client.profiles import KnownProfile, SignedProfile, accept_profile
from crypto_client.succession import SignedReset, judge_succession, reset_state, verify_reset
from crypto_client.vectors.replay_objects import Outputs, Values, raw, read_signed, text


def _seen(pairs: list[Any]) -> list[SeenList]:
    return [SeenList(read_signed(signed), seen) for signed, seen in pairs]


def _suspend(v: Values) -> Outputs:
    return {"device": text(check_suspend(raw(v["data"]), parse_device_list(raw(v["device_list"]))))}


def _dispute(v: Values) -> Outputs:
    return {"version": check_dispute(raw(v["data"]), _seen(v["lists"]), now=v["now"])}


def _automatic_refresh(v: Values) -> Outputs:
    check_automatic_refresh(v["version"], v["disputed"])
    return {}


def _erase(v: Values) -> Outputs:
    named = {name: raw(v[name]) for name in ("room", "device", "msg_id")}
    check_erase(raw(v["data"]), **named, devices=parse_device_list(raw(v["device_list"])))
    return {}


def _reset(v: Values) -> Outputs:
    signed = SignedReset(raw(v["data"]), raw(v["sig"]))
    verify_reset(signed, raw(v["user"]), raw(v["amk_pub"]))
    if v["veto"] is not None:
        check_veto(raw(v["veto"]), signed.reset_id, parse_device_list(raw(v["device_list"])))
    state = reset_state(
        announced=v["announced"],
        now=v["now"],
        has_live_device=v["has_live_device"],
        vetoed=v["veto"] is not None,
    )
    return {"state": state, "reset_id": text(signed.reset_id)}


def _succession(v: Values) -> Outputs:
    user, amk_old = raw(v["user"]), raw(v["amk_pub"])
    lists = _seen(v["lists"])
    change = judge_succession(raw(v["data"]), lists, user=user, amk_old=amk_old, now=v["now"])
    return {"change": change}


def _profile(v: Values) -> Outputs:
    known = v["known"] and KnownProfile(v["known"]["version"], raw(v["known"]["profile_hash"]))
    signed = SignedProfile(raw(v["data"]), raw(v["device"]), raw(v["sig"]))
    devices = parse_device_list(raw(v["device_list"]))
    profile, newest, changed = accept_profile(signed, devices, known)
    return {
        "name": profile.name,
        "status": profile.status,
        "version": newest.version,
        "profile_hash": text(newest.profile_hash),
        "changed": changed,
    }


ACCOUNT_OPS: dict[str, Callable[[Values], Outputs]] = {
    "suspend": _suspend,
    "dispute": _dispute,
    "automatic_refresh": _automatic_refresh,
    "erase": _erase,
    "reset": _reset,
    "succession": _succession,
    "profile": _profile,
}
