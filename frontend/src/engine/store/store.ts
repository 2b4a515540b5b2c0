/**
 * One account's tables: read rows, compute, and write all of the result in one durable
 * transaction that aborts if somebody else changed what was read.
 */
import { deleteDB } from "idb";
import type { Id } from "../contract";
import {
  type Database,
  type Key,
  type Revised,
  type Row,
  type TableName,
  databaseName,
  openTables,
} from "./schema";
import { type Sealed, Vault } from "./vault";

/** Under which name the key that seals everything else stands. */
export const STORAGE_KEY = "storage";

/** Another tab, or a lock that was thought to be held, changed a row in between: read again. */
export class Conflict extends Error {
  override readonly name = "Conflict";
}

interface Write {
  readonly table: TableName;
  readonly key: IDBValidKey;
  /** Null deletes. */
  readonly row: unknown;
  /** The revision that was read; 0 for a row that must not exist; null for any. */
  readonly expected: number | null;
}

/** What one step changes; nothing of it happens, or all. */
export class Changes {
  readonly writes: Write[] = [];

  /** Write a row whose revision was read (0: new); it gets the next revision. */
  put<T extends TableName>(table: T, key: Key<T>, row: Row<T> & Revised): this {
    const next = { ...row, revision: row.revision + 1 };
    this.writes.push({ table, key, row: next, expected: row.revision });
    return this;
  }

  /** Write a row whatever was there before. */
  set<T extends TableName>(table: T, key: Key<T>, row: Row<T>): this {
    this.writes.push({ table, key, row, expected: null });
    return this;
  }

  /** Delete a row if it is there. */
  delete<T extends TableName>(table: T, key: Key<T>): this {
    this.writes.push({ table, key, row: null, expected: null });
    return this;
  }

  /** Do these changes too. */
  with(others: Changes): this {
    this.writes.push(...others.writes);
    return this;
  }
}

/** Something sealed, with the revision it was read at; `undefined` when it is not there. */
export interface Opened<T> {
  readonly value: T | undefined;
  readonly revision: number;
}

export class Store {
  private constructor(
    readonly userId: Id,
    readonly tables: Database,
    readonly vault: Vault,
  ) {}

  /** Open an account's store, or make it; `onClosed` when another tab deletes it. */
  static async open(userId: Id, onClosed: () => void): Promise<Store> {
    const tables = await openTables(userId, () => {
      tables.close();
      onClosed();
    });
    const kept = await tables.get("keys", STORAGE_KEY);
    if (kept) return new Store(userId, tables, new Vault(kept.key));
    const made = await Vault.newKey();
    const writing = tables.transaction("keys", "readwrite", { durability: "strict" });
    // Two tabs may be here at once: the first key stays.
    const first = await writing.store.get(STORAGE_KEY);
    if (!first) await writing.store.put({ name: STORAGE_KEY, key: made });
    await writing.done;
    return new Store(userId, tables, new Vault(first?.key ?? made));
  }

  /** Delete everything of this account from this browser. */
  async forget(): Promise<void> {
    this.tables.close();
    await deleteDB(databaseName(this.userId));
  }

  close(): void {
    this.tables.close();
  }

  /** Do all changes durably; `Conflict`, and none of them, if a row is not as it was read. */
  async commit(changes: Changes): Promise<void> {
    const { writes } = changes;
    const names = [...new Set(writes.map((write) => write.table))];
    if (names.length === 0) return;
    const transaction = this.tables.transaction(names, "readwrite", { durability: "strict" });
    const done = transaction.done.catch((error: unknown) => error ?? new Conflict());
    const isCurrent = await Promise.all(
      writes.map(async ({ table, key, expected }) => {
        if (expected === null) return true;
        const row = (await transaction.objectStore(table).get(key as never)) as
          | Revised
          | undefined;
        return (row?.revision ?? 0) === expected;
      }),
    );
    if (isCurrent.includes(false)) {
      transaction.abort();
      await done;
      throw new Conflict("a row changed in between");
    }
    for (const { table, key, row } of writes) {
      const target = transaction.objectStore(table);
      if (row === null) void target.delete(key as never).catch(() => undefined);
      else void target.put(row as never).catch(() => undefined);
    }
    const failure = await done;
    if (failure) throw failure instanceof Error ? failure : new Conflict();
  }

  /** Seal a value for its row. */
  seal(table: TableName, key: Key<TableName>, value: unknown): Promise<Sealed> {
    return this.vault.seal(placeOf(table, key), value);
  }

  /** Open what was sealed for that row. */
  unseal<T>(table: TableName, key: Key<TableName>, sealed: Sealed): Promise<T> {
    return this.vault.open<T>(placeOf(table, key), sealed);
  }

  /** Read a fact of the account by its name. */
  async fact<T>(name: string): Promise<Opened<T>> {
    const row = await this.tables.get("facts", name);
    if (!row) return { value: undefined, revision: 0 };
    return { value: await this.unseal<T>("facts", name, row.sealed), revision: row.revision };
  }

  /** Prepare a fact to be written. */
  async putFact(changes: Changes, name: string, value: unknown, revision: number): Promise<void> {
    const sealed = await this.seal("facts", name, value);
    changes.put("facts", name, { name, revision, sealed });
  }

  /** Prepare a fact to be written, whatever it was. */
  async putFactAnyway(changes: Changes, name: string, value: unknown): Promise<void> {
    const sealed = await this.seal("facts", name, value);
    changes.set("facts", name, { name, revision: 1, sealed });
  }

  /** Write a fact, whatever it was. */
  async setFact(name: string, value: unknown): Promise<void> {
    const changes = new Changes();
    await this.putFactAnyway(changes, name, value);
    await this.commit(changes);
  }
}

function placeOf(table: TableName, key: Key<TableName>): string {
  return [table, ...(Array.isArray(key) ? key : [key])].join("/");
}
