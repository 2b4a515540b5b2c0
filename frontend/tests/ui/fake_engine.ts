/** An engine over plain objects: it remembers what was asked and shows what a test tells it to show. */

import type {
  Args, CommandName, Comparison, Engine, Failure, Friend, Me, Person, Result, RoomSummary, Snapshot, TimelineItem,
} from "../../src/engine/contract.ts";

export const alice: Person = { userId: "a11ce000-0000-4000-8000-000000000001", nickname: "앨리스" };
export const bob: Person = { userId: "b0b00000-0000-4000-8000-000000000002", nickname: "밥" };
export const carol: Person = { userId: "ca401000-0000-4000-8000-000000000003", nickname: "Carol" };
export const gardenId = "9a4de000-0000-4000-8000-000000000009";

export const me: Me = {
  ...alice,
  email: "alice@example.org",
  statusMessage: "",
  fingerprint: "12345 67890 12345 67890 12345 67890",
  hasRecoveryKey: true,
  renewing: null,
  past: null,
  deviceId: "de51ce00-0000-4000-8000-000000000001",
};

export const comparison: Comparison = {
  number: "12345".repeat(12),
  own: "12345".repeat(6),
  theirs: "12345".repeat(6),
  code: "AAAABnNhZmV0eQ",
  accountKey: "b".repeat(43),
};

export function friend(person: Person, more: Partial<Friend> = {}): Friend {
  return { ...person, email: `${person.userId.slice(0, 4)}@example.org`, statusMessage: "", sinceMs: 0, hasKeys: true, trust: "unverified", ...more };
}

export function room(more: Partial<RoomSummary> = {}): RoomSummary {
  return {
    roomId: gardenId,
    kind: "group",
    title: "정원",
    members: [{ ...alice, role: "admin" }, { ...bob, role: "member" }],
    left: null,
    isAdmin: true,
    keepsHistory: true,
    historyEnded: false,
    unread: 0,
    lastText: "",
    lastAtMs: 0,
    hasFailed: false,
    canWrite: true,
    trouble: "none",
    ...more,
  };
}

export function item(more: Partial<TimelineItem> = {}): TimelineItem {
  return {
    key: "item",
    kind: "text",
    seq: 0,
    sender: bob,
    mine: false,
    atMs: 0,
    text: "",
    unreadable: null,
    state: null,
    isChangeable: false,
    failure: null,
    messageId: null,
    unreadBy: null,
    about: [],
    ...more,
  };
}

export interface Asked {
  name: CommandName;
  args: unknown;
}

export class FakeEngine implements Engine {
  readonly asked: Asked[] = [];
  private readonly answers = new Map<CommandName, unknown>([
    ["draft_load", { text: "" }],
    ["former_entry", { former: null }],
    ["devices_list", { devices: [] }],
    ["passkeys_list", { passkeys: [] }],
    ["passkey_offer", { user: new Uint8Array(16), salt: new Uint8Array(13), credentials: [] }],
    ["key_log_seen", null],
    ["safety_number", comparison],
  ]);
  private readonly refusals = new Map<CommandName, Failure>();
  private readonly held = new Map<CommandName, Promise<void>>();
  private readonly watchers = new Set<(snapshot: Snapshot) => void>();
  private known: Snapshot;

  constructor(known: Snapshot = {}) {
    this.known = known;
  }

  answer<C extends CommandName>(name: C, result: Result<C>): void {
    this.refusals.delete(name);
    this.answers.set(name, result);
  }

  refuse(name: CommandName, code: string, fields?: Record<string, string[]>): void {
    this.refusals.set(name, fields === undefined ? { code } : { code, fields });
  }

  /** Keeps the answer back until what this gives is called. */
  hold(name: CommandName): () => void {
    let release = (): void => undefined;
    this.held.set(name, new Promise((resolve) => (release = resolve)));
    return release;
  }

  show(snapshot: Snapshot): void {
    this.known = { ...this.known, ...snapshot };
    for (const watcher of this.watchers) watcher(snapshot);
  }

  argsOf(name: CommandName): unknown[] {
    return this.asked.filter((asked) => asked.name === name).map((asked) => asked.args);
  }

  async command<C extends CommandName>(name: C, args: Args<C>): Promise<Result<C>> {
    this.asked.push({ name, args });
    await this.held.get(name);
    const refusal = this.refusals.get(name);
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- the contract refuses with a Failure, which crosses postMessage
    if (refusal !== undefined) throw refusal;
    return (this.answers.get(name) ?? null) as Result<C>;
  }

  watch(onSnapshot: (snapshot: Snapshot) => void): () => void {
    this.watchers.add(onSnapshot);
    onSnapshot(this.known);
    return () => this.watchers.delete(onSnapshot);
  }
}
