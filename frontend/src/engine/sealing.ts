/** Bringing one waiting message into sealed bytes; in the room's lane. */
import { type Attached, textBody, writeBody } from "../crypto/body";
import { MAX_BODY, equalBytes } from "../crypto/encoding";
import { CLASS_MESSAGE, CLASS_SILENT, sealMessage } from "../crypto/envelope";
import { maySeal } from "../crypto/epoch";
import { ProtocolError } from "../crypto/errors";
import { shouldRotate } from "../crypto/ratchet";
import type { JsonObject } from "../crypto/strict_json";
import { followChain } from "./chain";
import { ROTATION, commitRoom } from "./commits";
import type { Id } from "./contract";
import type { Core } from "./core";
import { leavesDue } from "./due";
import { idBytes } from "./ids";
import { attemptPlace } from "./inbox";
import { nextStep, sealed, unrefused } from "./outbox_state";
import { type ReadEpoch, type RoomRecord, putEpoch, readEpoch, readRoom } from "./records";
import { Refusal, refuse } from "./refusal";
import type { Attempt, OutboxRow } from "./store/schema";
import { Changes, type Store } from "./store/store";

const VOIDS_SAID = 256;
/** Room in a body for the log hash and void counters that are added when it is sealed. */
export const MAX_TEXT_BODY = MAX_BODY - 4096;

/** Refuse a text that is empty or too long to be sealed, with `invalid`. */
export function checkText(text: string): void {
  try {
    if (text.length > 0 && textBody(text).length <= MAX_TEXT_BODY) return;
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
  }
  throw refuse("invalid");
}

/** Bytes to send. `isFirst`: as far as anybody can know they have not left before. */
export interface Prepared {
  readonly attempt: Attempt;
  readonly isFirst: boolean;
}

/**
 * Give the exact bytes to send for a message: those of its last sealing, or of a new one. The
 * counter of a new one is used up in the same durable write that keeps its bytes, before it may
 * leave. Null when the message is gone. Commits first where the room needs it.
 */
export async function prepare(core: Core, roomId: Id, messageId: Id): Promise<Prepared | null> {
  for (let commits = 0; commits < 3; commits += 1) {
    const row = await core.store.tables.get("outbox", [roomId, messageId]);
    if (!row) return null;
    const record = await writableRoom(core, roomId);
    const step = nextStep(row, headOf(record));
    if (step.do === "send") return again(core.store, row, step.attempt);
    const epoch = await readEpoch(core.store, roomId, headOf(record).epoch);
    if (step.do !== "seal" || !epoch || (await needsCommit(core, record, epoch))) {
      await commitRoom(core, roomId, ROTATION);
    } else if (!record.view?.titleDue || !(await tellTitle(core, roomId))) {
      return { attempt: await seal(core, row, record, epoch), isFirst: true };
    }
  }
  throw refuse("unavailable");
}

/** Begin an epoch that carries the title (§6.4), unless the server wants no more commits. */
async function tellTitle(core: Core, roomId: Id): Promise<boolean> {
  try {
    await commitRoom(core, roomId, ROTATION);
    return true;
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== "rate_limited") throw error;
    return false;
  }
}

/** What was refused is in doubt again from the moment it may leave once more. */
async function again(store: Store, row: OutboxRow, attempt: Attempt): Promise<Prepared> {
  const isFirst = attempt.isRefused === true;
  if (isFirst) {
    const key: [Id, Id] = [row.roomId, row.messageId];
    await store.commit(new Changes().put("outbox", key, unrefused(row)));
  }
  return { attempt, isFirst };
}

async function writableRoom(core: Core, roomId: Id): Promise<RoomRecord> {
  let room = await readRoom(core.store, roomId);
  if (room && !room.record.view) {
    await followChain(core, roomId);
    room = await readRoom(core.store, roomId);
  }
  if (!room) throw refuse("not_found");
  const { record } = room;
  if (record.left !== null || record.leaveSent) throw refuse("forbidden");
  const isClosed = ["fork", "unconfirmed", "pin_mismatch"].includes(record.trouble);
  if (isClosed || !record.view) throw refuse("unavailable");
  return record;
}

function headOf({ view }: RoomRecord): { epoch: number; isSameCommit(attempt: Attempt): boolean } {
  return {
    epoch: view?.epoch ?? -1,
    isSameCommit: ({ commitHash }) => view !== null && equalBytes(view.head, commitHash),
  };
}

async function needsCommit(core: Core, record: RoomRecord, epoch: ReadEpoch): Promise<boolean> {
  const { view, receivedMs, info } = record;
  if (!view || !epoch.state.opened) return true;
  if (!maySeal(view, await core.people.known(view))) return true;
  if ((await leavesDue(core, view, info)).length > 0) return true;
  const { device } = core.keyring.device;
  const times = { received: receivedMs, now: core.platform.now() };
  return shouldRotate(epoch.state, device, times);
}

/** Write the body of what waits: a text, or the note that it is. */
async function bodyOf(store: Store, row: OutboxRow, attached: Attached): Promise<Uint8Array> {
  const key: [Id, Id] = [row.roomId, row.messageId];
  if (row.isNote) return writeBody(await store.unseal<JsonObject>("outbox", key, row.text), attached);
  return textBody(await store.unseal<string>("outbox", key, row.text), attached);
}

async function seal(
  core: Core,
  row: OutboxRow,
  record: RoomRecord,
  epoch: ReadEpoch,
): Promise<Attempt> {
  const { store, keyring } = core;
  const { roomId, messageId } = row;
  const kt = await core.keyLog.claim();
  const attached = { seen: record.log, void: record.voids.slice(0, VOIDS_SAID), kt };
  const messageClass = row.isNote ? CLASS_SILENT : CLASS_MESSAGE;
  const { epoch: next, envelope, eid, n, key } = await sealMessage(
    epoch.state,
    keyring.device,
    await bodyOf(store, row, attached),
    { msgId: idBytes(messageId), time: row.createdMs, messageClass },
  );
  const place: [Id, string] = [roomId, attemptPlace(messageId, n)];
  const messageKey = await store.seal("items", place, key);
  const { epoch: number, commitHash } = epoch.state;
  const attempt: Attempt = { epoch: number, n, commitHash, envelope, eid, messageKey };
  const changes = new Changes();
  await putEpoch(store, changes, roomId, { ...epoch, state: next });
  changes.put("outbox", [roomId, messageId], sealed(row, attempt));
  await store.commit(changes);
  return attempt;
}
