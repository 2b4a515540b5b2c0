/** The rolling hash over a room's log, and void counters (docs/protocol.md §9). */
import { HASH_SIZE, hex, lp, u64 } from "./encoding";
import { ProtocolError } from "./errors";
import { h, same } from "./primitives";

/** The hash before the first item. */
export const LOG_START = new Uint8Array(HASH_SIZE);

/** A message counter of a device: its epoch and its number in it. */
export type Counter = readonly [epoch: number, n: number];

/** Hash a log item that is neither message nor commit, from its bytes as received. */
export function eventHash(event: Uint8Array): Uint8Array {
  return h("event", event);
}

/** Extend the log's hash by item number `seq` (from 1); feed it without holes. */
export function nextLogHash(previous: Uint8Array, seq: number, itemHash: Uint8Array): Uint8Array {
  return h("log", lp(previous, u64(seq), itemHash));
}

/** Compare the own hash at a number with another member's; `log_fork` when they differ. */
export function checkLogHash(own: Uint8Array, asserted: Uint8Array): void {
  if (!same(own, asserted)) {
    throw new ProtocolError("log_fork", `own ${hex(own)}, asserted ${hex(asserted)}`);
  }
}

/** Refuse, with `counter`, a void (epoch, n) under which a stored message is known. */
export function checkVoid(voids: readonly Counter[], stored: readonly Counter[]): void {
  const known = new Set(stored.map(([epoch, n]) => `${epoch}/${n}`));
  if (voids.some(([epoch, n]) => known.has(`${epoch}/${n}`))) {
    throw new ProtocolError("counter", "a counter is called void and has a message");
  }
}
