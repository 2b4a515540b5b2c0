/**
 * After a renewal the account's history is sealed again to the new backup key, room by room, so
 * that the server has nothing left that the former recovery key opens (docs/protocol.md §5.6).
 */
import { decodeBase64url, encodeBase64url } from "../crypto/encoding";
import type { HistoryRecord } from "../crypto/history";
import type { Id } from "./contract";
import type { Core } from "./core";
import { HistoryReader } from "./history";
import { Refusal } from "./refusal";
import type { CommitJson, HistoryRecordJson } from "./wire";

/** The fact "former": opens what the former backup keys sealed, until every room was moved; then null. */
export type KeptFormer = {
  readonly seeds: Map<number, Uint8Array>;
  readonly rooms: Id[];
  /** How many rooms there were at the start. */
  readonly of: number;
} | null;

export const RECORDS_A_REQUEST = 100;

/** Move every room that is left; what is interrupted goes on at the next connection. */
export function moveHistory(core: Core): Promise<void> {
  return core.lanes.run("history", async () => {
    for (;;) {
      const former = (await core.store.fact<KeptFormer>("former")).value;
      if (!former) return;
      const [roomId, ...rooms] = former.rooms;
      if (roomId !== undefined) await moveRoomIfThere(core, roomId, former.seeds);
      await core.store.setFact("former", rooms.length > 0 ? { ...former, rooms } : null);
      core.changed({ me: true });
    }
  });
}

/** A room that was deleted, or is not this person's any more, keeps nobody waiting. */
async function moveRoomIfThere(
  core: Core,
  roomId: Id,
  seeds: ReadonlyMap<number, Uint8Array>,
): Promise<void> {
  try {
    await moveRoom(core, roomId, seeds);
  } catch (error) {
    if (!(error instanceof Refusal) || error.retryable) throw error;
  }
}

async function moveRoom(core: Core, roomId: Id, seeds: ReadonlyMap<number, Uint8Array>): Promise<void> {
  const reader = HistoryReader.of(core, roomId, { seeds });
  const writer = await core.keyring.historyWriter();
  // Versions of a former account key's backup keys say nothing of the present one's (§5.8).
  const all = await reader.written(await reader.records(-1, Infinity));
  const moved = new Set(all.filter((one) => one.bk_version >= writer.bkVersion).map((one) => one.epoch));
  const records = all.filter(({ epoch }) => !moved.has(epoch));
  let made: HistoryRecord[] = [];
  for await (const commit of commitsOf(core, roomId, records)) {
    const parts = {
      core: decodeBase64url(commit.core),
      tag: decodeBase64url(commit.tag),
      state: decodeBase64url(commit.state),
    };
    const record = await reader.reseal(parts, commit.epoch, { records, writer });
    if (record) made.push(record);
    if (made.length === RECORDS_A_REQUEST) {
      await putRecords(core, roomId, made);
      made = [];
    }
  }
  if (made.length > 0) await putRecords(core, roomId, made);
}

/** The commits of these records' epochs. Each record names the hash of its own: none is believed. */
async function* commitsOf(
  core: Core,
  roomId: Id,
  records: readonly HistoryRecordJson[],
): AsyncGenerator<CommitJson> {
  const epochs = new Set(records.map(({ epoch }) => epoch));
  const last = Math.max(-1, ...epochs);
  for (let after = Math.min(...epochs) - 1; after < last; ) {
    const path = `/api/rooms/${roomId}/commits?after=${after}&limit=100`;
    const { commits } = await core.api.get<{ commits: CommitJson[] }>(path);
    for (const commit of commits) if (epochs.has(commit.epoch)) yield commit;
    const highest = Math.max(after, ...commits.map(({ epoch }) => epoch));
    if (highest === after) return;
    after = highest;
  }
}

/** Hand over at most 100 history records of a room. */
export async function putRecords(core: Core, roomId: Id, records: readonly HistoryRecord[]): Promise<void> {
  await core.api.put(`/api/rooms/${roomId}/history-records`, {
    records: records.map(({ name, bkVersion, record, sig }) => ({
      epoch: name.epoch,
      commit_hash: encodeBase64url(name.commitHash),
      bk_version: bkVersion,
      record: encodeBase64url(record),
      sig: encodeBase64url(sig),
    })),
  });
}
