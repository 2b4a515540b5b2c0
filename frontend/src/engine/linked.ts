/** What a browser keeps that another device has linked (docs/protocol.md §3.8), all at once. */
import { entryOf, listHash, parseDeviceList, walkOwnLists } from "../crypto/device_list";
import { decodeBase64url, equalBytes, hex } from "../crypto/encoding";
import { ProtocolError } from "../crypto/errors";
import { historyWriter } from "../crypto/history";
import type { Linked, Pin } from "../crypto/linking";
import type { SignedPrekey } from "../crypto/prekeys";
import { backupSeeds } from "../crypto/renewal";
import { publicOf } from "../crypto/xwing";
import type { Api } from "./api";
import { type OwnLists, keepFirstPrekey, keepOwnLists } from "./enrolment";
import { type FormerKey, readFormer } from "./former_keys";
import { keepDevice } from "./keys";
import { carriesOf } from "./recovery";
import { refuse } from "./refusal";
import type { KeptHistory } from "./restoring";
import { Changes, type Store } from "./store/store";
import type { RecoveryJson, UserKeysJson } from "./wire";

/** The fact "pins": what the linking device knew of contacts, by hexadecimal user. */
export type LinkedPins = ReadonlyMap<string, Omit<Pin, "user">>;

/**
 * Make this browser the device that an answer names, its own lists fetched and verified.
 * Refuses `link_untrue` when the answer and the server's lists are of two histories.
 */
export async function keepLinked(
  { store, api }: { store: Store; api: Api },
  linked: Linked,
  prekey: { prekey: SignedPrekey; seed: Uint8Array; now: number },
): Promise<void> {
  const list = parseDeviceList(linked.devices.data);
  const entry = entryOf(list, linked.keys.device);
  // An old device that gives no history leaves this one unable to write any.
  if (!entry || linked.backupSeed.length === 0) throw refuse("link_untrue");
  const keys = { ...linked.keys, created: entry.created };
  const backup = { bkPub: publicOf(linked.backupSeed), bkVersion: list.bkVersion };
  historyWriter(keys, list, backup.bkPub, backup.bkVersion);
  const lists = await ownLists(api, store, linked);
  const seeds = await seedsOf(api, linked, lists);
  const changes = new Changes();
  await keepDevice(store, changes, keys, backup);
  await store.putFact(changes, "recovery", null, 0);
  await store.putFact(changes, "history", { seeds } satisfies KeptHistory, 0);
  await store.putFact(changes, "pins", pinsOf(linked.pins), 0);
  await store.putFact(changes, "linked_head", linked.head, 0);
  await keepFirstPrekey(store, changes, prekey.prekey, prekey);
  const { user, amkPub } = keys;
  keepOwnLists(changes, { user, amkPub }, lists);
  await store.commit(changes);
}

function pinsOf(pins: readonly Pin[]): LinkedPins {
  return new Map(pins.map(({ user, ...pin }) => [hex(user), pin]));
}

/** The seeds of backup keys by version: the answer's, and those that were carried to it since. */
async function seedsOf(api: Api, linked: Linked, lists: OwnLists): Promise<Map<number, Uint8Array>> {
  const { version, bkVersion } = parseDeviceList(linked.devices.data);
  if (bkVersion === 1) return new Map([[1, linked.backupSeed]]);
  const read = [...lists.earlier, lists.newest].map(({ data }) => parseDeviceList(data));
  const known = read.filter((list) => list.version <= version);
  const carries = carriesOf(await api.get<RecoveryJson>("/api/me/recovery"));
  return backupSeeds(linked.backupSeed, known, carries);
}

/** All own lists up to the server's newest; the one of the answer must be among them. */
async function ownLists(api: Api, store: Store, { keys, devices }: Linked): Promise<OwnLists> {
  const path = `/api/users/${store.userId}/keys?after_version=0` as const;
  const answer = await api.get<UserKeysJson>(path);
  const lists = answer.lists.map((item) => ({
    data: decodeBase64url(item.device_list),
    sig: decodeBase64url(item.list_sig, 64),
  }));
  const newest = lists.at(-1);
  const isAmongThem = lists.some((list) => equalBytes(listHash(list), listHash(devices)));
  const own = { user: keys.user, amkPub: keys.amkPub };
  let former: readonly FormerKey[];
  try {
    former = readFormer(answer.former ?? [], own);
    walkOwnLists(lists, own);
  } catch (error) {
    if (error instanceof ProtocolError) throw refuse("link_untrue");
    throw error;
  }
  if (!newest || !isAmongThem) throw refuse("link_untrue");
  return { earlier: lists.slice(0, -1), newest, former };
}
