/** Receiving a commit in the fixed order of docs/protocol.md §7.3. */
import {
  type ClearState,
  type Commit,
  type Core,
  HISTORY_OFF,
  commitHash,
  confirmTag,
  coreHash,
  openTitle,
  parseCore,
  parsePrekeys,
  parseState,
  titleAfter,
} from "./commit";
import { HASH_SIZE, SIGNATURE_SIZE, equalBytes, hex } from "./encoding";
import { ReadLists, type RoomView, type Trust, remember, sendersOf, shownTitle } from "./epoch";
import { ProtocolError } from "./errors";
import { type HistoryRecord, type HistoryWriter, sealHistory } from "./history";
import { type Op, applyOps, parseOps } from "./ops";
import { type Random, h, same, systemRandom, verify, wipe } from "./primitives";
import { type EpochState, startEpoch, unusableEpoch } from "./ratchet";
import { type Origin, type Roster, findMember, originHead, roomOf, rosterHash } from "./roster";
import { type Step, checkCommitter, checkOps, strangersIn } from "./rules";
import type { EpochSource } from "./sources";

/**
 * What a commit made of the room.
 *
 * `epoch` is null when the commit was known already, when no source was given, or when the own
 * device is not in the roster. `cuts` end dropped devices in the closing epoch, `floors` say how
 * far others were seen; both by hexadecimal device.
 */
export interface Received {
  readonly view: RoomView;
  readonly epoch: EpochState | null;
  readonly outcome: "ok" | "pin_mismatch" | "epoch_unusable";
  readonly ignored: boolean;
  readonly strangers: readonly Uint8Array[];
  readonly cuts: ReadonlyMap<string, number>;
  readonly floors: ReadonlyMap<string, number>;
  readonly history: HistoryRecord | null;
}

/** A commit taken apart, not yet believed. */
export interface ReadCommit {
  readonly commit: Commit;
  readonly core: Core;
  readonly ops: readonly Op[];
  readonly clear: ClearState;
  readonly sealed: Uint8Array;
}

/** What a reader judges with, and what it opens and records an epoch with. */
export interface Reader {
  readonly trust: Trust;
  readonly source?: EpochSource | null;
  readonly history?: HistoryWriter | null;
  readonly random?: Random;
}

/** Take a commit apart (first half of step 1): `parse`, `suite` or `reference`. */
export function readCommit(commit: Commit, room: Uint8Array): ReadCommit {
  if (commit.tag.length !== HASH_SIZE || commit.sig.length !== SIGNATURE_SIZE) {
    throw new ProtocolError("parse", "a tag or signature of another length");
  }
  const core = parseCore(commit.core);
  const ops = parseOps(commit.ops);
  const { clear, sealed } = parseState(commit.state);
  const hasPrekeys = commit.prekeys.length > 0;
  if (hasPrekeys) parsePrekeys(commit.prekeys);
  if (!equalBytes(core.room, room)) {
    throw new ProtocolError("reference", "a commit of another room");
  }
  const areNamed =
    equalBytes(h("ops", commit.ops), core.opsHash) &&
    equalBytes(h("state", commit.state), core.stateHash) &&
    (!hasPrekeys || equalBytes(h("prekeys", commit.prekeys), core.prekeysHash));
  if (!areNamed) throw new ProtocolError("reference", "bytes that the core does not name");
  return { commit, core, ops, clear, sealed };
}

function isKnown(view: RoomView | null, { core, commit }: ReadCommit): view is RoomView {
  const expected = view === null ? 0 : view.epoch + 1;
  if (core.epoch > expected) {
    throw new ProtocolError("epoch_gap", `epoch ${core.epoch} where ${expected} comes next`);
  }
  if (view === null || core.epoch === expected) return false;
  const known = view.recent.get(core.epoch);
  if (!known && core.epoch < Math.min(...view.recent.keys())) return true;
  if (!known || !equalBytes(known, commitHash(commit))) {
    throw new ProtocolError("fork", `another commit for epoch ${core.epoch}`);
  }
  return true;
}

function checkLink(view: RoomView | null, read: ReadCommit, room: Uint8Array): Uint8Array {
  if (view !== null) {
    if (equalBytes(read.core.prevHash, view.head)) return view.origin;
    throw new ProtocolError("fork", "a commit on another head");
  }
  const [create] = read.ops;
  if (create?.op !== "create") {
    throw new ProtocolError("roster", "a room begins with one create");
  }
  if (!equalBytes(roomOf(create.origin), room)) {
    throw new ProtocolError("reference", "an origin of another room");
  }
  if (!equalBytes(read.core.prevHash, originHead(create.origin))) {
    throw new ProtocolError("fork", "a first commit on another origin");
  }
  return create.origin.data;
}

interface Judged {
  readonly step: Step;
  readonly origin: Uint8Array;
  readonly strangers: readonly Uint8Array[];
}

function judge(
  view: RoomView | null,
  { core, ops, clear, commit }: ReadCommit,
  { trust, origin }: { trust: Trust; origin: Uint8Array },
): Judged {
  const roster = applyOps(view?.roster ?? null, ops);
  if (!equalBytes(rosterHash(roster), core.rosterHash)) {
    throw new ProtocolError("roster", "another roster than the operations make");
  }
  const lists = { ...trust, read: trust.read ?? new ReadLists() };
  const rows = view?.roster ?? [];
  const before = sendersOf(rows, lists);
  const isSame = rows.length === roster.length && rows.every((row, at) => row === roster[at]);
  const after = isSame ? before : sendersOf(roster, lists);
  const step = { view, core, ops, clear, roster, before, after, trust };
  const committer = checkCommitter(step);
  const strangers = checkOps(step);
  verify(committer.dskPub, "commit", commitHash(commit), commit.sig);
  return { step, origin, strangers };
}

function openEpoch(source: EpochSource, read: ReadCommit): { secret: Uint8Array; title: string } {
  const secret = source.secret(read.commit);
  if (!same(confirmTag(secret, coreHash(read.commit)), read.commit.tag)) {
    throw new ProtocolError("epoch_unusable", "a secret that does not make the tag");
  }
  return { secret, title: openTitle(secret, read.core, read.sealed) };
}

/**
 * Check a commit against the own view (null before epoch 0) and open its epoch.
 *
 * Without a source the chain is only verified. The order of checks, and so the name of a refusal,
 * is that of docs/protocol.md §7.3; nothing changes when one is thrown. The caller stores the
 * result in one transaction, then acknowledges and forgets the wrap.
 */
export async function receiveCommit(
  view: RoomView | null,
  commit: Commit,
  { room, ...reader }: Reader & { room: Uint8Array },
): Promise<Received> {
  const read = readCommit(commit, room);
  if (isKnown(view, read)) return verified(view, { ignored: true });
  const origin = checkLink(view, read, room);
  const judged = judge(view, read, { trust: reader.trust, origin });
  return enter(judged, read, reader);
}

function verified(view: RoomView, more: Partial<Received>): Received {
  return {
    view,
    epoch: null,
    outcome: "ok",
    ignored: false,
    strangers: [],
    cuts: new Map(),
    floors: new Map(),
    history: null,
    ...more,
  };
}

function advance({ step, origin, strangers }: Judged, read: ReadCommit): RoomView {
  const { view: before, core, roster, clear } = step;
  const head = commitHash(read.commit);
  const waiting = [...(before?.unsettled ?? []), ...strangers];
  return {
    room: core.room,
    origin,
    epoch: core.epoch,
    head,
    roster,
    clear,
    title: before === null || changesState(step) ? null : before.title,
    recent: remember(before?.recent ?? new Map(), core.epoch, head),
    unsettled: waiting.filter((user) => findMember(roster, user) !== null),
    unkeptFrom: unkeptFrom(step),
    formerTitle: before && shownTitle(before),
  };
}

/** The policy only ever falls, so one epoch says it for all. */
function unkeptFrom({ view: before, core, clear }: Step): number | null {
  const isOff = clear.historyPolicy === HISTORY_OFF;
  return before?.unkeptFrom ?? (isOff ? core.epoch : null);
}

function endsIn(step: Step): Pick<Received, "cuts" | "floors"> {
  const seen = step.ops
    .filter((op) => op.op === "seen")
    .map((op): [string, number] => [hex(op.device), op.nextN]);
  return {
    cuts: new Map(seen.filter(([device]) => !step.after.has(device))),
    floors: new Map(seen.filter(([device]) => step.after.has(device))),
  };
}

/** Say whether the roster names the device, or a device of the account, that a source speaks for. */
function isNamed({ user, device }: EpochSource, { after }: Step): boolean {
  const devices = device ? [after.get(hex(device))] : [...after.values()];
  return devices.some((named) => named !== undefined && equalBytes(named.user, user));
}

async function enter(judged: Judged, read: ReadCommit, reader: Reader): Promise<Received> {
  const { step, strangers } = judged;
  const outcome = strangers.length > 0 ? "pin_mismatch" : "ok";
  const result = verified(advance(judged, read), { outcome, strangers, ...endsIn(step) });
  const { source } = reader;
  if (!source) return result;
  if (!isNamed(source, step)) return result;
  const { room, epoch } = step.core;
  const name = { room, epoch, commitHash: commitHash(read.commit) };
  const opened = openedOrNull(source, read);
  if (!opened) {
    const closed = outcome === "ok" ? "epoch_unusable" : outcome;
    return { ...result, outcome: closed, epoch: unusableEpoch(name) };
  }
  const { secret, title } = opened;
  const senders = [...step.after.values()].map(({ user, entry }) => ({ user, ...entry }));
  const state = startEpoch(name, secret, senders);
  const writer = step.clear.historyPolicy === HISTORY_OFF ? null : reader.history;
  const random = reader.random ?? systemRandom;
  const history = writer ? await sealHistory(writer, name, secret, random) : null;
  wipe(secret);
  const view = told(result.view, step, title);
  return { ...result, epoch: state, view, history };
}

function changesState({ ops }: Step): boolean {
  return ops.some((op) => op.op === "state");
}

function told(view: RoomView, step: Step, said: string): RoomView {
  const known = step.view?.title ?? null;
  const isFirst = step.core.epoch === 0;
  const title = titleAfter(known, said, { isFirst, changes: changesState(step) });
  return { ...view, title, titleDue: said === "" && title !== null && title !== "" };
}

function openedOrNull(
  source: EpochSource,
  read: ReadCommit,
): { secret: Uint8Array; title: string } | null {
  try {
    return openEpoch(source, read);
  } catch (error) {
    if (error instanceof ProtocolError) return null;
    throw error;
  }
}

/** Begin at a commit whose roster is known from an invitation; the caller has checked both. */
export async function enterAt(
  read: ReadCommit,
  { origin, roster }: { origin: Origin; roster: Roster },
  reader: Reader,
): Promise<Received> {
  const { trust } = reader;
  const { core, ops, clear, commit } = read;
  const after = sendersOf(roster, trust);
  const committer = after.get(hex(core.committerDevice));
  if (!committer || !equalBytes(committer.user, core.committerUser)) {
    throw new ProtocolError("committer", "a committer who is not in the roster");
  }
  verify(committer.entry.dskPub, "commit", commitHash(commit), commit.sig);
  const step = { view: null, core, ops, clear, roster, before: new Map(), after, trust };
  const strangers = strangersIn(roster, trust);
  const entered = await enter({ step, origin: origin.data, strangers }, read, reader);
  return { ...entered, cuts: new Map(), floors: new Map() };
}

/** Receive commits in order; a newcomer starts with `view` null at epoch 0 (§7.4). */
export async function followChain(
  view: RoomView | null,
  commits: Iterable<Commit>,
  reader: Reader & { room: Uint8Array },
): Promise<Received[]> {
  const results: Received[] = [];
  let current = view;
  for (const commit of commits) {
    const received = await receiveCommit(current, commit, reader);
    results.push(received);
    current = received.view;
  }
  return results;
}
