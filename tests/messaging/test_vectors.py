"""The server's own reading of headers, judged by the vectors that judge both clients."""

import json
from pathlib import Path

import pytest

import crypto_client.vectors
from accounts.protocol import from_base64url
from accounts.refusals import Refused
from messaging.envelope import read_header

FOLDER = Path(crypto_client.vectors.__path__[0]) / "message"
VECTORS = {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}

# What these say of the form of a header is for everybody; all else needs the epoch's secrets.
FORM = {"parse", "suite"}
# Wrong inside what is sealed, where the server cannot look; but the size gives it away.
SIZES = {"inner-extra", "pad-not-bucket"}
# A counter that no message has is seen in the header; one that is used up only by a reader.
COUNTERS = {"n-4096", "n-4294967295"}


def is_taken(envelope):
    try:
        read_header(envelope)
    except Refused as refused:
        return refused.code != "envelope"
    return True


@pytest.mark.parametrize("name", VECTORS)
def test_the_server_takes_the_headers_that_a_client_can_read(name):
    case = VECTORS[name]
    malformed = case["expect"] in FORM or name in SIZES | COUNTERS

    taken = [is_taken(from_base64url(text)) for text in case["in"]["envelopes"]]

    assert all(taken) != malformed


def test_the_exceptions_are_vectors():
    assert len(VECTORS) > 60
    assert VECTORS.keys() >= SIZES | COUNTERS
