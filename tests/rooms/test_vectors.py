"""The server's own reading of commits, judged by the vectors that judge both clients."""

import json
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

import crypto_client.vectors
from accounts.protocol import from_base64url
from accounts.refusals import Refused
from accounts.signed_objects import list_verifies, parse_device_list
from rooms.chain import Head, authorise, begin, demand_committer, follow
from rooms.commit import SentCommit, State, read_commit
from rooms.outcomes import CommitRefused
from rooms.roster import parse_roster

FOLDER = Path(crypto_client.vectors.__path__[0])
PARTS = ("core", "tag", "sig", "ops", "state", "prekeys")


def commit_vectors():
    """Every vector about receiving a commit, by folder and name."""
    paths = sorted(FOLDER.glob("*/*.json"))
    found = {f"{path.parent.name}/{path.stem}": json.loads(path.read_text()) for path in paths}
    return {name: case for name, case in found.items() if case["op"] == "receive_commit"}


VECTORS = commit_vectors()

# What only a device can judge: the server takes the commit.
TAKEN = {"ok", "epoch_unusable", "pin_mismatch"}
# Where the server answers otherwise, and why it may.
OTHERWISE = {
    # another head than its own: "fetch and try again" says all that the server knows
    "commit/epoch-gap": "stale_head",
    "commit/known-again": "stale_head",
    "commit/prev-hash": "stale_head",
    "commit/self-add-on-old-head": "stale_head",
    # a committer sends the prekeys list; only a reader may be without
    "commit/without-prekeys": "reference",
}


def head_of(view):
    return Head(
        room_id=UUID(bytes=from_base64url(view["room"])),
        epoch=view["epoch"],
        hash=from_base64url(view["head"]),
        roster=parse_roster(from_base64url(view["roster"])),
        state=State(*view["clear"]),
    )


def lists_at_hand(case):
    """The lists that the server would have taken when they were published."""
    pairs = [(from_base64url(row["data"]), from_base64url(row["sig"])) for row in case["lists"]]
    read = [(parse_device_list(data), sig) for data, sig in pairs]
    return {found.list_hash: found for found, sig in read if list_verifies(found, sig)}


def expected_of(vector):
    """What the server should answer: its own name for what it never took, else the vector's."""
    every_list_was_taken = len(lists_at_hand(vector["in"])) == len(vector["in"]["lists"])
    if vector["expect"] == "signature" and not every_list_was_taken:
        return "reference"
    return "ok" if vector["expect"] in TAKEN else vector["expect"]


def keys_of(case):
    """The server's own keys: the one that the reader has pinned."""
    return frozenset([from_base64url(case["server_key"])] if case["server_key"] else [])


def answer(case):
    """The server's outcome or code; "ok" when it takes the commit from its own committer."""
    sent = SentCommit(*(from_base64url(case["commit"][name]) for name in PARTS))
    room_id = UUID(bytes=from_base64url(case["room"]))
    try:
        commit = read_commit(sent)
        step = follow(commit, head_of(case["view"])) if case["view"] else begin(commit, room_id)
        demand_committer(step, commit.core.committer_user, commit.core.committer_device)
        authorise(replace(step, server_keys=keys_of(case)), lists_at_hand(case))
    except CommitRefused as refused:
        return refused.outcome
    except Refused as refused:
        return refused.code
    return "ok"


def test_there_are_vectors_to_judge_by():
    assert len(VECTORS) > 80
    assert OTHERWISE.keys() <= VECTORS.keys()


@pytest.mark.parametrize("name", VECTORS)
def test_the_server_refuses_what_a_client_refuses(name):
    assert answer(VECTORS[name]["in"]) == OTHERWISE.get(name, expected_of(VECTORS[name]))
