/**
 * Opening what arrives (docs/protocol.md §8.4): live copies are provisional, stored ones count.
 * Every function here runs in the room's lane and writes through a `Batch`.
 */
import type { Body } from "../crypto/body";
import { equalBytes, hex } from "../crypto/encoding";
import { type Pre, envelopeId, parseEnvelope } from "../crypto/envelope";
import { sendersOf } from "../crypto/epoch";
import { type Outcome, ProtocolError } from "../crypto/errors";
import { type Known, type MessageIndex, openMessage } from "../crypto/opening";
import { entryOf, parseDeviceList } from "../crypto/device_list";
import type { Batch } from "./batch";
import type { Id, Unreadable } from "./contract";
import type { Core } from "./core";
import { idBytes, idOf } from "./ids";
import { type Arrived, againRow, rowOf, unparsedRow } from "./rows";
import { bodyOfItem, keyOfItem, reopen, wasOpened } from "./store/reopen";
import type { ItemRow } from "./store/schema";

export const MAX_HELD_LIVE = 64;
/** The fact with the device, hexadecimal, whose place in the list this browser took. */
export const REPLACED = "replaced";

const REASONS: Partial<Record<Outcome, Unreadable>> = {
  epoch_gap: "getting_key",
  epoch_unusable: "not_restored",
  suite: "newer_version",
};

/** Where a known message stands now that its stored copy came. */
async function placeKnown(batch: Batch, row: ItemRow, arrived: Arrived): Promise<ItemRow> {
  if (arrived.seq === 0 || row.seq !== 0) return row;
  const { seq, acceptedMs, keyId, stamp } = arrived;
  const placed = { ...row, seq, acceptedMs, keyId, stamp };
  batch.putItem(placed);
  await dropOtherCopies(batch, placed);
  return placed;
}

/** Only the stored copy of an id counts: a provisional one with another fingerprint goes. */
async function dropOtherCopies(batch: Batch, stored: ItemRow): Promise<void> {
  const { roomId, device, messageId } = stored;
  const range: [Id, Id, Id] = [roomId, device, messageId];
  const rows = await batch.store.tables.getAllFromIndex("items", "byMessage", range);
  for (const row of rows) {
    if (row.key !== stored.key && row.seq === 0) batch.removeItem(row.key);
  }
}

async function knownOf(core: Core, row: ItemRow | null): Promise<Known | null> {
  if (!row) return null;
  const body = await bodyOfItem(core.store, row);
  if (!body) return null;
  const key = (await keyOfItem(core.store, row)) ?? new Uint8Array(0);
  return { eid: row.eid, body: body.data, key };
}

async function indexFor(core: Core, batch: Batch, pre: Pre): Promise<MessageIndex> {
  const device = idOf(pre.device);
  const byId = await knownOf(core, await batch.byMessage(device, idOf(pre.msgId)));
  const byCounter = await knownOf(core, await batch.byCounter(device, pre.epoch, pre.n));
  // A counter whose key was let go is used up, and there is nothing to compare with.
  const isThere = byCounter !== null && byCounter.key.length > 0;
  return { has: () => false, byId: () => byId, byCounter: () => (isThere ? byCounter : null) };
}

/**
 * Devices that the room's roster names and a newer list of their account does not. What this
 * browser wrote as the device whose place it took is its own: nobody lost that one to anybody.
 */
async function revokedDevices(core: Core, batch: Batch): Promise<Set<string>> {
  const { view } = batch.record;
  const revoked = new Set<string>();
  if (!view) return revoked;
  const known = await core.people.known(view);
  const stale = view.roster.filter(
    (row) => (known.get(hex(row.user))?.version ?? 0) > row.listVersion,
  );
  if (stale.length === 0) return revoked;
  const former = (await core.store.fact<string>(REPLACED)).value;
  for (const [device, { user, entry }] of sendersOf(stale, await core.people.trust())) {
    const newest = parseDeviceList((await core.people.newestList(user)).data);
    if (device !== former && !entryOf(newest, entry.device)) revoked.add(device);
  }
  return revoked;
}

/** An own message that this device sealed itself: its key was archived with the attempt. */
async function takeOwn(core: Core, batch: Batch, row: ItemRow): Promise<Result | null> {
  if (row.device !== core.keyring.deviceId) return null;
  const waiting = await batch.waiting(row.messageId);
  const attempt = waiting?.attempts.find((one) => equalBytes(one.eid, row.eid));
  if (!waiting || !attempt) return null;
  const place = [row.roomId, attemptPlace(waiting.messageId, attempt.n)] as [Id, string];
  const key = await core.store.unseal<Uint8Array>("items", place, attempt.messageKey);
  if (row.seq > 0) batch.finishWaiting(waiting, attempt);
  const messageKey = await core.store.seal("items", [row.roomId, row.key], key);
  return { row: { ...row, messageKey }, body: reopen(attempt.envelope, key) };
}

/** The log has an own message under other bytes than any attempt here: it is stored all the same. */
async function finishOwn(batch: Batch, { messageId, seq }: ItemRow): Promise<void> {
  const waiting = seq > 0 ? await batch.waiting(messageId) : null;
  if (waiting) batch.finishWaiting(waiting, null);
}

/** The place that an attempt's message key is sealed for. */
export function attemptPlace(messageId: Id, n: number): string {
  return `attempt/${messageId}/${n}`;
}

/** What became of an arrival: its row (null: ignored), and the body when it opened just now. */
export interface Result {
  readonly row: ItemRow | null;
  readonly body: Body | null;
}

const IGNORED: Result = { row: null, body: null };

/** Open an arrival and put it into the batch. Live garbage is ignored, stored garbage is shown. */
export async function arrive(core: Core, batch: Batch, arrived: Arrived): Promise<Result> {
  const eid = envelopeId(arrived.envelope);
  const known = await batch.item(`message/${hex(eid)}`);
  if (known && known.status !== "held") {
    return { row: await placeKnown(batch, known, arrived), body: null };
  }
  let pre: Pre;
  try {
    pre = parseEnvelope(arrived.envelope).header.pre;
  } catch (error) {
    return unreadable(batch, unparsedRow(batch.roomId, eid, arrived, reasonOf(error)), arrived);
  }
  const fresh = rowOf(batch.roomId, pre, eid, arrived);
  const { revision = 0, log = null, seq: knownSeq = 0 } = known ?? {};
  const row = { ...fresh, revision, log, seq: knownSeq || arrived.seq };
  const own = await takeOwn(core, batch, row);
  if (own?.row) return own.row.seq > 0 ? keepOpened(batch, own.row, own.body) : IGNORED;
  const result = await open(core, batch, row, pre);
  // Only what opened is ours: a header is no more than a claim.
  if (result.body && row.device === core.keyring.deviceId) await finishOwn(batch, row);
  return result;
}

async function open(core: Core, batch: Batch, row: ItemRow, pre: Pre): Promise<Result> {
  const envelope = row.envelope ?? new Uint8Array(0);
  const epoch = await batch.epoch(pre.epoch);
  try {
    const opened = openMessage(envelope, epoch?.state ?? null, {
      room: idBytes(batch.roomId),
      index: await indexFor(core, batch, pre),
      revoked: (batch.revoked ??= await revokedDevices(core, batch)),
    });
    if (!opened.message || !opened.epoch) return IGNORED;
    const earlier = await batch.byMessage(row.device, row.messageId);
    const isOther = earlier && wasOpened(earlier) && earlier.key !== row.key;
    // Nothing of it is kept, so the chain stays: the log may still store exactly this one.
    if (isOther && row.seq === 0) return flagEquivocation(batch, earlier, opened.outcome);
    if (isOther && earlier.seq > 0) {
      flagEquivocation(batch, earlier, opened.outcome);
      return repeated(batch, row);
    }
    if (epoch) batch.putEpoch({ ...epoch, state: opened.epoch });
    const key = await core.store.seal("items", [row.roomId, row.key], opened.message.key);
    const isTwo = opened.outcome === "equivocation";
    const reason: Unreadable | null = isTwo ? "equivocation" : null;
    const shown = { ...row, messageKey: key, status: "open" as const, reason };
    await core.keyLog.compare(opened.message.body.kt, row.roomId, row.key);
    return await keepOpened(batch, shown, opened.message.body);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return refused(batch, row, error);
  }
}

/** A second text under a known id: the first one stays, and everybody sees that there were two. */
function flagEquivocation(batch: Batch, earlier: ItemRow, outcome: string): Result {
  if (outcome === "equivocation") batch.putItem({ ...earlier, reason: "equivocation" });
  return IGNORED;
}

/** A second stored message under one id: the first one counts, this one keeps its place only. */
function repeated(batch: Batch, row: ItemRow): Result {
  const again = againRow(row);
  batch.putItem(again);
  return { row: again, body: null };
}

async function keepOpened(batch: Batch, row: ItemRow, body: Body | null): Promise<Result> {
  batch.putItem(row);
  if (row.seq > 0) await dropOtherCopies(batch, row);
  return { row, body };
}

function reasonOf(error: unknown): Unreadable {
  if (!(error instanceof ProtocolError)) throw error;
  return REASONS[error.outcome] ?? "damaged";
}

async function refused(batch: Batch, row: ItemRow, error: ProtocolError): Promise<Result> {
  if (error.outcome === "epoch_gap") {
    const { joined_epoch: joined, last_epoch: last } = batch.record.info.me;
    const isOutside = row.epoch < joined || (last !== null && row.epoch > last);
    if (isOutside) {
      return unreadable(batch, { ...row, status: "closed", reason: "before_joining" }, row);
    }
    return hold(batch, { ...row, status: "held", reason: "getting_key" });
  }
  if (error.outcome === "fork") batch.record = { ...batch.record, trouble: "fork" };
  const isUnkept = row.epoch >= (batch.record.view?.unkeptFrom ?? Infinity);
  const reason = isUnkept && error.outcome === "epoch_unusable" ? "not_kept" : reasonOf(error);
  return unreadable(batch, { ...row, status: "closed", reason }, row);
}

function unreadable(batch: Batch, row: ItemRow, { seq }: { seq: number }): Result {
  if (seq === 0) return IGNORED;
  batch.putItem(row);
  return { row, body: null };
}

/** Keep an envelope until its epoch is known; live ones only up to 64 a room. */
async function hold(batch: Batch, row: ItemRow): Promise<Result> {
  if (row.seq === 0) {
    const key: [Id, string] = [batch.roomId, "held"];
    const held = await batch.store.tables.countFromIndex("items", "byStatus", key);
    if (held >= MAX_HELD_LIVE) return IGNORED;
  }
  batch.putItem(row);
  return { row, body: null };
}

/** Try again what waited for its epoch; gives what opened. */
export async function retryHeld(core: Core, batch: Batch): Promise<Result[]> {
  const key: [Id, string] = [batch.roomId, "held"];
  const held = await batch.store.tables.getAllFromIndex("items", "byStatus", key);
  const results: Result[] = [];
  for (const row of held.sort((left, right) => left.seq - right.seq || left.n - right.n)) {
    if (!row.envelope || !(await batch.epoch(row.epoch))) continue;
    const { seq, envelope, acceptedMs, keyId, stamp } = row;
    results.push(await arrive(core, batch, { seq, envelope, acceptedMs, keyId, stamp }));
  }
  return results;
}
