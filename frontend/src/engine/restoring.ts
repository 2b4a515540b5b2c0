/**
 * Making this browser a device of an account that has others, or none any more, with nothing but
 * the recovery secret or a passkey (docs/protocol.md §3.3, §5). Everything is stored before the server hears
 * of it; no other device has to be there.
 */
import {
  type DeviceList,
  MAX_DEVICES,
  entryOf,
  listHash,
  listWith,
  parseDeviceList,
  walkOwnLists,
} from "../crypto/device_list";
import { decodeBase64url, encodeBase64url, hex } from "../crypto/encoding";
import { ProtocolError } from "../crypto/errors";
import { historyWriter } from "../crypto/history";
import { deviceEntry, newDevice } from "../crypto/identity";
import { parseOps } from "../crypto/ops";
import { newPrekey } from "../crypto/prekeys";
import { type Recovered, backupPublic } from "../crypto/recovery";
import type { Api } from "./api";
import type { FormerEntry, Id } from "./contract";
import { type Enrolment, type OwnLists, keepFirstPrekey, keepOwnLists } from "./enrolment";
import { readFormer } from "./former_keys";
import { idBytes, idOf, isId } from "./ids";
import { REPLACED } from "./inbox";
import { keepDevice } from "./keys";
import { listsNamed } from "./lines";
import type { Platform } from "./platform";
import { type RecoveryBox, wipeRecovered } from "./recovery";
import { refuse } from "./refusal";
import { Changes, type Store } from "./store/store";
import type { CommitJson, MeJson, RoomJson, UserKeysJson } from "./wire";

/**
 * The fact "history": opens history records, by version of the backup key, until every room was
 * followed; then null.
 */
export type KeptHistory = { seeds: Map<number, Uint8Array> } | null;

interface Surroundings {
  readonly store: Store;
  readonly api: Api;
  readonly platform: Platform;
}

/** How this browser becomes a device. */
export interface Entering {
  /** Opens the account. */
  readonly open: () => Promise<Recovered>;
  /** What this browser was before it lost its keys, as its person saw it: the new device takes its place. */
  readonly former: FormerEntry | null;
}

/**
 * Say which device the login of this browser was before: a browser may throw away what a page has
 * stored and keep its cookies. Which one it is and since when, is the server's word: no account key
 * is known yet. `prepareDevice` holds the date against the signed list.
 */
export async function formerEntry({ store, api }: Pick<Surroundings, "store" | "api">): Promise<FormerEntry | null> {
  const { device_id: deviceId } = await api.get<MeJson>("/api/me");
  if (!isId(deviceId)) return null;
  const keys = await api.get<UserKeysJson>(`/api/users/${store.userId}/keys?after_version=0`);
  const newest = keys.lists.at(-1);
  if (!newest) return null;
  const entry = entryOf(parseDeviceList(decodeBase64url(newest.device_list)), idBytes(deviceId));
  return entry && { deviceId, createdMs: entry.created };
}

/**
 * Open the account by `open` and keep the keys of a new device of it, ready to be published.
 * Refuses what `open` refuses, `recovery_lists` for device lists that are not whole or do
 * not hold the former entry as its person saw it, and `devices_full`.
 */
export async function prepareDevice(
  { store, api, platform }: Surroundings,
  box: RecoveryBox,
  { open, former }: Entering,
): Promise<void> {
  const recovered = await open();
  try {
    const lists = await ownLists(api, store.userId, recovered);
    await checkRooms(api, store.userId, lists);
    const seeds = box.seeds(recovered, [...lists.earlier, lists.newest]);
    await makeDevice(store, recovered, { lists, seeds, former, now: platform.now() });
  } finally {
    wipeRecovered(recovered);
  }
}

/** Fetch all own device lists and verify them from the first on; `recovery_lists` if one lacks. */
async function ownLists(api: Api, userId: Id, recovered: Recovered): Promise<OwnLists> {
  const me = await api.get<MeJson>("/api/me");
  const keys = await api.get<UserKeysJson>(`/api/users/${userId}/keys?after_version=0`);
  try {
    const lists = keys.lists.map((item) => ({
      data: decodeBase64url(item.device_list),
      sig: decodeBase64url(item.list_sig, 64),
    }));
    const { user, publicHalf: amkPub } = recovered.account;
    const newest = lists.at(-1);
    if (!newest) throw new ProtocolError("reference", "no device list");
    if (walkOwnLists(lists, { user, amkPub }).length < me.list_version) throw new ProtocolError("list_rollback", "a list is missing");
    const former = readFormer(keys.former ?? [], { user, amkPub });
    return { earlier: lists.slice(0, -1), newest, former };
  } catch (error) {
    throw asWithheld(error);
  }
}

function asWithheld(error: unknown): unknown {
  return error instanceof ProtocolError ? refuse("recovery_lists") : error;
}

/**
 * Compare with what the rooms say of the own account: a list that a commit names and the server
 * does not give would be contradicted by ours, for ever (§3.3, `list_fork`).
 */
async function checkRooms(
  api: Api,
  userId: Id,
  { earlier, newest, former }: OwnLists,
): Promise<void> {
  const before = former.flatMap((key) => key.lists);
  const known = new Set([...before, ...earlier, newest].map((list) => hex(listHash(list))));
  const { rooms } = await api.get<{ rooms: RoomJson[] }>("/api/rooms");
  for (const { room_id: roomId } of rooms) {
    for (const hash of await ownListsNamed(api, roomId, userId)) {
      if (!known.has(hash)) throw refuse("recovery_lists");
    }
  }
}

async function ownListsNamed(api: Api, roomId: Id, userId: Id): Promise<string[]> {
  const named: string[] = [];
  for (let after = -1; ; ) {
    const path = `/api/rooms/${roomId}/commits?after=${after}&limit=100`;
    const page = await api.get<{ commits: CommitJson[]; head_epoch: number }>(path);
    for (const commit of page.commits) {
      for (const { user, listHash: hash } of listsIn(commit)) {
        if (idOf(user) === userId) named.push(hex(hash));
      }
      after = commit.epoch;
    }
    if (page.commits.length === 0 || after >= page.head_epoch) return named;
  }
}

/** What a commit claims; one that is broken is judged when its room is followed. */
function listsIn({ ops }: CommitJson): ReturnType<typeof listsNamed> {
  try {
    return listsNamed(parseOps(decodeBase64url(ops)));
  } catch (error) {
    if (error instanceof ProtocolError) return [];
    throw error;
  }
}

interface Prepared {
  readonly lists: OwnLists;
  readonly seeds: Map<number, Uint8Array>;
  readonly former: FormerEntry | null;
  readonly now: number;
}

/** The device whose place is taken: by its date somebody decided, so the signed list must bear it. */
function placeOf({ deviceId, createdMs }: FormerEntry, list: DeviceList): Uint8Array {
  const entry = entryOf(list, idBytes(deviceId));
  if (entry?.created !== createdMs) throw refuse("recovery_lists");
  return entry.device;
}

async function makeDevice(
  store: Store,
  { account, recoveryKey, bkVersion }: Recovered,
  { lists, seeds, former, now }: Prepared,
): Promise<void> {
  const { user, publicHalf: amkPub } = account;
  const before = lists.newest;
  const newest = parseDeviceList(before.data);
  const instead = former && placeOf(former, newest);
  if (newest.entries.length >= MAX_DEVICES && !instead) throw refuse("devices_full");
  const keys = await newDevice(user, amkPub, now);
  const bkPub = backupPublic(recoveryKey, user, bkVersion);
  try {
    historyWriter(keys, newest, bkPub, bkVersion);
  } catch (error) {
    throw asWithheld(error);
  }
  const list = listWith(account, before, deviceEntry(keys), { time: now, instead });
  const { seed, prekey } = await newPrekey(keys, { seq: 1, created: now });
  const b64 = encodeBase64url;
  const published = {
    device_list: b64(list.data),
    list_sig: b64(list.sig),
    prekeys: [{ prekey: b64(prekey.data), prekey_sig: b64(prekey.sig) }],
  };
  const path = "/api/me/device-lists" as const;
  const enrolment: Enrolment = { path, accountKey: b64(amkPub), published };
  const changes = new Changes();
  await keepDevice(store, changes, keys, { bkPub, bkVersion });
  await store.putFact(changes, "recovery", null, 0);
  await store.putFact(changes, "history", { seeds } satisfies KeptHistory, 0);
  await store.putFact(changes, "enrolment", enrolment, 0);
  if (instead) await store.putFact(changes, REPLACED, hex(instead), 0);
  await keepFirstPrekey(store, changes, prekey, { seed, now });
  const earlier = [...lists.earlier, before];
  keepOwnLists(changes, { user, amkPub }, { earlier, newest: list, former: lists.former });
  await store.commit(changes);
}
