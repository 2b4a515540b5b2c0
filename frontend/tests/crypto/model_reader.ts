/**
 * Devices that read what a trace brings them: the twin of tests/crypto_client/model_reader.py,
 * which says what a trace is.
 */
import { isDeepStrictEqual } from "node:util";
import type { Commit } from "../../src/crypto/commit";
import { fromHex, hex } from "../../src/crypto/encoding";
import { parseEnvelope } from "../../src/crypto/envelope";
import { ReadLists, type RoomView, type Trust } from "../../src/crypto/epoch";
import { ProtocolError } from "../../src/crypto/errors";
import { type Known, type MessageIndex, type OpenedMessage, openMessage } from "../../src/crypto/opening";
import { type EpochState, closeEpoch } from "../../src/crypto/ratchet";
import { type Received, receiveCommit } from "../../src/crypto/receiving";
import { rosterHash } from "../../src/crypto/roster";
import type { EpochSource } from "../../src/crypto/sources";
import {
  type Bytes,
  type CommitIn,
  type SignedIn,
  type SourceIn,
  raw,
  readCommit,
  readSource,
  readTrust,
  text,
} from "../../src/crypto/vector_values";

export type Came = unknown[];

export interface Step {
  readonly device: number;
  readonly came: Came;
  readonly commit?: number;
  readonly envelope?: Bytes;
  readonly back_to?: number;
  readonly keep?: true;
}

export interface Trace {
  readonly room: Bytes;
  readonly lists: readonly SignedIn[];
  readonly pins: readonly [Bytes, Bytes][];
  readonly devices: readonly SourceIn[];
  readonly commits: readonly CommitIn[];
  readonly steps: readonly Step[];
}

/** What a device has in its store. */
export class Kept {
  view: RoomView | null = null;
  epochs = new Map<number, EpochState>();
  byId = new Map<string, Known>();
  byCounter = new Map<string, Known>();
  shown = new Map<string, string | null>();

  /** As a backup of the profile would be: states are never changed in place. */
  copy(): Kept {
    const other = new Kept();
    other.view = this.view;
    other.epochs = new Map(this.epochs);
    other.byId = new Map(this.byId);
    other.byCounter = new Map(this.byCounter);
    other.shown = new Map(this.shown);
    return other;
  }
}

/** The name under which a message is shown. */
export const nameOf = (device: Uint8Array, msgId: Uint8Array): string => `${hex(device)} ${hex(msgId)}`;

/** One device and its store; every step is one transaction. */
export class DeviceReader {
  kept = new Kept();
  private readonly read = new ReadLists();
  private readonly few = new ReadLists(2);

  constructor(
    private readonly room: Uint8Array,
    private readonly trust: Trust,
    readonly source: EpochSource & { readonly device: Uint8Array },
  ) {}

  /** Take a commit with the own wrap: outcome, place, head, roster, chains. */
  async receive(commit: Commit): Promise<Came> {
    const { trust, source, kept, read, few } = this;
    const device = hex(source.device);
    const wraps = new Map([...commit.wraps].filter(([owner]) => owner === device));
    const own = { ...commit, wraps };
    const received = await this.received(own, { ...trust, read });
    // What was read of lists before decides nothing, however much of it is still there.
    for (const other of [new ReadLists(), few]) {
      const again = await this.received(own, { ...trust, read: other });
      if (!isDeepStrictEqual(again, received)) throw new Error("what was read decided something");
    }
    if (typeof received === "string") return [received];
    if (received.ignored) return ["ignored"];
    const { view, epoch, cuts } = received;
    const closing = kept.epochs.get(view.epoch - 1);
    if (closing && cuts.size > 0) kept.epochs.set(closing.epoch, closeEpoch(closing, cuts));
    if (epoch) kept.epochs.set(view.epoch, epoch);
    kept.view = view;
    return cameOf(received);
  }

  private async received(commit: Commit, trust: Trust): Promise<Received | string> {
    const { room, source } = this;
    try {
      return await receiveCommit(this.kept.view, commit, { room, trust, source });
    } catch (error) {
      return outcomeOf(error);
    }
  }

  /** Take an envelope: outcome, and the text when it opened. */
  open(envelope: Uint8Array): Came {
    const { kept, room } = this;
    try {
      const state = kept.epochs.get(parseEnvelope(envelope).header.pre.epoch) ?? null;
      const { epoch, message, again, outcome } = openMessage(envelope, state, { room, index: this.index });
      if (!message || !epoch) return ["known"];
      kept.epochs.set(epoch.epoch, epoch);
      if (again) return ["again"];
      if (outcome === "ok") this.remember(message);
      return [outcome, message.body.text];
    } catch (error) {
      return [outcomeOf(error)];
    }
  }

  private remember({ pre, eid, body, key }: OpenedMessage): void {
    const known = { eid, body: body.data, key };
    const name = nameOf(pre.device, pre.msgId);
    this.kept.byId.set(name, known);
    this.kept.byCounter.set(`${hex(pre.device)} ${pre.epoch}/${pre.n}`, known);
    this.kept.shown.set(name, body.text);
  }

  private readonly index: MessageIndex = {
    has: (eid) => [...this.kept.byId.values()].some((known) => hex(known.eid) === hex(eid)),
    byId: (device, msgId) => this.kept.byId.get(nameOf(device, msgId)) ?? null,
    byCounter: (device, epoch, n) => this.kept.byCounter.get(`${hex(device)} ${epoch}/${n}`) ?? null,
  };
}

function outcomeOf(error: unknown): string {
  if (error instanceof ProtocolError) return error.outcome;
  throw error;
}

function cameOf({ outcome, view, epoch, cuts }: Received): Came {
  const byDevice = <T>(pairs: Iterable<[string, T]>) =>
    [...pairs].sort(([one], [other]) => (one < other ? -1 : 1));
  const keys = byDevice(epoch?.chains ?? []).map(([device, { key }]) => [text(fromHex(device)), text(key)]);
  const ends = byDevice(cuts).map(([device, n]) => [text(fromHex(device)), n]);
  return [outcome, view.epoch, text(view.head), text(rosterHash(view.roster)), keys, ends];
}

/** Let every device of a trace take its steps; gives what came of each. */
export async function replay(trace: Trace): Promise<Came[]> {
  const trust = readTrust({ lists: [...trace.lists], pins: [...trace.pins], server_key: null });
  const readers = trace.devices.map((one) => {
    const source = readSource(one);
    if (!source) throw new RangeError("a device has prekeys");
    return new DeviceReader(raw(trace.room), trust, source);
  });
  const backups = readers.map(() => [new Kept()]);
  const came: Came[] = [];
  for (const step of trace.steps) {
    const { device, commit, envelope, back_to: chosen } = step;
    const reader = readers[device]!;
    if (commit !== undefined) came.push(await reader.receive(readCommit(trace.commits[commit]!)));
    else if (envelope !== undefined) came.push(reader.open(raw(envelope)));
    else if (chosen !== undefined) {
      reader.kept = backups[device]![chosen]!.copy();
      came.push(["back"]);
    } else {
      backups[device]!.push(reader.kept.copy());
      came.push(["kept"]);
    }
  }
  return came;
}
