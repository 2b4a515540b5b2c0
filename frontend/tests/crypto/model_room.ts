/** One room of three people with two devices each, and its honest log. */
import type { Commit } from "../../src/crypto/commit";
import type { Committer } from "../../src/crypto/committing";
import type { SignedDeviceList } from "../../src/crypto/device_list";
import { equalBytes, fromHex, hex } from "../../src/crypto/encoding";
import { parseEnvelope } from "../../src/crypto/envelope";
import { type RoomView, type Trust, sendersOf } from "../../src/crypto/epoch";
import { type DeviceKeys, newDevice } from "../../src/crypto/identity";
import { type SignedPrekey, newPrekey, prekeyHash } from "../../src/crypto/prekeys";
import { receiveCommit } from "../../src/crypto/receiving";
import { type Member, findMember } from "../../src/crypto/roster";
import { newSeedKey } from "../../src/crypto/signer";
import { prekeySource } from "../../src/crypto/sources";
import { type CommitIn, type SourceIn, readCommit, text } from "../../src/crypto/vector_values";
import { NOW, World, seeded } from "./cast";
import { type Came, DeviceReader, Kept, type Step, type Trace } from "./model_reader";

export const NAMES = ["alice", "bob", "carol"] as const;
export type Name = (typeof NAMES)[number];
/** The place of a commit among the trace's commits, or an envelope. */
type Item = number | Uint8Array;

/** One device of a person, with the items of the log that it has not been given yet. */
export interface Device {
  readonly at: number;
  readonly owner: Name;
  readonly keys: DeviceKeys;
  readonly prekey: SignedPrekey;
  readonly seed: Uint8Array;
  readonly reader: DeviceReader;
  readonly backups: Kept[];
  pending: number[];
}

export function pick<T>(number: number, things: readonly T[]): T {
  const found = things[number % things.length];
  if (found === undefined) throw new RangeError("there is nothing to pick from");
  return found;
}

export function written(commit: Commit): CommitIn {
  const { core, tag, sig, ops, state, prekeys, wraps } = commit;
  const parts = { core: text(core), tag: text(tag), sig: text(sig), ops: text(ops) };
  const rows = [...wraps].map(([device, wrap]): [string, string] => [text(fromHex(device)), text(wrap)]);
  return { ...parts, state: text(state), prekeys: text(prekeys), wraps: rows };
}

export class ModelRoom {
  protected readonly devices: Device[] = [];
  protected readonly lists = new Map<Name, SignedDeviceList>();
  protected readonly knownLists: Map<string, SignedDeviceList>;
  protected readonly trust: Trust;
  protected readonly log: Item[] = [];
  protected readonly texts = new Map<string, string>();
  protected readonly commits: CommitIn[] = [];
  protected readonly steps: Step[] = [];
  protected view: RoomView | null = null;

  protected constructor(
    protected readonly cast: World,
    protected readonly room: Uint8Array,
  ) {
    for (const name of NAMES) this.lists.set(name, cast.get(name).devices);
    this.knownLists = new Map(cast.lists);
    this.trust = { ...cast.trust(), lists: this.knownLists };
  }

  protected async addDevices(name: Name): Promise<void> {
    const { account, keys, prekey, prekeySeed } = this.cast.get(name);
    const random = seeded(`second device of ${name}`);
    const second = await newDevice(account.user, account.publicHalf, NOW, newSeedKey(random));
    const made = await newPrekey(second, { seq: 1, created: NOW, random });
    this.addDevice(name, keys, { prekey, seed: prekeySeed });
    this.addDevice(name, second, made);
  }

  protected addDevice(owner: Name, keys: DeviceKeys, { prekey, seed }: { prekey: SignedPrekey; seed: Uint8Array }): void {
    const source = prekeySource(keys, new Map([[hex(prekeyHash(prekey)), seed]]));
    const reader = new DeviceReader(this.room, this.trust, source);
    const at = this.devices.length;
    this.devices.push({ at, owner, keys, prekey, seed, reader, backups: [new Kept()], pending: [] });
  }

  finishedTrace(): Trace {
    const devices = this.devices.map(({ keys, prekey, seed }): SourceIn => {
      const prekeys: [string, string][] = [[text(prekeyHash(prekey)), text(seed)]];
      return { user: text(keys.user), device: text(keys.device), prekeys };
    });
    return {
      room: text(this.room),
      lists: [...this.knownLists.values()].map(({ data, sig }) => ({ data: text(data), sig: text(sig) })),
      pins: this.cast.people.map(({ account }) => [text(account.user), text(account.publicHalf)]),
      ...{ devices, commits: this.commits, steps: this.steps },
    };
  }

  // The log

  /** What somebody sees who verifies every commit and opens none. */
  protected get newest(): RoomView {
    if (!this.view) throw new RangeError("the room has begun");
    return this.view;
  }

  protected async append(item: Commit | Uint8Array): Promise<void> {
    if (item instanceof Uint8Array) this.log.push(item);
    else {
      this.log.push(this.commits.push(written(item)) - 1);
      const { view } = await receiveCommit(this.view, item, { room: this.room, trust: this.trust });
      this.view = view;
    }
    for (const device of this.devices) device.pending.push(this.log.length - 1);
  }

  /** Bring one item to one device, and write down what came of it. */
  protected async bring({ at, reader }: Device, item: Item): Promise<Came> {
    if (typeof item === "number") {
      const came = await reader.receive(readCommit(this.commits[item]!));
      this.steps.push({ device: at, commit: item, came });
      return came;
    }
    const came = reader.open(item);
    this.steps.push({ device: at, envelope: text(item), came });
    return came;
  }

  /** Bring what waits; what comes too early goes on waiting, as a client asks again. */
  protected async deliverAt(device: Device, at: number): Promise<void> {
    const item = this.log[device.pending[at]!]!;
    const [outcome] = await this.bring(device, item);
    if (outcome !== "epoch_gap" || !isEarly(device, item)) device.pending.splice(at, 1);
  }

  protected async catchUp(device: Device): Promise<void> {
    while (device.pending.length > 0) await this.deliverAt(device, 0);
  }

  /** Bring every commit, and what the device wrote itself: no counter is used twice. */
  protected async follow(device: Device): Promise<void> {
    for (const index of [...device.pending]) {
      const isNeeded = isNeededBy(device, this.log[index]!);
      if (isNeeded) await this.deliverAt(device, device.pending.indexOf(index));
    }
  }

  // Who is there

  protected present(): Device[] {
    const senders = sendersOf(this.newest.roster, this.trust);
    return this.devices.filter(({ keys }) => senders.has(hex(keys.device)));
  }

  protected rowOf(name: Name): Member | null {
    return findMember(this.newest.roster, this.cast.get(name).account.user);
  }

  protected admin(): Device {
    return pick(0, this.present().filter(({ owner }) => owner === "alice"));
  }

  /** The device, ready to commit: it knows the head, and perhaps not every message. */
  protected async by(device: Device): Promise<Committer> {
    await this.follow(device);
    const closing = device.reader.kept.epochs.get(this.newest.epoch) ?? null;
    const prekeys = new Map(this.devices.map(({ keys, prekey }) => [hex(keys.device), prekey]));
    return { keys: device.keys, lists: this.knownLists, prekeys, now: NOW, closing };
  }
}

export function isNeededBy({ keys }: Device, item: Item): boolean {
  return typeof item === "number" || equalBytes(parseEnvelope(item).header.pre.device, keys.device);
}

function isEarly({ reader }: Device, item: Item): boolean {
  const { view } = reader.kept;
  return !view || typeof item === "number" || parseEnvelope(item).header.pre.epoch > view.epoch;
}
