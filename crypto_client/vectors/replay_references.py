"""Replays the vectors of what messages do to each other; README.md defines every ``op``."""

from collections.abc import Callable

from crypto_client.body import parse_body
from crypto_client.references import Author, Reaction, Target, judge_reference, judge_reply
from crypto_client.vectors.replay_objects import Outputs, Values, raw, text


def _target(v: Values | None) -> Target | None:
    if v is None:
        return None
    return Target(
        raw(v["device"]),
        raw(v["msg_id"]),
        raw(v["user"]),
        v["is_message"],
        tuple(raw(c) for c in v["versions"]),
        v["gone"],
        tuple(Reaction(raw(user), emoji, raw(c)) for user, emoji, c in v["reactions"]),
    )


def target_in(target: Target | None) -> Outputs | None:
    """Write a target."""
    if target is None:
        return None
    return {
        "device": text(target.device),
        "msg_id": text(target.msg_id),
        "user": text(target.user),
        "is_message": target.is_message,
        "versions": [text(c) for c in target.versions],
        "gone": target.gone,
        "reactions": [[text(one.user), one.emoji, text(one.c)] for one in target.reactions],
    }


def _reference(v: Values) -> Outputs:
    body = parse_body(raw(v["body"]))
    if body.target is None:
        return {"verdict": "nothing", "target": None}
    author = Author(raw(v["author"]["user"]), v["author"]["role"])
    judged = judge_reference(body, raw(v["c"]), author, _target(v["target"]))
    return {"verdict": judged.verdict, "target": target_in(judged.target)}


def _reply(v: Values) -> Outputs:
    body = parse_body(raw(v["body"]))
    if body.reply is None:
        return {"verdict": "nothing", "edited_since": False}
    quote = judge_reply(body.reply, _target(v["target"]))
    return {"verdict": quote.verdict, "edited_since": quote.edited_since}


REFERENCE_OPS: dict[str, Callable[[Values], Outputs]] = {"reference": _reference, "reply": _reply}
