"""What the server reads of an envelope, and what it refuses to read."""

import os
from dataclasses import replace
from uuid import UUID

import pytest

from accounts.refusals import Refused
from crypto_client.body import text_body
from crypto_client.encoding import MESSAGE_BUCKETS, lp, lp_split
from crypto_client.envelope import Pre, parse_envelope, seal_message
from crypto_client.identity import new_account, new_device
from crypto_client.primitives import h
from crypto_client.ratchet import start_epoch
from messaging.envelope import BUCKETS, MAX_ENVELOPE, read_header
from tests.messaging.envelopes import SMALLEST, wrapped

USER = os.urandom(16)
KEYS = new_device(USER, new_account(USER).public, 1)
ROOM, COMMIT = os.urandom(16), os.urandom(32)
PRE = Pre(ROOM, 3, COMMIT, USER, KEYS.device, 7, os.urandom(16), 5, 1, 60, (os.urandom(16),))


def sealed(text="hello", **options):
    senders = {KEYS.device: (USER, KEYS.dsk_pub)}
    epoch = start_epoch(ROOM, 3, COMMIT, bytes(32), senders)
    body = text_body(text)
    return seal_message(epoch, KEYS, body, msg_id=PRE.msg_id, time=5, **options)


def with_field(index, value):
    """Header bytes in which one field is replaced, or added after the last."""
    fields = lp_split(PRE.encode())
    fields[index : index + 1] = [value]
    return lp(*fields)


def test_the_server_reads_what_the_client_wrote():
    made = sealed(message_class=0, expires_after=60, attachments=PRE.attachments)
    known = parse_envelope(made.envelope).header

    header = read_header(made.envelope)

    assert (header.room_id, header.epoch, header.commit_hash) == (UUID(bytes=ROOM), 3, COMMIT)
    assert (header.user_id, header.device_id) == (UUID(bytes=USER), UUID(bytes=KEYS.device))
    assert (header.n, header.message_id) == (0, UUID(bytes=PRE.msg_id))
    assert (header.counts, header.expires_after) == (False, 60)
    assert header.attachments == (UUID(bytes=PRE.attachments[0]),)
    assert (header.eid, header.header_hash) == (made.eid, h("hdr", known.data))


@pytest.mark.parametrize("bucket", MESSAGE_BUCKETS)
def test_a_body_that_fills_its_bucket_is_read(bucket):
    made = sealed("x" * (bucket - 4 - len(text_body(""))))
    assert len(made.envelope) < MAX_ENVELOPE

    assert read_header(made.envelope).eid == made.eid


def test_server_and_client_know_the_same_buckets():
    assert BUCKETS == MESSAGE_BUCKETS


MALFORMED = {
    "empty": b"",
    "not-an-object": b"hello",
    "other-type": wrapped(with_field(0, b"msh")),
    "suite-0": wrapped(with_field(1, b"\0")),
    "suite-255": wrapped(with_field(1, b"\xff")),
    "room-15": wrapped(with_field(2, bytes(15))),
    "epoch-4-bytes": wrapped(with_field(3, bytes(4))),
    "commit-hash-31": wrapped(with_field(4, bytes(31))),
    "user-17": wrapped(with_field(5, bytes(17))),
    "device-empty": wrapped(with_field(6, b"")),
    "n-5-bytes": wrapped(with_field(7, bytes(5))),
    "n-4096": wrapped(with_field(7, (4096).to_bytes(4, "big"))),
    "n-2^32-1": wrapped(with_field(7, b"\xff" * 4)),
    "message-id-15": wrapped(with_field(8, bytes(15))),
    "time-4-bytes": wrapped(with_field(9, bytes(4))),
    "class-2": wrapped(with_field(10, b"\2")),
    "class-empty": wrapped(with_field(10, b"")),
    "expires-8-bytes": wrapped(with_field(11, bytes(8))),
    "attachment-15": wrapped(with_field(12, lp(bytes(15)))),
    "attachment-twice": wrapped(with_field(12, lp(bytes(16), bytes(16)))),
    "attachments-17": wrapped(with_field(12, lp(*(bytes([i]) * 16 for i in range(17))))),
    "field-too-many": wrapped(PRE.encode() + lp(b"")),
    "field-too-few": wrapped(lp(*lp_split(PRE.encode())[:-1])),
    "trailing-byte": wrapped(PRE.encode()) + b"\0",
    "commitment-31": wrapped(PRE.encode(), commitment=31),
    "nonce-12": wrapped(PRE.encode(), nonce=12),
    "not-a-bucket": wrapped(PRE.encode(), sealed=SMALLEST + 1),
    "nothing-sealed": wrapped(PRE.encode(), sealed=0),
    "next-bucket": wrapped(PRE.encode(), sealed=65_536 + 124),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_envelope_is_refused(case):
    assert read_header(wrapped(PRE.encode())).n == 7

    with pytest.raises(Refused, match="envelope"):
        read_header(MALFORMED[case])


def test_sixteen_attachments_and_the_last_counter_are_read():
    ids = tuple(bytes([i]) * 16 for i in range(16))

    header = read_header(wrapped(replace(PRE, attachments=ids, n=4095).encode()))

    assert (len(header.attachments), header.n) == (16, 4095)
