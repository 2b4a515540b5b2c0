/** The rolling hash over a room's log: kept, compared, and adopted by newcomers (protocol §9). */
import type { Body, SeenLog } from "../crypto/body";
import { EMPTY } from "../crypto/encoding";
import { ProtocolError } from "../crypto/errors";
import { LOG_START, checkLogHash, nextLogHash } from "../crypto/log_hash";
import type { Batch } from "./batch";
import type { RoomRecord } from "./records";
import type { ItemRow } from "./store/schema";

/** Where the hash stands before the first item that will be applied. */
export function logAt(record: RoomRecord): SeenLog | null {
  return record.cursor === 0 ? { seq: 0, log: LOG_START } : record.log;
}

/** Feed the next item; null once something in between is missing. */
export function extendLog(log: SeenLog | null, seq: number, eid: Uint8Array): SeenLog | null {
  if (log?.seq !== seq - 1) return null;
  return { seq, log: nextLogHash(log.log, seq, eid) };
}

async function ownHash(batch: Batch, seq: number): Promise<Uint8Array | null> {
  if (seq === 0) return LOG_START;
  return (await batch.bySeq(seq))?.log ?? null;
}

/**
 * Compare what a member asserts with the own hash; a contradiction is kept with both values.
 * A newcomer, whose log has a hole, adopts the first value and rolls it on to the item before
 * `seq`. Gives the hash to go on with.
 */
export async function compareLog(
  batch: Batch,
  { body, seq, log }: { body: Body; seq: number; log: SeenLog | null },
): Promise<SeenLog | null> {
  const { seen } = body;
  if (!seen) return log;
  // Whoever has seen the place of what they are writing has seen items that are kept from us.
  const isBeyond = seq > 0 && seen.seq >= seq;
  const own = isBeyond ? (log?.log ?? EMPTY) : await ownHash(batch, seen.seq);
  if (own) noteFork(batch, seen, own);
  return own || log || seq === 0 ? log : adopt(batch, seen, seq);
}

/** Keep the evidence when a member asserts another order of the log than ours. */
export function noteFork(batch: Batch, { seq, log: asserted }: SeenLog, own: Uint8Array): void {
  try {
    checkLogHash(own, asserted);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    if (batch.record.logFork) return;
    batch.record = { ...batch.record, logFork: { seq, own, asserted } };
  }
}

/**
 * A log only grows: keep as evidence that the server's ends before what was applied here. For who
 * has left it ends at their leaving, which may lie before what they had seen.
 */
export function noteTakenBack(batch: Batch, head: number): void {
  const { cursor, info, log, logFork } = batch.record;
  if (head >= cursor || info.me.last_epoch !== null || logFork) return;
  batch.record = {
    ...batch.record,
    logFork: { seq: cursor, own: log?.log ?? EMPTY, asserted: EMPTY },
  };
}

async function adopt(batch: Batch, seen: SeenLog, before: number): Promise<SeenLog | null> {
  if (seen.seq >= before) return null;
  const rows: ItemRow[] = [];
  for (let seq = seen.seq + 1; seq < before; seq += 1) {
    const row = await batch.bySeq(seq);
    if (!row) return null;
    rows.push(row);
  }
  const first = await batch.bySeq(seen.seq);
  if (first) batch.putItem({ ...first, log: seen.log });
  let log: SeenLog | null = seen;
  for (const row of rows) {
    log = extendLog(log, row.seq, row.eid);
    batch.putItem({ ...row, log: log?.log ?? null });
  }
  return log;
}
