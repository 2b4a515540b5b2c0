/** History records: epoch secrets that only the recovery key opens (docs/protocol.md §5.4). */
import {
  type Commit,
  HISTORY_OFF,
  commitHash,
  confirmTag,
  coreHash,
  parseCore,
  parseState,
} from "./commit";
import { type DeviceList, entryOf } from "./device_list";
import { KEY_SIZE, SUITE_BYTE, concat, equalBytes, lp, u64, utf8 } from "./encoding";
import { ProtocolError } from "./errors";
import { type DeviceKeys, signAsDevice } from "./identity";
import {
  type Random,
  TAG_SIZE,
  ZERO_NONCE,
  aeadOpen,
  aeadSeal,
  h,
  kdf,
  same,
  systemRandom,
  verify,
} from "./primitives";
import { CIPHERTEXT_SIZE, XWingError, decapsulate, encapsulate } from "./xwing";

export const RECORD_SIZE = CIPHERTEXT_SIZE + KEY_SIZE + TAG_SIZE;

/** Which epoch of which room, on which branch. */
export interface EpochName {
  readonly room: Uint8Array;
  readonly epoch: number;
  readonly commitHash: Uint8Array;
}

/** One epoch's secret sealed to the account's backup key, signed by the device that wrote it. */
export interface HistoryRecord {
  readonly name: EpochName;
  readonly bkVersion: number;
  readonly writer: Uint8Array;
  readonly record: Uint8Array;
  readonly sig: Uint8Array;
}

/** A device that writes history: its keys and the backup key of its own device list. */
export interface HistoryWriter {
  readonly keys: DeviceKeys;
  readonly bkVersion: number;
  readonly bkPub: Uint8Array;
}

/** Accept a backup key for writing; `recovery` unless the own device list names it. */
export function historyWriter(
  keys: DeviceKeys,
  ownList: DeviceList,
  bkPub: Uint8Array,
  knownBkVersion = 0,
): HistoryWriter {
  if (!equalBytes(h("bk", bkPub), ownList.bkHash) || ownList.bkVersion < knownBkVersion) {
    throw new ProtocolError("recovery", "a backup key that the own device list does not name");
  }
  return { keys, bkVersion: ownList.bkVersion, bkPub };
}

function associatedData(user: Uint8Array, bkVersion: number, name: EpochName): Uint8Array {
  const { room, epoch, commitHash } = name;
  return lp(utf8("history"), SUITE_BYTE, user, u64(bkVersion), room, u64(epoch), commitHash);
}

/** Seal an epoch secret to the backup key; 1168 bytes and a signature. */
export async function sealHistory(
  writer: HistoryWriter,
  name: EpochName,
  secret: Uint8Array,
  random: Random = systemRandom,
): Promise<HistoryRecord> {
  const { keys, bkVersion } = writer;
  const ad = associatedData(keys.user, bkVersion, name);
  const { ciphertext, sharedSecret } = encapsulate(writer.bkPub, random);
  const sealed = aeadSeal(kdf(sharedSecret, "history", ad), ZERO_NONCE, secret, ad);
  const record = concat(ciphertext, sealed);
  const sig = await signAsDevice(keys, "history", h("history", lp(ad, record)));
  return { name, bkVersion, writer: keys.device, record, sig };
}

/** What a record is judged by: the commit of its epoch, and what that says of the room. */
export type RecordedCommit = Pick<Commit, "core" | "tag" | "state">;

/** Whose record it must be: the own account, its device list, and the backup key's seed. */
export interface OwnHistory {
  readonly user: Uint8Array;
  readonly devices: DeviceList;
  readonly backupSeed: Uint8Array;
}

/**
 * Open a record of the own account and check its secret against the commit's tag, because anyone
 * can encrypt to a public key.
 *
 * Refuses `signature` for a writer that the own list does not name, and `recovery` for a record
 * that does not open, or opens to another secret than the commit's, or is of an epoch that keeps no
 * history.
 */
export function openHistory(
  record: HistoryRecord,
  commit: RecordedCommit,
  { user, devices, backupSeed }: OwnHistory,
): Uint8Array {
  const entry = entryOf(devices, record.writer);
  if (!entry) throw new ProtocolError("signature", "a history record by an unknown device");
  const ad = associatedData(user, record.bkVersion, record.name);
  verify(entry.dskPub, "history", h("history", lp(ad, record.record)), record.sig);
  const isOfCommit = equalBytes(record.name.commitHash, commitHash(commit));
  if (record.record.length !== RECORD_SIZE || !isOfCommit) {
    throw new ProtocolError("recovery", "a history record of another length or commit");
  }
  demandKept(commit);
  const secret = unseal(record.record, ad, backupSeed);
  if (!same(confirmTag(secret, coreHash(commit)), commit.tag)) {
    throw new ProtocolError("recovery", "a history record with another secret");
  }
  return secret;
}

/** Refuse what somebody wrote for a room that agreed to keep nothing (§6.4). */
function demandKept({ core, state }: RecordedCommit): void {
  const isNamed = equalBytes(h("state", state), parseCore(core).stateHash);
  if (isNamed && parseState(state).clear.historyPolicy !== HISTORY_OFF) return;
  throw new ProtocolError("recovery", "a history record of an epoch that keeps no history");
}

/**
 * Open a record with a former backup seed and seal it again to the writer's backup key. Refuses as
 * `openHistory`: what is not the commit's secret never takes a good record's place.
 */
export async function resealHistory(
  record: HistoryRecord,
  commit: RecordedCommit,
  writer: HistoryWriter,
  own: Omit<OwnHistory, "user">,
): Promise<HistoryRecord> {
  const secret = openHistory(record, commit, { ...own, user: writer.keys.user });
  return sealHistory(writer, record.name, secret);
}

function unseal(record: Uint8Array, ad: Uint8Array, backupSeed: Uint8Array): Uint8Array {
  try {
    const shared = decapsulate(backupSeed, record.slice(0, CIPHERTEXT_SIZE));
    const sealed = record.slice(CIPHERTEXT_SIZE);
    return aeadOpen(kdf(shared, "history", ad), ZERO_NONCE, sealed, ad);
  } catch (error) {
    if (error instanceof XWingError || error instanceof ProtocolError) {
      throw new ProtocolError("recovery", "a history record does not open");
    }
    throw error;
  }
}
