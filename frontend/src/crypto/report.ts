/** What a report discloses of a message, and how it is checked (docs/protocol.md §8.5). */
import { type Body, parseBody } from "./body";
import { MESSAGE_BUCKETS, unpad } from "./encoding";
import { acceptanceStamp, checkCommitment, parseHeader } from "./envelope";
import { ProtocolError } from "./errors";
import { same } from "./primitives";

/** A message as its reporter shows it: header and stamp as received, commitment key, body. */
export interface Report {
  readonly hdr: Uint8Array;
  readonly keyId: number;
  readonly acceptedMs: number;
  readonly stamp: Uint8Array;
  readonly frankKey: Uint8Array;
  readonly padded: Uint8Array;
}

/**
 * Check that the device in the header sent this body, for who holds the server's stamp keys.
 * Refuses `report` for a stamp that none of the keys made over this header and time,
 * `commitment` for another body than the one that was sealed, then `body`.
 */
export function checkReport(report: Report, stampKeys: ReadonlyMap<number, Uint8Array>): Body {
  const { hdr, keyId, acceptedMs, stamp, frankKey, padded } = report;
  const key = stampKeys.get(keyId);
  if (!key || !Number.isSafeInteger(acceptedMs) || acceptedMs < 0) {
    throw new ProtocolError("report", "a stamp by no key of this server, or of no time");
  }
  if (!same(acceptanceStamp(key, keyId, hdr, acceptedMs), stamp)) {
    throw new ProtocolError("report", "a stamp that is not this server's over this header and time");
  }
  checkCommitment(parseHeader(hdr), frankKey, padded);
  return parseBody(unpad(padded, MESSAGE_BUCKETS));
}
