/**
 * The past of an account key that a reset ended, by its recovery key (docs/protocol.md §5.8). The
 * former key opens and does nothing else: what it opened is sealed again to the present one.
 */
import { parseDeviceList, walkOwnLists } from "../crypto/device_list";
import { decodeBase64url, equalBytes, hex } from "../crypto/encoding";
import { ProtocolError } from "../crypto/errors";
import { h } from "../crypto/primitives";
import { type Recovered, backupPublic, checkBlob, openRecovery } from "../crypto/recovery";
import { isCode } from "../crypto/recovery_secret";
import { followChain, markUnverified } from "./chain";
import type { Id, Past } from "./contract";
import type { Core } from "./core";
import { formerKeysOf } from "./former_keys";
import { ownAccount } from "./own_room";
import { type RecoveryBox, blobOf, carriesOf, checkTyped, seedsOf, told, wipeRecovered } from "./recovery";
import { readRoom } from "./records";
import { Refusal, refuse } from "./refusal";
import { reopenRoom } from "./reopening";
import { refreshRooms } from "./rooms";
import type { Store } from "./store/store";
import type { FormerRecoveryJson } from "./wire";

/** The fact "past": which former keys' time is open here, and what opens one until all rooms were looked into. */
interface KeptPast {
  /** Former account keys, hexadecimal. */
  readonly opened: readonly string[];
  readonly now: {
    readonly amkPub: Uint8Array;
    readonly seeds: Map<number, Uint8Array>;
    readonly rooms: readonly Id[];
    /** How many rooms there were at the start. */
    readonly of: number;
  } | null;
}

async function keptPast(store: Store): Promise<KeptPast> {
  return (await store.fact<KeptPast>("past")).value ?? { opened: [], now: null };
}

/** Say what is there of the time before the account was started again, for the screen. */
export async function pastOf(store: Store): Promise<Past> {
  const { opened, now } = await keptPast(store);
  if (now) return { state: "opening", done: now.of - now.rooms.length, of: now.of };
  const own = await ownAccount(store);
  const ended = own ? await formerKeysOf(store, own) : [];
  return ended.every(({ amkPub }) => opened.includes(hex(amkPub))) ? null : { state: "closed" };
}

/**
 * Open the time of the former account key whose recovery key was typed; rooms follow one by one.
 * Refuses `recovery_words` and `recovery_code` for what cannot be one, `not_found` when the account
 * was never started again, `recovery_blob` and `recovery_lists` for what the server should not
 * have sent, and `recovery_secret` for any other key.
 */
export async function bringBack(core: Core, box: RecoveryBox, secret: string): Promise<void> {
  checkTyped(secret);
  await core.people.refresh(core.userId);
  const ended = await formerKeysOf(core.store, core.keyring.device);
  const isEnded = ({ account_key: key }: FormerRecoveryJson) => {
    const amkPub = told("recovery_blob", () => decodeBase64url(key, 32));
    return ended.some((one) => equalBytes(one.amkPub, amkPub));
  };
  const found = await openOneOf(core, (await box.former()).filter(isEnded).reverse(), secret);
  const rooms = await refreshRooms(core);
  const { opened } = await keptPast(core.store);
  const now = { ...found, rooms, of: rooms.length };
  await core.store.setFact("past", { opened, now } satisfies KeptPast);
  core.changed({ me: true });
}

interface FormerKeys {
  readonly amkPub: Uint8Array;
  readonly seeds: Map<number, Uint8Array>;
}

/** Which of several former keys was typed only trying tells. */
async function openOneOf(core: Core, rows: readonly FormerRecoveryJson[], secret: string): Promise<FormerKeys> {
  let refusal = refuse(rows.length > 0 ? "recovery_secret" : "not_found");
  for (const row of rows) {
    try {
      return await openFormer(core, row, secret);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (error.code !== "recovery_secret") refusal = error;
    }
  }
  throw refusal;
}

async function openFormer(core: Core, row: FormerRecoveryJson, secret: string): Promise<FormerKeys> {
  const { user } = core.keyring.device;
  const amkPub = told("recovery_blob", () => decodeBase64url(row.account_key, 32));
  const lists = await core.people.ownLists({ user, amkPub });
  told("recovery_lists", () => walkOwnLists(lists, { user, amkPub }));
  const blob = blobOf(row);
  told("recovery_blob", () => checkBlob(blob, { user, amkPub, version: 0 }));
  const typed = isCode(secret) ? { code: secret } : { secret };
  const recovered = told("recovery_secret", () => openRecovery(blob, { user, ...typed }));
  try {
    const read = lists.map(({ data }) => parseDeviceList(data));
    told("recovery_blob", () => checkBackup(recovered, read.at(-1)));
    return { amkPub, seeds: seedsOf(recovered, read, told("recovery_blob", () => carriesOf(row))) };
  } finally {
    wipeRecovered(recovered);
  }
}

/** A former blob of before a renewal opens nothing that was written since. */
function checkBackup(
  { account, recoveryKey, bkVersion }: Recovered,
  newest: { bkVersion: number; bkHash: Uint8Array } | undefined,
): void {
  const bkHash = h("bk", backupPublic(recoveryKey, account.user, bkVersion));
  if (newest?.bkVersion === bkVersion && equalBytes(newest.bkHash, bkHash)) return;
  throw new ProtocolError("recovery", "not of the last backup key under this account key");
}

/**
 * Look into every room that is left, each once. One that was not followed to its head, or failed,
 * stays for the next time, and the key is kept for it.
 */
export function openPast(core: Core): Promise<void> {
  return core.lanes.run("history", async () => {
    const waiting = new Set<Id>();
    for (;;) {
      const { now } = await keptPast(core.store);
      const roomId = now?.rooms.find((id) => !waiting.has(id));
      if (now && roomId === undefined) await endPast(core);
      if (!now || roomId === undefined) return;
      const isDone = await core.lanes.run(roomId, () => lookInto(core, roomId, now));
      if (isDone) await roomDone(core, roomId, now);
      else waiting.add(roomId);
    }
  });
}

/** Another former key may have been typed meanwhile: of its rooms nothing was done. */
async function roomDone(core: Core, roomId: Id, { amkPub }: FormerKeys): Promise<void> {
  const { opened, now } = await keptPast(core.store);
  if (!now || !equalBytes(now.amkPub, amkPub)) return;
  const rooms = now.rooms.filter((id) => id !== roomId);
  await core.store.setFact("past", { opened, now: { ...now, rooms } } satisfies KeptPast);
  core.changed({ me: true });
}

/** Forget the key once no room is left. */
async function endPast(core: Core): Promise<void> {
  const { opened, now } = await keptPast(core.store);
  if (!now || now.rooms.length > 0) return;
  const all = [...opened, hex(now.amkPub)];
  await core.store.setFact("past", { opened: all, now: null } satisfies KeptPast);
  core.changed({ me: true });
}

/** Say whether a room needs this key no more; what failed in it keeps no other one closed. */
async function lookInto(core: Core, roomId: Id, keys: FormerKeys): Promise<boolean> {
  try {
    if (await isBehind(core, roomId)) await followChain(core, roomId);
    if (await isBehind(core, roomId)) return false;
    await reopenRoom(core, roomId, keys);
    return true;
  } catch (error) {
    if (error instanceof Refusal) return error.code === "not_found" || error.code === "room_deleted";
    if (!(error instanceof ProtocolError)) throw error;
    if (error.outcome === "fork") await markUnverified(core, roomId, error);
    return false;
  }
}

async function isBehind(core: Core, roomId: Id): Promise<boolean> {
  const room = await readRoom(core.store, roomId);
  return room !== null && room.record.info.head_epoch > (room.record.view?.epoch ?? -1);
}
