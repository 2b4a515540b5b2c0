"""Python and TypeScript judge the same mutants of every vector: one verdict, one outcome name."""

import collections
import copy
import functools
import json
import os
from pathlib import Path
from typing import Any

import nacl.bindings as sodium
import pytest

import crypto_client.vectors
from crypto_client.device_list import parse_device_list
from crypto_client.encoding import decode_base64url, encode_base64url, lp_split
from crypto_client.errors import ProtocolError
from crypto_client.vectors.replay import replay
from tests.crypto_client.mutants import Case, Mutator, byte_strings, mutant
from tests.crypto_client.typescript import bundled, run_lines

pytestmark = pytest.mark.slow

MUTANTS = int(os.environ.get("MUTANTS", "20000"))
SEED = int(os.environ.get("MUTANTS_SEED", "1"))
# A test is small enough for its time limit; more mutants are more tests.
BATCH = 2500
TEXTS = {
    "recovery_code": "code",
    "recovery_secret": "text",
    "b64": "text",
    "device_proof": "origin",
}
OFTEN = {"receive_commit": 8, "open_message": 6, "json_body": 4, "apply_ops": 4, "device_list": 3}
BODIES = {"json_body": "data", "reference": "body", "reply": "body"}
OBJECTS = {"commit", "data", "ops", "roster", "record", "envelopes", "hdr", "wrap", "entry"}
KEYS = {"key", "seed", "secret"}
NOT_JUDGED = {"ed25519", "hmac", "xwing", "recovery_words", "sender_chain", "safety", "kdf", "sign"}


def _paths(case: Case) -> list[tuple[Any, ...]]:
    return [path for path, _ in byte_strings(case) if KEYS.isdisjoint(path)]


Vectors = dict[str, list[tuple[Case, list[tuple[Any, ...]]]]]


@functools.cache
def _vectors() -> Vectors:
    """By operation: each vector's input, and the ways to the bytes in it that may change."""
    folder = Path(crypto_client.vectors.__file__).parent
    found: Vectors = collections.defaultdict(list)
    for path in sorted(folder.glob("*/*.json")):
        vector = json.loads(path.read_text(encoding="utf-8"))
        runs_argon2 = vector["op"] == "recovery_open" and vector["in"]["secret"] is not None
        paths = _paths(vector["in"])
        if vector["op"] not in NOT_JUDGED and not runs_argon2 and paths:
            found[vector["op"]].append((vector["in"], paths))
    return found


@functools.cache
def _pool() -> list[bytes]:
    pool: dict[bytes, None] = {}
    for case in (case for cases in _vectors().values() for case, _ in cases):
        for _, data in byte_strings(case):
            try:
                parts = lp_split(data)[:6]
            except ProtocolError:
                parts = []
            pool.update(dict.fromkeys(part for part in (data, *parts) if len(part) < 2000))
    return list(pool)


def _mutant_of(op: str, case: Case, paths: list[tuple[Any, ...]], mutator: Mutator) -> Case:
    draw = mutator.draw
    changed = copy.deepcopy(case)
    if op in TEXTS and draw.random() < 0.7:
        changed[TEXTS[op]] = mutator.text(changed[TEXTS[op]])
        return changed
    if op in BODIES and draw.random() < 0.85:
        body = decode_base64url(case[BODIES[op]]).decode("utf-8", "replace")
        text = mutator.text(body).encode("utf-8", "surrogatepass")
        changed[BODIES[op]] = encode_base64url(text)
        return changed
    objects = [path for path in paths if path[0] in OBJECTS]
    path = draw.choice(objects if objects and draw.random() < 0.8 else paths)
    if op == "receive_commit" and draw.random() < 0.6:
        path = ("commit", draw.choice(["ops", "ops", "core", "state"]))
    changed = mutant(case, path, mutator)
    if op == "receive_commit" and draw.random() < 0.3:
        changed["source"] = None
    return changed


def _mutants(batch: int) -> list[dict[str, Any]]:
    vectors = _vectors()
    mutator = Mutator(f"{SEED} {batch}", _pool())
    ops = list(vectors)
    count = min(BATCH, MUTANTS - batch * BATCH)
    chosen = mutator.draw.choices(ops, [OFTEN.get(op, 1) for op in ops], k=count)
    made = []
    for op in chosen:
        changed = _mutant_of(op, *mutator.draw.choice(vectors[op]), mutator)
        made.append({"op": op, "in": changed, "trusting": mutator.draw.random() < 0.6})
    return made


def _readable(signed: Case) -> bool:
    try:
        parse_device_list(decode_base64url(signed["data"]))
    except ProtocolError:
        return False
    return True


def _commits_read_before(count: int) -> list[dict[str, Any]]:
    """Mutants of commits; every second is the one before it, for a reader of all its lists."""
    mutator = Mutator(f"{SEED} read", _pool())
    made: list[dict[str, Any]] = []
    while len(made) < 2 * count:
        case, paths = mutator.draw.choice(_vectors()["receive_commit"])
        changed = _mutant_of("receive_commit", case, paths, mutator)
        if changed["lists"] != case["lists"]:
            continue  # what was read before counts as at hand
        judged = {"op": "receive_commit", "trusting": mutator.draw.random() < 0.6}
        read = [signed for signed in case["lists"] if _readable(signed)]
        made += [{**judged, "in": changed}, {**judged, "in": {**changed, "read": read}}]
    return made


def _judge_in_python(case: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    with monkeypatch.context() as patched:
        if case["trusting"]:
            patched.setattr(sodium, "crypto_sign_open", lambda signed, _: signed[64:])
        outcome, out = replay(case["op"], case["in"])
    judged: dict[str, Any] = json.loads(json.dumps({"outcome": outcome, "out": out}))
    return judged


@pytest.mark.parametrize("batch", range(-(-MUTANTS // BATCH)))
def test_both_implementations_judge_every_mutant_alike(
    batch: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = _mutants(batch)
    theirs = run_lines(bundled("judge", tmp_path), cases)
    assert len(theirs) == len(cases)
    differing = []
    outcomes = set()
    for case, there in zip(cases, theirs, strict=True):
        here = _judge_in_python(case, monkeypatch)
        outcomes.add(here["outcome"])
        promised = {name: there["out"].get(name) for name in here["out"]}
        if (here["outcome"], here["out"]) != (there["outcome"], promised):
            differing.append((case["op"], here["outcome"], there["outcome"]))
    assert collections.Counter(differing) == {}
    assert len(outcomes) > 15


def test_what_was_read_of_lists_before_changes_no_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = _commits_read_before(BATCH // 4)
    theirs = run_lines(bundled("judge", tmp_path), cases)
    ours = [_judge_in_python(case, monkeypatch) for case in cases]
    assert ours[::2] == ours[1::2]
    assert theirs[::2] == theirs[1::2]
    assert {judged["outcome"] for judged in ours} > {"ok", "roster", "committer", "op_forbidden"}
