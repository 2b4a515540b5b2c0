/**
 * Epochs of before this browser was a device: their secrets come out of the history records of
 * the own account (docs/protocol.md §5.4) and are judged by the chain like any other.
 */
import { type Commit, commitHash } from "../crypto/commit";
import { type DeviceList, entryOf, parseDeviceList } from "../crypto/device_list";
import { decodeBase64url, hex } from "../crypto/encoding";
import { ProtocolError } from "../crypto/errors";
import {
  type HistoryRecord,
  type HistoryWriter,
  type OwnHistory,
  type RecordedCommit,
  openHistory,
  resealHistory,
} from "../crypto/history";
import { wipe } from "../crypto/primitives";
import { type EpochSource, historySource } from "../crypto/sources";
import type { Id } from "./contract";
import type { Core } from "./core";
import { idBytes, isId } from "./ids";
import type { KeptHistory } from "./restoring";
import type { HistoryRecordJson } from "./wire";

const PAGE = 100;

/** Say whether rooms are still to be followed with the recovery key's help. */
export async function isRestoring(core: Core): Promise<boolean> {
  return Boolean((await core.store.fact<KeptHistory>("history")).value);
}

/** Every room was followed: nothing opens history records here any more. */
export async function endRestoring(core: Core): Promise<void> {
  if (!(await isRestoring(core))) return;
  await core.store.setFact("history", null satisfies KeptHistory);
  core.changed({ rooms: [] });
}

/** What opens records: seeds by version of the backup key, under the present account key or another. */
export interface RecordKeys {
  readonly seeds: ReadonlyMap<number, Uint8Array>;
  readonly amkPub?: Uint8Array;
}

export class HistoryReader {
  private own: DeviceList[] = [];

  private constructor(
    private readonly core: Core,
    readonly roomId: Id,
    /** By version of the backup key. */
    private readonly seeds: ReadonlyMap<number, Uint8Array>,
    /** Whose devices wrote the records: the present account key's, or a former one's. */
    private readonly amkPub: Uint8Array,
  ) {}

  /** Give the reader of a room's records; null when there is nothing to restore. */
  static async load(core: Core, roomId: Id): Promise<HistoryReader | null> {
    const kept = (await core.store.fact<KeptHistory>("history")).value;
    return kept ? HistoryReader.of(core, roomId, { seeds: kept.seeds }) : null;
  }

  /** Give the reader of a room's records for these seeds, by version of the backup key. */
  static of(core: Core, roomId: Id, { seeds, amkPub }: RecordKeys): HistoryReader {
    return new HistoryReader(core, roomId, seeds, amkPub ?? core.keyring.device.amkPub);
  }

  /** Forget the keys. */
  close(): void {
    for (const seed of this.seeds.values()) wipe(seed);
  }

  /** Say whether a device of this account key has written one of these records. */
  async hasWritten(records: readonly HistoryRecordJson[]): Promise<boolean> {
    return (await this.written(records)).length > 0;
  }

  /** Give those of these records that a device of this account key has written. */
  async written(records: readonly HistoryRecordJson[]): Promise<HistoryRecordJson[]> {
    const writers = new Set<Id>();
    for (const device of new Set(records.map((json) => json.writer_device).filter(isId))) {
      if (await this.listNaming(idBytes(device))) writers.add(device);
    }
    return records.filter((json) => writers.has(json.writer_device));
  }

  /** Fetch the own records of these epochs, of every device that wrote one. */
  async records(after: number, upto: number): Promise<HistoryRecordJson[]> {
    const all: HistoryRecordJson[] = [];
    for (let from = after; ; ) {
      const path = `/api/rooms/${this.roomId}/history-records?after=${from}`;
      const { records } = await this.core.api.get<{ records: HistoryRecordJson[] }>(path);
      const last = records.at(-1)?.epoch ?? upto;
      // A page may end between two writers of one epoch: that epoch is asked for again.
      const isWhole = records.length < PAGE || last > upto || last - 1 <= from;
      all.push(...records.filter(({ epoch }) => epoch <= upto && (isWhole || epoch < last)));
      if (isWhole) return all;
      from = last - 1;
    }
  }

  /** Give what opens a commit's epoch; null when none of the records is this account's own. */
  async source(
    commit: Commit,
    epoch: number,
    records: readonly HistoryRecordJson[],
  ): Promise<EpochSource | null> {
    const opened = await this.first(epoch, records, (record, own) => {
      return Promise.resolve(openHistory(record, commit, own));
    });
    if (!opened) return null;
    const { user } = this.core.keyring.device;
    return historySource(user, new Map([[hex(commitHash(commit)), opened]]));
  }

  /** Seal a commit's secret again to the writer's backup key; null when no record of it opens. */
  reseal(
    commit: RecordedCommit,
    epoch: number,
    { records, writer }: { records: readonly HistoryRecordJson[]; writer: HistoryWriter },
  ): Promise<HistoryRecord | null> {
    return this.first(epoch, records, (record, own) => resealHistory(record, commit, writer, own));
  }

  /** Anyone may have put a record there: the next writer's may be the true one. */
  private async first<T>(
    epoch: number,
    records: readonly HistoryRecordJson[],
    use: (record: HistoryRecord, own: OwnHistory) => Promise<T>,
  ): Promise<T | null> {
    for (const json of records.filter((one) => one.epoch === epoch)) {
      try {
        const read = await this.read(json);
        if (read) return await use(read.record, read.own);
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
      }
    }
    return null;
  }

  private async read(
    json: HistoryRecordJson,
  ): Promise<{ record: HistoryRecord; own: OwnHistory } | null> {
    const { user } = this.core.keyring.device;
    const backupSeed = this.seeds.get(json.bk_version);
    if (!isId(json.writer_device) || !backupSeed) return null;
    const writer = idBytes(json.writer_device);
    const devices = await this.listNaming(writer);
    if (!devices) return null;
    const record = {
      name: {
        room: idBytes(this.roomId),
        epoch: json.epoch,
        commitHash: decodeBase64url(json.commit_hash, 32),
      },
      bkVersion: json.bk_version,
      writer,
      record: decodeBase64url(json.record),
      sig: decodeBase64url(json.sig, 64),
    };
    return { record, own: { user, devices, backupSeed } };
  }

  /** An own list, of any version, that names a device: they were verified when they were kept. */
  private async listNaming(device: Uint8Array) {
    const names = (list: DeviceList) => entryOf(list, device) !== null;
    const known = this.own.find(names);
    if (known) return known;
    this.own = await this.ownLists();
    return this.own.find(names) ?? null;
  }

  private async ownLists(): Promise<DeviceList[]> {
    const { user } = this.core.keyring.device;
    const signed = await this.core.people.ownLists({ user, amkPub: this.amkPub });
    return signed.map(({ data }) => parseDeviceList(data));
  }
}
