/** A device's view of a room: head, roster, policies (docs/protocol.md §6, §7). */
import { type ClearState, HISTORY_OFF } from "./commit";
import {
  type DeviceList,
  type KnownList,
  type SignedDeviceList,
  listHash,
  parseDeviceList,
  verifyDeviceList,
} from "./device_list";
import { equalBytes, hex } from "./encoding";
import { ProtocolError } from "./errors";
import type { DeviceEntry } from "./identity";
import type { Member, Roster } from "./roster";

export const KEPT_COMMITS = 64;
const MOST_READ = 4096;

/**
 * Device lists that were read, by hash: what was read under a hash stays true.
 *
 * A client keeps one for all its rooms, so that a commit costs the reading of what it changes. It
 * says nothing about signatures: whatever is new to a roster is verified as it was served. Beyond
 * `limit` lists the ones that were read first are forgotten, and read again when needed.
 */
export class ReadLists {
  private readonly lists = new Map<string, DeviceList>();

  constructor(private readonly limit = MOST_READ) {}

  /** Give the list with this hexadecimal hash, or null when it was not read or is forgotten. */
  get(hash: string): DeviceList | null {
    return this.lists.get(hash) ?? null;
  }

  /** Keep what was read of the list with this hash; the caller has compared the hash. */
  keep(hash: string, list: DeviceList): void {
    this.lists.set(hash, list);
    const [first] = this.lists.keys();
    if (this.lists.size > this.limit && first !== undefined) this.lists.delete(first);
  }
}

/**
 * What a reader judges commits with. `lists` maps hexadecimal list hashes to device lists (as
 * served: they are verified here), `pins` maps hexadecimal users to the account key this client
 * knows, `serverKeys` are those of the pinned key log and of the logs before it, `read` is what
 * was read of lists before.
 */
export interface Trust {
  readonly lists: ReadonlyMap<string, SignedDeviceList>;
  readonly pins: ReadonlyMap<string, Uint8Array>;
  readonly serverKeys?: readonly Uint8Array[];
  readonly read?: ReadLists;
}

/** What device lists are found in. */
type Lists = Pick<Trust, "lists" | "read">;

/** Put device lists under the hashes by which rosters name them. */
export function listsByHash(lists: Iterable<SignedDeviceList>): Map<string, SignedDeviceList> {
  return new Map(Array.from(lists, (signed) => [hex(listHash(signed)), signed]));
}

/** Give the list with this hash; `reference` (with the hash) when it is not at hand. */
export function findList(trust: Pick<Trust, "lists">, hash: Uint8Array): SignedDeviceList {
  const signed = trust.lists.get(hex(hash));
  if (!signed || !equalBytes(listHash(signed), hash)) {
    throw new ProtocolError("reference", "a device list is not at hand", hash);
  }
  return signed;
}

function readList({ lists, read }: Lists, hash: Uint8Array): DeviceList {
  const name = hex(hash);
  const known = read?.get(name);
  if (known) return known;
  const list = parseDeviceList(findList({ lists }, hash).data);
  read?.keep(name, list);
  return list;
}

/** Read the list that a roster row names; `op_forbidden` when it is another account's. */
export function listOf(trust: Lists, member: Member): DeviceList {
  const list = readList(trust, member.listHash);
  const isTheirs =
    equalBytes(list.user, member.user) &&
    equalBytes(list.amkPub, member.amkPub) &&
    list.version === member.listVersion;
  if (!isTheirs) {
    throw new ProtocolError("op_forbidden", "a roster row that names another account's list");
  }
  return list;
}

/** Read and verify the list of a row that is new to the roster. */
export function verifiedListOf(trust: Lists, member: Member): DeviceList {
  listOf(trust, member);
  return verifyDeviceList(findList(trust, member.listHash), member.user, member.amkPub);
}

/** An entry's device and key as our maps have them: made once for a list that is kept. */
const NAMES = new WeakMap<DeviceEntry, { device: string; key: string }>();

function namesOf(entry: DeviceEntry): { device: string; key: string } {
  const names = NAMES.get(entry) ?? { device: hex(entry.device), key: hex(entry.dskPub) };
  NAMES.set(entry, names);
  return names;
}

/** A device of a roster and the account it belongs to. */
export interface Sender {
  readonly user: Uint8Array;
  readonly entry: DeviceEntry;
}

/** Senders by hexadecimal device id. */
export type Senders = ReadonlyMap<string, Sender>;

/** Give every device of a roster with its user; `roster` when two accounts share a key. */
export function sendersOf(roster: Roster, trust: Lists): Senders {
  const senders = new Map<string, Sender>();
  const keys = new Set<string>();
  for (const member of roster) {
    for (const entry of listOf(trust, member).entries) {
      const { device, key } = namesOf(entry);
      if (senders.has(device) || keys.has(key)) {
        throw new ProtocolError("roster", "one device key in two accounts");
      }
      senders.set(device, { user: member.user, entry });
      keys.add(key);
    }
  }
  return senders;
}

/**
 * What a device knows of a room after a commit; `title` is null while it is not readable.
 *
 * `recent` holds the hashes of the last 64 commits by epoch, `unsettled` the users whose account
 * key differs from the pin until a person has decided. `titleDue`: the head carries no title,
 * so whoever writes next and knows it commits first. `unkeptFrom` is the first epoch of
 * which no history is kept, null while it is kept of all. `formerTitle` is what it was called before
 * an epoch that did not open here, and that may have renamed it. Plain data that IndexedDB can store.
 */
export interface RoomView {
  readonly room: Uint8Array;
  readonly origin: Uint8Array;
  readonly epoch: number;
  readonly head: Uint8Array;
  readonly roster: Roster;
  readonly clear: ClearState;
  readonly title: string | null;
  readonly recent: ReadonlyMap<number, Uint8Array>;
  readonly unsettled: readonly Uint8Array[];
  readonly titleDue?: boolean;
  readonly unkeptFrom?: number | null;
  readonly formerTitle?: string | null;
}

/** Give the title, or the last one that this device knew. */
export function shownTitle({ title, formerTitle = null }: RoomView): string | null {
  return title ?? formerTitle;
}

/** Say whether what is written now comes back on a further device. */
export function keepsHistory({ clear }: Pick<RoomView, "clear">): boolean {
  return clear.historyPolicy !== HISTORY_OFF;
}

/** Add a commit to the recent ones and forget all but the last 64. */
export function remember(
  recent: ReadonlyMap<number, Uint8Array>,
  epoch: number,
  hash: Uint8Array,
): Map<number, Uint8Array> {
  const kept = [...recent].filter(([known]) => known > epoch - KEPT_COMMITS);
  return new Map(kept).set(epoch, hash);
}

/** Note that a person has looked at a changed account key. */
export function settle(view: RoomView, user: Uint8Array): RoomView {
  return { ...view, unsettled: view.unsettled.filter((other) => !equalBytes(other, user)) };
}

/** Name the members of whom a newer device list is known (by hexadecimal user) than the roster's. */
export function usersToRefresh(
  view: RoomView,
  known: ReadonlyMap<string, KnownList>,
): Uint8Array[] {
  return view.roster
    .filter((member) => (known.get(hex(member.user))?.version ?? 0) > member.listVersion)
    .map((member) => member.user);
}

/** Say whether this epoch may be written in: nobody unsettled, no device list outdated. */
export function maySeal(view: RoomView, known: ReadonlyMap<string, KnownList>): boolean {
  return view.unsettled.length === 0 && usersToRefresh(view, known).length === 0;
}
