/** After an epoch is stored: its wrap is acknowledged, its history record delivered (§7.3, step 10). */
import { encodeBase64url } from "../crypto/encoding";
import type { Id } from "./contract";
import type { Core } from "./core";
import { readEpoch } from "./records";
import { Refusal } from "./refusal";
import type { HistoryRow } from "./store/schema";
import { Changes } from "./store/store";

const WRAPS_AN_ANSWER = 100;

/** Those of these epochs that open here. */
async function openedEpochs(core: Core, roomId: Id, epochs: readonly number[]): Promise<number[]> {
  const opened: number[] = [];
  for (const epoch of epochs) {
    const read = await readEpoch(core.store, roomId, epoch);
    if (read?.state.opened) opened.push(epoch);
  }
  return opened;
}

/**
 * Acknowledge the wraps that are used, then deliver history records; a failure comes again. A wrap
 * that did not open is kept by the server: it may be all there is of its epoch.
 */
export async function finishWraps(core: Core, roomId: Id, used: readonly number[]): Promise<void> {
  const opened = await openedEpochs(core, roomId, used);
  try {
    for (let at = 0; at < opened.length; at += WRAPS_AN_ANSWER) {
      const epochs = opened.slice(at, at + WRAPS_AN_ANSWER);
      await core.api.post(`/api/rooms/${roomId}/wraps/ack`, { epochs });
    }
    await deliverHistory(core, roomId);
  } catch (error) {
    // A wrap that is not acknowledged expires by itself; the records wait for the next connection.
    if (!(error instanceof Refusal)) throw error;
  }
}

/** Upload the history records that the server has not confirmed. */
export async function deliverHistory(core: Core, roomId: Id): Promise<void> {
  const range = IDBKeyRange.bound([roomId, 0], [roomId, Infinity]);
  for (;;) {
    const rows = await core.store.tables.getAll("history", range, 100);
    if (rows.length === 0) return;
    await deliver(core, roomId, rows);
  }
}

async function deliver(core: Core, roomId: Id, rows: readonly HistoryRow[]): Promise<void> {
  const records = rows.map((row) => ({
    epoch: row.epoch,
    commit_hash: encodeBase64url(row.commitHash),
    bk_version: row.bkVersion,
    record: encodeBase64url(row.record),
    sig: encodeBase64url(row.sig),
  }));
  await core.api.put(`/api/rooms/${roomId}/history-records`, { records });
  const changes = new Changes();
  for (const row of rows) changes.delete("history", [roomId, row.epoch]);
  await core.store.commit(changes);
}
