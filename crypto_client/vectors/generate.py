"""Writes every vector anew: ``python -m crypto_client.vectors.generate``.

With ``--missing`` only those that have no file yet: wraps differ at each run, so that all files
would change for the sake of a few new ones.
"""

import argparse
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from crypto_client.commit import HISTORY_OFF, ClearState
from crypto_client.ops import Create
from crypto_client.roster import KIND_GROUP, ROLE_ADMIN, group_origin
from crypto_client.vectors import (
    account_cases,
    chain_cases,
    commit_cases,
    encoding_cases,
    entering_cases,
    file_cases,
    identity_cases,
    joining_cases,
    key_log_cases,
    link_cases,
    link_offer_cases,
    log_cases,
    message_cases,
    number_cases,
    own_room_cases,
    passkey_cases,
    recovery_cases,
    reference_cases,
    renewal_cases,
    rollback_cases,
    room_cases,
    rule_cases,
)
from crypto_client.vectors.case import Case
from crypto_client.vectors.cast import World, seeded, world
from crypto_client.vectors.forge import Forgery
from crypto_client.vectors.replay import replay

FOLDER = Path(__file__).parent


def _history(cast: World) -> Iterator[tuple[str, Case]]:
    alice = cast.alice
    origin = group_origin(alice.user, alice.account.public, alice.keys.device, seeded("history"))
    rows = room_cases.sorted_roster(room_cases.row(alice, ROLE_ADMIN), room_cases.row(cast.mallory))
    commit = Forgery(None, alice.keys, [Create(origin, rows)], to=[alice]).make()
    for case in recovery_cases.history_cases(alice, cast.mallory, commit, origin.room):
        yield "history", case
    off = ClearState(KIND_GROUP, history_policy=HISTORY_OFF)
    quiet = Forgery(None, alice.keys, [Create(origin, rows)], to=[alice], clear=off).make()
    for case in recovery_cases.unkept_cases(alice, quiet, origin.room):
        yield "history", case


def all_cases() -> Iterator[tuple[str, Case]]:
    """Give every case of every topic."""
    cast = world("alice", "bob", "carol", "mallory")
    yield from encoding_cases.cases()
    yield from identity_cases.cases()
    yield from account_cases.cases()
    yield from link_cases.cases()
    yield from link_offer_cases.cases()
    yield from recovery_cases.cases()
    yield from _history(cast)
    yield from renewal_cases.cases()
    yield from passkey_cases.cases()
    yield from room_cases.cases(cast)
    yield from commit_cases.cases(cast)
    yield from rule_cases.cases(cast)
    yield from entering_cases.cases(cast)
    yield from joining_cases.cases(cast)
    yield from chain_cases.cases(cast)
    yield from message_cases.cases(cast)
    yield from log_cases.cases(cast)
    yield from key_log_cases.cases(cast)
    yield from number_cases.cases(cast)
    yield from reference_cases.cases()
    yield from file_cases.cases()
    yield from rollback_cases.cases(cast)
    yield from own_room_cases.cases(cast)


def write(topic: str, case: Case) -> str:
    """Replay a case, insist on its outcome, write its file; gives what went wrong, or nothing."""
    given = json.loads(json.dumps(case.given))
    outcome, outputs = replay(case.op, given)
    if outcome != case.expect:
        return f"{topic}/{case.name}: {outcome} where {case.expect} was meant"
    path = FOLDER / topic / f"{case.name}.json"
    if path.exists():
        return f"{topic}/{case.name}: two cases of one name"
    path.parent.mkdir(exist_ok=True)
    vector = {
        "comment": case.comment,
        "spec": case.spec,
        "op": case.op,
        "in": given,
        "expect": case.expect,
        "out": outputs,
    }
    text = json.dumps(vector, ensure_ascii=False, indent=1)
    path.write_text(text + "\n", encoding="utf-8")
    return ""


def _clear() -> None:
    for old in FOLDER.glob("*/*.json"):
        old.unlink()
    for folder in FOLDER.glob("*/__pycache__"):
        shutil.rmtree(folder)


def main() -> None:
    """Write all vectors; stops with a list of those that did not come out as meant."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--missing", action="store_true", help="leave the existing files alone")
    if not parser.parse_args().missing:
        _clear()
    kept = {(path.parent.name, path.stem) for path in FOLDER.glob("*/*.json")}
    wanted = [(topic, case) for topic, case in all_cases() if (topic, case.name) not in kept]
    failures = [failure for topic, case in wanted if (failure := write(topic, case))]
    if failures:
        raise SystemExit("\n".join(failures))
    print(f"{len(list(FOLDER.glob('*/*.json')))} vectors")


if __name__ == "__main__":
    main()
