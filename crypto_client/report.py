"""What a report discloses of a message, and how it is checked (docs/protocol.md §8.5)."""

from collections.abc import Mapping
from dataclasses import dataclass

from crypto_client.body import Body, parse_body
from crypto_client.encoding import MESSAGE_BUCKETS, NUMBER_LIMIT, unpad
from crypto_client.envelope import acceptance_stamp, check_commitment, parse_header
from crypto_client.errors import ReportError
from crypto_client.primitives import same


@dataclass(frozen=True)
class Report:
    """A message as its reporter shows it: header and stamp as received, commitment key, body."""

    hdr: bytes
    key_id: int
    accepted_ms: int
    stamp: bytes
    frank_key: bytes
    padded: bytes


def check_report(report: Report, stamp_keys: Mapping[int, bytes]) -> Body:
    """Check that the device in the header sent this body, for who holds the server's stamp keys.

    Refuses ``report`` for a stamp that none of the keys made over this header and time,
    ``commitment`` for another body than the one that was sealed, then ``body``.
    """
    key = stamp_keys.get(report.key_id)
    if key is None or not 0 <= report.accepted_ms < NUMBER_LIMIT:
        raise ReportError("a stamp by no key of this server, or of no time")
    stamp = acceptance_stamp(key, report.key_id, report.hdr, report.accepted_ms)
    if not same(stamp, report.stamp):
        raise ReportError("a stamp that is not this server's over this header and time")
    check_commitment(parse_header(report.hdr), report.frank_key, report.padded)
    return parse_body(unpad(report.padded, MESSAGE_BUCKETS))
