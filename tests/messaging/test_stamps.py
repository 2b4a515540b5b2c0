"""The server recognises its own stamps, and nothing else as one."""

from dataclasses import replace

import pytest

from crypto_client.envelope import acceptance_stamp
from crypto_client.primitives import h
from messaging import stamps
from messaging.stamps import make_stamp, verify_stamp

HEADER = h("hdr", b"header")


def test_a_stamp_is_recognised():
    assert verify_stamp(HEADER, make_stamp(HEADER, 1_700_000_000_000))


def test_a_stamp_is_what_the_protocol_says(settings):
    key_id, key = stamps._key(settings.SECRET_KEY)

    stamp = make_stamp(h("hdr", b"header"), 5)

    assert stamp.value == acceptance_stamp(key, key_id, b"header", 5)


@pytest.mark.parametrize(
    "change",
    [{"accepted_ms": 6}, {"key_id": 1}, {"value": bytes(32)}, {"accepted_ms": -1}],
    ids=["other-time", "other-key", "other-value", "no-time"],
)
def test_a_changed_stamp_is_not(change):
    stamp = make_stamp(HEADER, 5)
    assert verify_stamp(HEADER, stamp)

    assert not verify_stamp(HEADER, replace(stamp, **change))


def test_a_stamp_of_another_header_is_not():
    assert not verify_stamp(h("hdr", b"other"), make_stamp(HEADER, 5))


def test_stamps_outlive_a_new_secret_while_the_old_one_is_kept(settings):
    stamp = make_stamp(HEADER, 5)
    old, settings.SECRET_KEY = settings.SECRET_KEY, "a new secret"
    assert not verify_stamp(HEADER, stamp)

    settings.SECRET_KEY_FALLBACKS = [old]

    assert verify_stamp(HEADER, stamp)
    assert make_stamp(HEADER, 5).key_id != stamp.key_id
