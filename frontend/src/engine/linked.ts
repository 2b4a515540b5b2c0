/** What a browser keeps that another device has linked (docs/protocol.md §3.8), all at once. */
import { entryOf, listHash, parseDeviceList, walkOwnLists } from "../crypto/device_list";
import { decodeBase64url, equalBytes, hex } from "../crypto/encoding";
import { ProtocolError } from "../crypto/errors";
import { historyWriter } from "../crypto/history";
import type { Linked, Pin } from "../crypto/linking";
import type { SignedPrekey } from "../crypto/prekeys";
import { publicOf } from "../crypto/xwing";
import type { Api } from "./api";
import { type OwnLists, keepFirstPrekey, keepOwnLists } from "./enrolment";
import { keepDevice } from "./keys";
import { refuse } from "./refusal";
import type { KeptHistory } from "./restoring";
import { Changes, type Store } from "./store/store";
import type { UserKeysJson } from "./wire";

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
  const bkPub = publicOf(linked.backupSeed);
  historyWriter(keys, list, bkPub, list.bkVersion);
  const changes = new Changes();
  await keepDevice(store, changes, keys, bkPub);
  await store.putFact(changes, "recovery", null, 0);
  await store.putFact(changes, "history", { backupSeed: linked.backupSeed } satisfies KeptHistory, 0);
  await store.putFact(changes, "pins", pinsOf(linked.pins), 0);
  await store.putFact(changes, "linked_head", linked.head, 0);
  await keepFirstPrekey(store, changes, prekey.prekey, prekey);
  const { user, amkPub } = keys;
  keepOwnLists(changes, { user, amkPub }, await ownLists(api, store, linked));
  await store.commit(changes);
}

function pinsOf(pins: readonly Pin[]): LinkedPins {
  return new Map(pins.map(({ user, ...pin }) => [hex(user), pin]));
}

/** All own lists up to the server's newest; the one of the answer must be among them. */
async function ownLists(api: Api, store: Store, { keys, devices }: Linked): Promise<OwnLists> {
  const path = `/api/users/${store.userId}/keys?after_version=0` as const;
  const lists = (await api.get<UserKeysJson>(path)).lists.map((item) => ({
    data: decodeBase64url(item.device_list),
    sig: decodeBase64url(item.list_sig, 64),
  }));
  const newest = lists.at(-1);
  const isAmongThem = lists.some((list) => equalBytes(listHash(list), listHash(devices)));
  try {
    walkOwnLists(lists, { user: keys.user, amkPub: keys.amkPub });
  } catch (error) {
    if (error instanceof ProtocolError) throw refuse("link_untrue");
    throw error;
  }
  if (!newest || !isAmongThem) throw refuse("link_untrue");
  return { earlier: lists.slice(0, -1), newest };
}
