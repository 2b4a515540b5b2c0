/** The cast: accounts with one device each, and rooms they are in, as a fair server hands them out. */
import {
  type Committer,
  type DeviceKeys,
  type EpochState,
  type Received,
  type RoomView,
  type SignedDeviceList,
  type SignedPrekey,
  type Trust,
  accountOf,
  backupPublic,
  createDirect,
  createGroup,
  deviceEntry,
  firstDeviceList,
  hex,
  listsByHash,
  newDevice,
  newPrekey,
  newSeedKey,
  parseCore,
  prekeyHash,
  prekeySource,
  ready,
  receiveCommit,
} from "../../src/crypto";
import type { AccountKey, Commit } from "../../src/crypto";
import { sha512 } from "../../src/crypto/primitives";
import { utf8 } from "../../src/crypto/encoding";

export const NOW = 1_760_000_000_000;
export const DAY = 24 * 3600 * 1000;

await ready;

/** Give repeatable bytes. */
export function seeded(seed: string): (size: number) => Uint8Array {
  let count = 0;
  return (size) => {
    count += 1;
    const blocks = Array.from({ length: Math.ceil(size / 64) }, (_, block) =>
      sha512(utf8(`${seed} ${count} ${block}`)),
    );
    return Uint8Array.from(blocks.flatMap((block) => [...block])).slice(0, size);
  };
}

/** One account with one device, and everything it would upload. */
export interface Person {
  name: string;
  account: AccountKey;
  keys: DeviceKeys;
  devices: SignedDeviceList;
  prekeySeed: Uint8Array;
  prekey: SignedPrekey;
  recoveryKey: Uint8Array;
}

/** Make the account and device that belong to a name. */
export async function person(name: string): Promise<Person> {
  const random = seeded(name);
  const account = accountOf(random(16), random(32));
  const recoveryKey = random(32);
  const keys = await newDevice(account.user, account.publicHalf, NOW, newSeedKey(random));
  const bkPub = backupPublic(recoveryKey, account.user, 1);
  const devices = firstDeviceList(account, [deviceEntry(keys)], { time: NOW, bkPub });
  const { seed, prekey } = await newPrekey(keys, { seq: 1, created: NOW, random });
  return { name, account, keys, devices, prekeySeed: seed, prekey, recoveryKey };
}

/** What a fair server would hand out: every list and prekey. */
export class World {
  constructor(readonly people: readonly Person[]) {}

  static async of(...names: string[]): Promise<World> {
    return new World(await Promise.all(names.map(person)));
  }

  get(name: string): Person {
    const found = this.people.find((one) => one.name === name);
    if (!found) throw new Error(`${name} is not in the cast`);
    return found;
  }

  get lists(): Map<string, SignedDeviceList> {
    return listsByHash(this.people.map((one) => one.devices));
  }

  get prekeys(): Map<string, SignedPrekey> {
    return new Map(this.people.map((one) => [hex(one.keys.device), one.prekey]));
  }

  trust(more: Partial<Trust> = {}): Trust {
    const pins = new Map(
      this.people.map((one) => [hex(one.account.user), one.account.publicHalf]),
    );
    return { lists: this.lists, pins, ...more };
  }

  committer(name: string, closing: EpochState | null = null): Committer {
    const { keys } = this.get(name);
    return { keys, lists: this.lists, prekeys: this.prekeys, now: NOW, closing };
  }

  source(name: string) {
    const { keys, prekey, prekeySeed } = this.get(name);
    return prekeySource(keys, new Map([[hex(prekeyHash(prekey)), prekeySeed]]));
  }

  /** Let a person's device receive a commit with its own prekey. */
  receive(
    name: string,
    view: RoomView | null,
    commit: Commit,
    trust: Trust = this.trust(),
  ): Promise<Received> {
    const room = view?.room ?? parseCore(commit.core).room;
    return receiveCommit(view, commit, { room, trust, source: this.source(name) });
  }

  /** Let several people receive a commit; `views` are what they know of the room. */
  async everyone(
    names: readonly string[],
    commit: Commit,
    views: ReadonlyMap<string, Received> = new Map(),
  ): Promise<Map<string, Received>> {
    const received = await Promise.all(
      names.map((name) => this.receive(name, views.get(name)?.view ?? null, commit)),
    );
    return new Map(names.map((name, at) => [name, received[at]!]));
  }

  /** Let the first one begin a group with the others, and everybody receive it. */
  async group(...names: string[]): Promise<Map<string, Received>> {
    const lists = names.map((name) => this.get(name).devices);
    const commit = await createGroup(this.committer(names[0]!), lists, { title: "garden" });
    return this.everyone(names, commit);
  }

  /** Let two people begin their direct room, and both receive it. */
  async direct(one: string, other: string): Promise<Map<string, Received>> {
    const [first, second] = [this.get(one).devices, this.get(other).devices];
    const commit = await createDirect(this.committer(one), first, second);
    return this.everyone([one, other], commit);
  }
}

/** Give the open epoch of somebody who has received a commit. */
export function epochOf(received: ReadonlyMap<string, Received>, name: string): EpochState {
  const epoch = received.get(name)?.epoch;
  if (!epoch?.opened) throw new Error(`${name} has no open epoch`);
  return epoch;
}

/** Give the view of somebody who has received a commit. */
export function viewOf(received: ReadonlyMap<string, Received>, name: string): RoomView {
  const view = received.get(name)?.view;
  if (!view) throw new Error(`${name} has no view`);
  return view;
}
