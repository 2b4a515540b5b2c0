/** The tables of one account in this browser, and how they came to be. */
import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { KeyLogClaim } from "../../crypto/body";
import type { NewestLeaf, ResetLeaf } from "../../crypto/key_log";
import type { Failure, Id, MessageState, Unreadable } from "../contract";
import type { Sealed } from "./vault";

export const SCHEMA_VERSION = 3;

/** Every row that is read, computed on and written back; a writer aborts if it changed. */
export interface Revised {
  revision: number;
}

export interface SealedRow extends Revised {
  sealed: Sealed;
}

/** A place in a room's log, or (seq 0) a message that has none yet. */
export interface ItemRow extends Revised {
  roomId: Id;
  /** "message/<fingerprint>", "commit/<hash>", "leave/<hash>" or "again/<place>". */
  key: string;
  /** again: a place where the log repeats what has its place already; nothing is shown. */
  kind: "message" | "commit" | "leave" | "again";
  seq: number;
  /** open: shown. held: waits for its epoch. closed: never opens, `reason` says why. */
  status: "open" | "held" | "closed";
  reason: Unreadable | null;
  /** What enters the log hash: fingerprint, commit hash or hash of the event. */
  eid: Uint8Array;
  /** The rolling hash up to here, where the log is known without a hole. */
  log: Uint8Array | null;
  device: Id;
  user: Id;
  messageId: Id;
  epoch: number;
  n: number;
  /** Counts as a message (class 1). */
  counts: boolean;
  envelope: Uint8Array | null;
  acceptedMs: number;
  keyId: number;
  stamp: Uint8Array;
  /** The archived message key, sealed. */
  messageKey: Sealed | null;
  /** What it said, sealed, where the key was let go. */
  words?: Sealed | null;
}

/** One sealing of an outgoing message: exact bytes, resent while their epoch is the head. */
export interface Attempt {
  epoch: number;
  n: number;
  commitHash: Uint8Array;
  envelope: Uint8Array;
  eid: Uint8Array;
  messageKey: Sealed;
  /** These bytes left once, and the server refused them: they are in no log. */
  isRefused?: boolean;
}

export interface OutboxRow extends Revised {
  roomId: Id;
  messageId: Id;
  /** Place in line; grows. */
  order: number;
  createdMs: number;
  state: MessageState;
  failure: Failure | null;
  /** What was typed, or the members of a note, sealed. */
  text: Sealed;
  /** A note of the own room: silent, and nothing that anybody waits for. */
  isNote?: true;
  /** Nobody wants it sent any more, but it may be stored: not shown before the log shows it. */
  isGivenUp?: true;
  attempts: Attempt[];
  /** The last attempt was refused: seal again, in another epoch. */
  sealAgain: boolean;
  acceptedMs: number;
  keyId: number;
  stamp: Uint8Array;
}

export interface PrekeyRow {
  seq: number;
  data: Uint8Array;
  sig: Uint8Array;
  createdMs: number;
  published: boolean;
  seed: Sealed;
}

/** A pinned account key and the newest device list ever verified for it. */
export interface AccountRow extends Revised {
  /** Another account key that the server calls this person's now: a person decides about it. */
  offered?: Uint8Array;
  user: string;
  amkPub: Uint8Array;
  version: number;
  listHash: Uint8Array;
  /** The highest number of a verified prekey, by hexadecimal device. */
  prekeySeqs: ReadonlyMap<string, number>;
}

export interface ListRow {
  hash: string;
  user: string;
  data: Uint8Array;
  sig: Uint8Array;
}

/** A history record that the server has not confirmed yet. */
export interface HistoryRow {
  roomId: Id;
  epoch: number;
  commitHash: Uint8Array;
  bkVersion: number;
  record: Uint8Array;
  sig: Uint8Array;
}

/** The newest leaf of a label of the key log, which is hexadecimal here. */
export interface LabelRow extends NewestLeaf {
  label: string;
}

/** A verified reset that led from one account key to the next; all of it hexadecimal. */
export interface ResetRow {
  user: string;
  amkOld: string;
  amkNew: string;
  resetId: string;
}

/** The root of a key log at a size that this browser has passed. */
export interface RootRow {
  log: number;
  size: number;
  root: Uint8Array;
}

/** What the writer of a message saw of the key log, where it is longer than ours, or another. */
export interface ClaimRow extends KeyLogClaim {
  roomId: Id;
  key: string;
  state: "waiting" | "split";
}

export interface Tables extends DBSchema {
  keys: { key: string; value: { name: string; key: CryptoKey } };
  facts: { key: string; value: SealedRow & { name: string } };
  prekeys: { key: number; value: PrekeyRow };
  accounts: { key: string; value: AccountRow };
  lists: { key: string; value: ListRow };
  rooms: { key: Id; value: SealedRow & { roomId: Id } };
  epochs: { key: [Id, number]; value: SealedRow & { roomId: Id; epoch: number } };
  lines: { key: [Id, number]; value: SealedRow & { roomId: Id; epoch: number } };
  items: {
    key: [Id, string];
    value: ItemRow;
    indexes: {
      bySeq: [Id, number];
      byMessage: [Id, Id, Id];
      byCounter: [Id, Id, number, number];
      byStatus: [Id, string];
    };
  };
  outbox: { key: [Id, Id]; value: OutboxRow };
  drafts: { key: Id; value: SealedRow & { roomId: Id } };
  history: { key: [Id, number]; value: HistoryRow };
  labels: { key: string; value: LabelRow };
  roots: { key: [number, number]; value: RootRow };
  claims: { key: [Id, string]; value: ClaimRow };
  resets: { key: [string, string]; value: ResetRow };
  resetLeaves: { key: [string, string]; value: ResetLeaf };
}

export type TableName = keyof {
  [K in keyof Tables as string extends K ? never : number extends K ? never : K]: true;
};
export type Database = IDBPDatabase<Tables>;
export type Row<T extends TableName> = Tables[T]["value"];
export type Key<T extends TableName> = Tables[T]["key"];

/** The key path of each table. */
const KEY_PATHS = {
  keys: "name",
  facts: "name",
  prekeys: "seq",
  accounts: "user",
  lists: "hash",
  rooms: "roomId",
  epochs: ["roomId", "epoch"],
  lines: ["roomId", "epoch"],
  items: ["roomId", "key"],
  outbox: ["roomId", "messageId"],
  drafts: "roomId",
  history: ["roomId", "epoch"],
  labels: "label",
  roots: ["log", "size"],
  claims: ["roomId", "key"],
  resets: ["user", "amkOld"],
  resetLeaves: ["label", "resetId"],
} as const satisfies Record<TableName, string | readonly string[]>;

export const TABLES = Object.keys(KEY_PATHS) as TableName[];

/** The tables that belong to a room and go with it. */
export const ROOM_TABLES = ["epochs", "lines", "items", "outbox", "history"] as const;

const SINCE_2 = ["labels", "roots", "claims"] as const satisfies readonly TableName[];
const SINCE_3 = ["resets", "resetLeaves"] as const satisfies readonly TableName[];
const LATER: readonly string[] = [...SINCE_2, ...SINCE_3];
const SINCE_1 = TABLES.filter((table) => !LATER.includes(table));

function create(database: Database, tables: readonly TableName[]): void {
  for (const table of tables) {
    const keyPath = KEY_PATHS[table];
    database.createObjectStore(table, {
      keyPath: typeof keyPath === "string" ? keyPath : [...keyPath],
    });
  }
}

/** One function for each version, from the one before it. */
const MIGRATIONS: readonly ((database: Database, upgrade: IDBTransaction) => void)[] = [
  (database, upgrade) => {
    create(database, SINCE_1);
    const items = upgrade.objectStore("items");
    items.createIndex("bySeq", ["roomId", "seq"]);
    items.createIndex("byMessage", ["roomId", "device", "messageId"]);
    items.createIndex("byCounter", ["roomId", "device", "epoch", "n"]);
    items.createIndex("byStatus", ["roomId", "status"]);
  },
  (database) => create(database, SINCE_2),
  (database) => create(database, SINCE_3),
];

/** The name of an account's database. */
export function databaseName(userId: Id): string {
  return `gamrae:${userId}`;
}

/**
 * Open an account's tables, made or migrated as needed. `onBlocking` is called when another tab
 * wants to delete or upgrade them: whoever holds them open must close.
 */
export function openTables(userId: Id, onBlocking: () => void): Promise<Database> {
  return openDB<Tables>(databaseName(userId), SCHEMA_VERSION, {
    upgrade(database, oldVersion, _newVersion, transaction) {
      const upgrade = transaction as unknown as IDBTransaction;
      for (const migrate of MIGRATIONS.slice(oldVersion)) migrate(database, upgrade);
    },
    blocking: onBlocking,
  });
}
