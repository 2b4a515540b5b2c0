"""Replays the vectors of the key log; README.md defines every ``op``."""

from collections.abc import Callable

from crypto_client.key_log import (
    FollowedLog,
    Frontier,
    NewestLeaf,
    Own,
    SignedHead,
    SignedLogStart,
    check_claim,
    check_fresh,
    check_newest_list,
    follow,
    label_of,
    leaf_hash,
    newest_log,
    parse_head,
    pin_log,
)
from crypto_client.vectors.replay_objects import Outputs, Values, raw, text


def _log(v: Values) -> FollowedLog:
    frontier = Frontier(v["size"], tuple(raw(item) for item in v["frontier"]))
    return FollowedLog(v["number"], raw(v["log_id"]), raw(v["log_pub"]), frontier)


def _newest(v: Values) -> NewestLeaf:
    return NewestLeaf(v["seq"], raw(v["leaf_hash"]), v["kind"], raw(v["record_hash"]))


def _follow(v: Values) -> Outputs:
    labels = {raw(label): _newest(item) for label, item in v["labels"]}
    own = {raw(item) for item in v["own"]["lists"]}
    signed = SignedHead(raw(v["head"]["data"]), raw(v["head"]["sig"]))
    if v["now"] is not None:
        check_fresh(parse_head(signed.data), v["now"])
    followed = follow(
        _log(v["log"]),
        [raw(item) for item in v["leaves"]],
        signed,
        newest=labels.get,
        own=Own(label_of(raw(v["own"]["user"])), own.__contains__),
    )
    labels.update(followed.labels)
    if v["list"] is not None:
        user, list_hash = (raw(item) for item in v["list"])
        check_newest_list(labels.get(label_of(user)), list_hash)
    if v["claim"] is not None:
        size, root = v["claim"]
        check_claim(followed.roots[size], raw(root))
    frontier = followed.log.frontier
    return {"size": frontier.size, "root": text(frontier.root)}


def _tree(v: Values) -> Outputs:
    frontier = Frontier()
    for item in v["leaves"]:
        frontier = frontier.append(leaf_hash(raw(item)))
    return {"root": text(frontier.root), "frontier": [text(item) for item in frontier.hashes]}


def _starts(v: Values) -> Outputs:
    starts = [SignedLogStart(raw(item["data"]), raw(item["sig"])) for item in v["starts"]]
    log = pin_log(starts) if v["log"] is None else newest_log(_log(v["log"]), starts)
    return {"number": log.number, "log_id": text(log.log_id), "size": log.frontier.size}


KEY_LOG_OPS: dict[str, Callable[[Values], Outputs]] = {
    "key_log": _follow,
    "key_log_tree": _tree,
    "key_log_starts": _starts,
}
