/** How a browser becomes a device: keys made once, stored, published, and confirmed (§3–5). */
import { type SignedDeviceList, firstDeviceList, listHash } from "../crypto/device_list";
import { decodeBase64url, encodeBase64url, equalBytes, hex } from "../crypto/encoding";
import { type AccountKey, deviceEntry, newAccount, newDevice } from "../crypto/identity";
import { type SignedPrekey, newPrekey } from "../crypto/prekeys";
import { systemRandom, wipe } from "../crypto/primitives";
import { backupPublic, sealRecovery } from "../crypto/recovery";
import { generateWords } from "../crypto/recovery_secret";
import type { Api } from "./api";
import { type FormerKey, keepFormer } from "./former_keys";
import { idBytes } from "./ids";
import { keepDevice } from "./keys";
import type { Platform } from "./platform";
import type { KeptRecovery } from "./recovery";
import { Refusal } from "./refusal";
import { Changes, STORAGE_KEY, type Store } from "./store/store";
import type { MeJson, UserKeysJson } from "./wire";

/** The fact "enrolment", until the server has confirmed it: what makes this browser a device. */
export interface Enrolment {
  /** A first account, a further device of one, or an account that is started again. */
  path: "/api/me/keys" | "/api/me/device-lists" | "/api/me/reset/complete";
  accountKey: string;
  published: object;
  /** Of the announced reset that this completes. */
  resetId?: string;
}

/** Nothing changes these by asking again: an answer was lost, or somebody else was faster. */
const FINAL = new Set(["keys_exist", "list_version", "invalid", "prekey", "not_found"]);

/**
 * Make this account's keys and this device, unless a former attempt already did, and publish them.
 * Everything is stored before the server hears of it, so that a lost answer loses no key.
 */
export async function enrol(store: Store, api: Api, platform: Platform): Promise<MeJson> {
  if (!(await pendingEnrolment(store))) await makeKeys(store, platform.now(), () => ({ path: "/api/me/keys" }));
  return publishKeys(store, api);
}

/** What was stored to be published, and was not confirmed. */
export async function pendingEnrolment(store: Store): Promise<Enrolment | null> {
  return (await store.fact<Enrolment | null>("enrolment")).value ?? null;
}

/**
 * Publish what makes this browser a device; a repetition is none. When another list of devices
 * came first, what was prepared is forgotten: the account key that signed it is here no more.
 */
export async function publishKeys(store: Store, api: Api): Promise<MeJson> {
  const pending = await pendingEnrolment(store);
  if (!pending) throw new Error("there is nothing to be published");
  try {
    await api.post(pending.path, pending.published);
  } catch (error) {
    if (!(error instanceof Refusal) || !FINAL.has(error.code)) throw error;
    const isIn = pending.path !== "/api/me/device-lists" || (await isListed(store, api));
    if (!isIn) {
      await forgetKeys(store);
      throw error;
    }
  }
  const me = await api.get<MeJson>("/api/me");
  if (me.account_key === pending.accountKey) await store.setFact("enrolment", null);
  else await forgetKeys(store);
  return me;
}

/** Say whether the server has the list that this browser prepared. */
async function isListed(store: Store, api: Api): Promise<boolean> {
  const own = await store.tables.get("accounts", hex(idBytes(store.userId)));
  const keys = await api.get<UserKeysJson>(`/api/users/${store.userId}/keys?after_version=0`);
  return keys.lists.some(({ device_list, list_sig }) => {
    const list = { data: decodeBase64url(device_list), sig: decodeBase64url(list_sig) };
    return own !== undefined && equalBytes(listHash(list), own.listHash);
  });
}

/** Forget keys that never became a device. */
export async function forgetKeys(store: Store): Promise<void> {
  const changes = new Changes();
  for (const table of ["facts", "keys", "prekeys", "accounts", "lists"] as const) {
    for (const key of await store.tables.getAllKeys(table)) {
      if (key !== STORAGE_KEY) changes.delete(table, key);
    }
  }
  await store.commit(changes);
}

/** Where new keys are to be published. */
type Destination = Pick<Enrolment, "path" | "resetId">;

/** Make an account key with a first device and keep them, to be published where `destined` says. */
export async function makeKeys(
  store: Store,
  now: number,
  destined: (account: AccountKey) => Destination,
): Promise<void> {
  const account = newAccount(idBytes(store.userId));
  const { user, publicHalf: amkPub } = account;
  const device = await newDevice(user, amkPub, now);
  const recoveryKey = systemRandom(32);
  const words = generateWords();
  const bkPub = backupPublic(recoveryKey, user, 1);
  const list = firstDeviceList(account, [deviceEntry(device)], { time: now, bkPub });
  const { seed, prekey } = await newPrekey(device, { seq: 1, created: now });
  const blob = sealRecovery(account, recoveryKey, words, { version: 1 });
  const destination = destined(account);
  wipe(account.seed);
  const b64 = encodeBase64url;
  const published = {
    account_key: b64(amkPub),
    device_list: b64(list.data),
    list_sig: b64(list.sig),
    prekey: b64(prekey.data),
    prekey_sig: b64(prekey.sig),
    recovery_blob: b64(blob.data),
    recovery_sig: b64(blob.sig),
  };
  const changes = new Changes();
  await keepDevice(store, changes, device, { bkPub, bkVersion: 1 });
  await store.putFact(changes, "recovery", { recoveryKey, words } satisfies KeptRecovery, 0);
  const enrolment: Enrolment = { ...destination, accountKey: b64(amkPub), published };
  await store.putFact(changes, "enrolment", enrolment, 0);
  await keepFirstPrekey(store, changes, prekey, { seed, now });
  keepOwnLists(changes, { user, amkPub }, { earlier: [], newest: list, former: [] });
  await store.commit(changes);
}

/** Prepare to keep the first prekey of a new device. */
export async function keepFirstPrekey(
  store: Store,
  changes: Changes,
  { data, sig }: SignedPrekey,
  { seed, now }: { seed: Uint8Array; now: number },
): Promise<void> {
  const sealed = await store.seal("prekeys", 1, seed);
  const row = { seq: 1, data, sig, createdMs: now, published: true, seed: sealed };
  changes.set("prekeys", 1, row);
}

/** The own device lists, verified from the first on. */
export interface OwnLists {
  readonly earlier: readonly SignedDeviceList[];
  readonly newest: SignedDeviceList;
  /** Account keys that resets have ended, with the lists under them. */
  readonly former: readonly FormerKey[];
}

/** Prepare to keep the own device lists and to pin the own account. */
export function keepOwnLists(
  changes: Changes,
  { user, amkPub }: { user: Uint8Array; amkPub: Uint8Array },
  { earlier, newest, former }: OwnLists,
): void {
  keepFormer(changes, former);
  for (const signed of [...earlier, newest]) {
    const hash = hex(listHash(signed));
    changes.set("lists", hash, { hash, user: hex(user), data: signed.data, sig: signed.sig });
  }
  const known = { version: earlier.length + 1, listHash: listHash(newest) };
  const row = { user: hex(user), amkPub, ...known, prekeySeqs: new Map(), revision: 0 };
  changes.put("accounts", hex(user), row);
}
