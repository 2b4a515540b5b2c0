/**
 * Epochs that this browser followed and could not open, opened by the history records of a former
 * account key (docs/protocol.md §5.8), with what was said in them. Runs in the room's lane.
 */
import { equalBytes } from "../crypto/encoding";
import type { RoomView } from "../crypto/epoch";
import { ProtocolError } from "../crypto/errors";
import { closeEpoch } from "../crypto/ratchet";
import { type Received, receiveCommit } from "../crypto/receiving";
import { applyHeld } from "./apply";
import { Batch } from "./batch";
import { type Step, commitOf, keepHistory, putLines } from "./chain";
import type { Id } from "./contract";
import type { Core } from "./core";
import { HistoryReader, type RecordKeys } from "./history";
import { putEpoch, readEpoch, readRoom, updateRoom } from "./records";
import { Changes } from "./store/store";
import type { CommitJson, HistoryRecordJson } from "./wire";
import { deliverHistory } from "./wraps";

/**
 * Open what these keys open of a room, and seal it again to the present backup key. Refuses `fork`
 * when the server shows another chain than the one that was followed.
 */
export async function reopenRoom(core: Core, roomId: Id, keys: RecordKeys): Promise<void> {
  const reader = HistoryReader.of(core, roomId, keys);
  const records = await reader.records(-1, Infinity);
  const followed = (await readRoom(core.store, roomId))?.record.view;
  if (!followed || !(await reader.hasWritten(records))) return;
  const steps = await followAgain(core, followed, { reader, records });
  const opened = await keepOpened(core, roomId, steps);
  const title = steps.at(-1)?.received.view.title ?? null;
  await updateRoom(core.store, roomId, (record) =>
    record.view?.title === null ? { ...record, view: { ...record.view, title } } : record,
  );
  await holdAgain(core, roomId, opened);
  await applyHeld(core, roomId);
  core.changed({ rooms: [roomId] });
  await deliverHistory(core, roomId);
}

/** Every commit from epoch 0 to the one that was followed last, verified again, without wraps. */
async function followAgain(
  core: Core,
  followed: RoomView,
  { reader, records }: { reader: HistoryReader; records: readonly HistoryRecordJson[] },
): Promise<Step[]> {
  const [trust, history] = [await core.people.trust(), await core.keyring.historyWriter()];
  const { room } = followed;
  const steps: Step[] = [];
  let view: RoomView | null = null;
  for await (const json of commitsUpTo(core, reader.roomId, followed.epoch)) {
    const commit = commitOf(json, core.keyring.device.device, undefined);
    const source = await reader.source(commit, json.epoch, records);
    const received: Received = await receiveCommit(view, commit, { room, trust, source, history });
    steps.push({ before: view, commit, received });
    view = received.view;
  }
  demandFollowed(followed, view);
  return steps;
}

async function* commitsUpTo(core: Core, roomId: Id, last: number): AsyncGenerator<CommitJson> {
  for (let after = -1; after < last; ) {
    const path = `/api/rooms/${roomId}/commits?after=${after}&limit=100`;
    const { commits } = await core.api.get<{ commits: CommitJson[] }>(path);
    yield* commits.filter(({ epoch }) => epoch <= last);
    const highest = Math.max(after, ...commits.map(({ epoch }) => epoch));
    if (highest === after) return;
    after = highest;
  }
}

/** Each commit names the one before it: one head has one chain. */
function demandFollowed(followed: RoomView, view: RoomView | null): void {
  if (view?.epoch === followed.epoch && equalBytes(view.head, followed.head)) return;
  throw new ProtocolError("fork", "not the chain that was followed");
}

/** Keep the chains of epochs that were closed here, their lines and records; gives those epochs. */
async function keepOpened(core: Core, roomId: Id, steps: readonly Step[]): Promise<Set<number>> {
  const opened = new Set<number>();
  for (const [at, step] of steps.entries()) {
    const { epoch: state, history, view } = step.received;
    if (!state?.opened) continue;
    const kept = await readEpoch(core.store, roomId, view.epoch);
    if (kept?.state.opened) continue;
    const cuts = steps[at + 1]?.received.cuts ?? new Map<string, number>();
    const changes = new Changes();
    const closed = { state: closeEpoch(state, cuts), revision: kept?.revision ?? 0 };
    await putEpoch(core.store, changes, roomId, closed);
    await putLines(core, changes, roomId, step);
    if (history) keepHistory(changes, roomId, history);
    await core.store.commit(changes);
    opened.add(view.epoch);
  }
  return opened;
}

/** What did not open then waits again for its epoch, which is there now. */
async function holdAgain(core: Core, roomId: Id, epochs: ReadonlySet<number>): Promise<void> {
  const room = await readRoom(core.store, roomId);
  if (!room || epochs.size === 0) return;
  const batch = new Batch(core.store, room);
  const closed = await core.store.tables.getAllFromIndex("items", "byStatus", [roomId, "closed"]);
  for (const row of closed) {
    if (row.reason !== "not_restored" || !epochs.has(row.epoch)) continue;
    batch.putItem({ ...row, status: "held", reason: "getting_key" });
  }
  if (!batch.isEmpty) await batch.save();
}
