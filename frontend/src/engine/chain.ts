/**
 * Following a room's chain: fetch commits, verify each from epoch 0 on, open epochs with the own
 * wraps (docs/protocol.md §7.3). Every function here runs in the room's lane.
 */
import { type Commit, parseCore } from "../crypto/commit";
import { decodeBase64url, hex } from "../crypto/encoding";
import { ProtocolError } from "../crypto/errors";
import { type RoomView, keepsHistory } from "../crypto/epoch";
import { closeEpoch, unusableEpoch } from "../crypto/ratchet";
import { type Reader, type Received, readCommit, receiveCommit } from "../crypto/receiving";
import { findMember } from "../crypto/roster";
import type { Id } from "./contract";
import type { Core } from "./core";
import { HistoryReader } from "./history";
import { idBytes, idOf } from "./ids";
import { closedWith } from "./letting_go";
import { type Said, type SystemLine, howOneLeft, listsNamed, systemLines } from "./lines";
import { type ReadRoom, putEpoch, putRoom, readEpoch, readRoom } from "./records";
import { Refusal } from "./refusal";
import { Changes } from "./store/store";
import type { CommitJson, HistoryRecordJson } from "./wire";
import { finishWraps } from "./wraps";

interface WrapJson {
  epoch: number;
  wrap: string;
}

/** Read a commit as REST carries it, with the own wrap where there is one. */
export function commitOf(json: CommitJson, device: Uint8Array, wrap: string | undefined): Commit {
  const wraps = wrap === undefined ? [] : [[hex(device), decodeBase64url(wrap)] as const];
  return {
    core: decodeBase64url(json.core),
    tag: decodeBase64url(json.tag),
    sig: decodeBase64url(json.sig),
    ops: decodeBase64url(json.ops),
    state: decodeBase64url(json.state),
    prekeys: new Uint8Array(0),
    wraps: new Map(wraps),
  };
}

/** Follow the chain to its end. Gives whether the head moved. Refusals of commits mark the room. */
export async function followChain(core: Core, roomId: Id): Promise<boolean> {
  const room = await readRoom(core.store, roomId);
  if (!room) return false;
  const start = room.record.view?.epoch ?? -1;
  const history = await HistoryReader.load(core, roomId);
  const used: number[] = [];
  let after = start;
  try {
    for (;;) {
      const page = await fetchPage(core, roomId, { after, history });
      for (const json of page.commits) {
        const wrap = page.wraps.find((item) => item.epoch === json.epoch)?.wrap;
        const commit = commitOf(json, core.keyring.device.device, wrap);
        await step(core, roomId, commit, await openerOf(core, commit, { ...page, history }));
        after = json.epoch;
        if (wrap !== undefined) used.push(after);
      }
      if (page.commits.length === 0 || after >= page.head) break;
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    await markUnverified(core, roomId, error);
  } finally {
    history?.close();
  }
  if (after > start) {
    core.changed({ rooms: [roomId] });
    await finishWraps(core, roomId, used);
  }
  return after > start;
}

interface Page {
  commits: CommitJson[];
  wraps: WrapJson[];
  records: HistoryRecordJson[];
  head: number;
}

/** What opens a commit's epoch here, and what records it for a later device. */
type Opener = Pick<Reader, "source" | "history">;

/** An epoch of before this browser was a device opens by its record, which stays where it is. */
async function openerOf(
  core: Core,
  commit: Commit,
  { records, history }: { records: readonly HistoryRecordJson[]; history: HistoryReader | null },
): Promise<Opener> {
  const isWrapped = commit.wraps.size > 0;
  const { epoch } = parseCore(commit.core);
  const restored = isWrapped ? null : await history?.source(commit, epoch, records);
  if (restored) return { source: restored };
  const [source, writer] = [await core.keyring.source(), await core.keyring.historyWriter()];
  return { source, history: writer };
}

async function fetchPage(
  core: Core,
  roomId: Id,
  { after, history }: { after: number; history: HistoryReader | null },
): Promise<Page> {
  const path = `/api/rooms/${roomId}`;
  const { commits, head_epoch: head } = await core.api.get<{
    commits: CommitJson[];
    head_epoch: number;
  }>(`${path}/commits?after=${after}&limit=100`);
  const upto = commits.at(-1)?.epoch;
  if (upto === undefined) return { commits, wraps: [], records: [], head };
  const { wraps } = await core.api.get<{ wraps: WrapJson[] }>(`${path}/wraps?after=${after}`);
  const records = (await history?.records(after, upto)) ?? [];
  return { commits, wraps, records, head };
}

/** Note that a chain did not verify: the room shows it, and nobody writes there. In its lane. */
export async function markUnverified(core: Core, roomId: Id, error: ProtocolError): Promise<void> {
  const room = await readRoom(core.store, roomId);
  if (!room) return;
  const isFork = error.outcome === "fork" || error.outcome === "list_fork";
  const trouble = isFork ? "fork" : "unconfirmed";
  if (room.record.trouble === trouble) return;
  const changes = new Changes();
  await putRoom(core.store, changes, { ...room, record: { ...room.record, trouble } });
  await core.store.commit(changes);
  core.changed({ rooms: [roomId] });
}

/** Fetch the device lists that a commit brings in and that are not at hand. */
async function fetchLists(core: Core, commit: Commit, room: Uint8Array): Promise<void> {
  const named = listsNamed(readCommit(commit, room).ops);
  const wanted = new Set<Id>();
  for (const { user, listHash } of named) {
    if (!(await core.store.tables.get("lists", hex(listHash)))) wanted.add(idOf(user));
  }
  await core.people.refreshAll([...wanted]);
}

async function step(core: Core, roomId: Id, commit: Commit, opener: Opener): Promise<void> {
  const room = await readRoom(core.store, roomId);
  if (!room) return;
  const roomBytes = idBytes(roomId);
  await fetchLists(core, commit, roomBytes);
  const received = await receiveCommit(room.record.view, commit, {
    room: roomBytes,
    trust: await core.people.trust(),
    ...opener,
  });
  if (!received.ignored) await keep(core, room, commit, received);
}

/** A commit with the room before it and after it. */
export interface Step {
  readonly before: RoomView | null;
  readonly commit: Commit;
  readonly received: Received;
}

async function linesOf(core: Core, { before, commit, received: { view } }: Step): Promise<SystemLine[]> {
  const { ops, core: heart } = readCommit(commit, view.room);
  const known = { roster: before?.roster ?? [], trust: await core.people.trust() };
  return systemLines(ops, heart, { before: known, said: saidBy(before, view) });
}

/** Prepare the lines of a commit to be written. */
export async function putLines(core: Core, changes: Changes, roomId: Id, step: Step): Promise<void> {
  const { epoch } = step.received.view;
  const sealed = await core.store.seal("lines", [roomId, epoch], await linesOf(core, step));
  changes.set("lines", [roomId, epoch], { roomId, epoch, sealed, revision: 1 });
}

/** One durable transaction: head, roster, chains, history record, lines (§7.3, step 10). */
async function keep(core: Core, room: ReadRoom, commit: Commit, received: Received): Promise<void> {
  const { store, userId } = core;
  const { view } = received;
  const roomId = room.record.info.room_id;
  const { ops, core: heart } = readCommit(commit, view.room);
  const step = { before: room.record.view, commit, received };
  const names = await namesFor(core, room.record.names, await linesOf(core, step));
  const changes = new Changes();
  const own = idBytes(userId);
  const wasIn = room.record.view !== null && findMember(room.record.view.roster, own) !== null;
  const isIn = findMember(view.roster, own) !== null;
  await putRoom(store, changes, {
    ...room,
    record: {
      ...room.record,
      view,
      prekeysHash: heart.prekeysHash,
      names,
      receivedMs: core.platform.now(),
      closed: closedWith(room.record, view, core.platform.now()),
      trouble: troubleOf(received),
      left: wasIn && !isIn ? howOneLeft(ops, own) : room.record.left,
    },
  });
  // A member's device that the roster does not name has the epoch all the same, closed.
  const state = received.epoch ?? (isIn ? unusableEpoch(placeOf(view)) : null);
  if (state) await putEpoch(store, changes, roomId, { state, revision: 0 });
  await endChains(core, changes, roomId, received);
  if (received.history) keepHistory(changes, roomId, received.history);
  await putLines(core, changes, roomId, step);
  await store.commit(changes);
}

function saidBy(former: RoomView | null, view: RoomView): Said {
  const endsHistory = former !== null && keepsHistory(former) && !keepsHistory(view);
  return { title: view.title, formerTitle: former?.title ?? null, endsHistory };
}

function placeOf({ room, epoch, head }: RoomView): { room: Uint8Array; epoch: number; commitHash: Uint8Array } {
  return { room, epoch, commitHash: head };
}

/** Learn the names of people that lines speak of and that nobody here knows any more. */
async function namesFor(
  core: Core,
  known: Record<Id, string>,
  lines: readonly SystemLine[],
): Promise<Record<Id, string>> {
  const names = { ...known };
  const named = new Set(lines.flatMap((line) => [line.by, ...line.about]));
  for (const userId of named) {
    if (Object.hasOwn(names, userId)) continue;
    try {
      const { nickname } = await core.api.get<{ nickname: string }>(`/api/users/${userId}`);
      names[userId] = nickname;
    } catch (error) {
      // The account is gone, or the network is: the line stands without a name.
      if (!(error instanceof Refusal)) throw error;
    }
  }
  return names;
}

function troubleOf({ view, epoch, outcome }: Received): "none" | "getting_keys" | "pin_mismatch" {
  if (view.unsettled.length > 0 || outcome === "pin_mismatch") return "pin_mismatch";
  return epoch?.opened === false ? "getting_keys" : "none";
}

async function endChains(
  core: Core,
  changes: Changes,
  roomId: Id,
  { view, cuts }: Received,
): Promise<void> {
  if (cuts.size === 0) return;
  const closing = await readEpoch(core.store, roomId, view.epoch - 1);
  if (!closing) return;
  const state = closeEpoch(closing.state, cuts);
  await putEpoch(core.store, changes, roomId, { ...closing, state });
}

/** Prepare to keep a history record until the server has it. */
export function keepHistory(
  changes: Changes,
  roomId: Id,
  { name, bkVersion, record, sig }: NonNullable<Received["history"]>,
): void {
  const { epoch } = name;
  const row = { roomId, epoch, commitHash: name.commitHash, bkVersion, record, sig };
  changes.set("history", [roomId, epoch], row);
}
