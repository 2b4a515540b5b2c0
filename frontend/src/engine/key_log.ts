/**
 * The key log as this browser follows it: whole, kept, and compared with what others saw
 * (docs/protocol.md §11). A refusal changes nothing that was followed; it is kept as `trouble`,
 * and no device list is taken from that server until the log verifies again.
 */
import type { KeyLogClaim } from "../crypto/body";
import { verifyDeviceList } from "../crypto/device_list";
import { SIGNATURE_SIZE, decodeBase64url, equalBytes, hex, lpFields } from "../crypto/encoding";
import { ProtocolError } from "../crypto/errors";
import {
  FRESH_MS,
  type FollowedLog,
  type NewestLeaf,
  type SignedBytes,
  checkFresh,
  checkNewestList,
  followLog,
  labelOf,
  lastHeadOf,
  logIdOf,
  newestLog,
  parseHead,
  parseLeaf,
  parseLogStart,
  pinLog,
  rootOf,
  verifyHead,
} from "../crypto/key_log";
import type { Api } from "./api";
import type { Id } from "./contract";
import { formerKeysOf } from "./former_keys";
import { idOf } from "./ids";
import type { Platform } from "./platform";
import type { ListRow } from "./store/schema";
import { Changes, type Store } from "./store/store";
import type { KeyLogHeadJson, KeyLogPageJson, SignedHeadJson } from "./wire";

export const MAX_CLAIMS_WAITING = 64;
const AGAIN_MS = FRESH_MS / 4;
const FACT = "key_log";

/** That the server began a new log: what was seen of the old one, and what the server names. */
export interface BeganAgain {
  readonly number: number;
  readonly sizeSeen: number;
  readonly sizeNamed: number;
}

/** What is kept of the log besides labels, roots and claims. */
export interface KeptKeyLog {
  readonly log: FollowedLog | null;
  /** The newest head that verified, as evidence. */
  readonly head: SignedBytes | null;
  /** Why the log was refused when it was last followed, or the empty string. */
  readonly trouble: string;
  readonly beganAgain: BeganAgain | null;
  /** The keys of the log and of those before it, by which the server's word counts. */
  readonly serverKeys?: readonly Uint8Array[];
}

const NOTHING: KeptKeyLog = { log: null, head: null, trouble: "", beganAgain: null };

/** Read what is kept of the log. */
export async function readKeyLog(store: Store): Promise<KeptKeyLog> {
  return (await store.fact<KeptKeyLog>(FACT)).value ?? NOTHING;
}

/** What the log is followed with. */
export interface KeyLogParts {
  readonly store: Store;
  readonly api: Api;
  readonly platform: Platform;
  readonly own: { readonly user: Uint8Array; readonly amkPub: Uint8Array };
  /** Fetch the lists that another own device has signed. */
  learnOwn(): Promise<void>;
  /** The screens have something to read again. */
  changed(): void;
}

export class KeyLog {
  private following: Promise<void> | null = null;
  private followedMs = 0;
  /** What is stored, which only the leading tab writes: asked for at each message. */
  private known: KeptKeyLog | null = null;

  constructor(private readonly parts: KeyLogParts) {}

  /** Verify everything up to the server's newest head; every refusal is a `ProtocolError`. */
  follow(): Promise<void> {
    this.following ??= this.followNow().finally(() => (this.following = null));
    return this.following;
  }

  /** Follow when it was hours ago. */
  async followSometimes(): Promise<void> {
    if (this.parts.platform.now() - this.followedMs > AGAIN_MS) await this.follow();
  }

  private async followNow(): Promise<void> {
    try {
      await this.walk();
      await this.remember({ trouble: "" });
    } catch (error) {
      if (error instanceof ProtocolError) await this.remember({ trouble: error.message });
      throw error;
    } finally {
      this.parts.changed();
    }
  }

  private async walk(): Promise<void> {
    const { api, platform } = this.parts;
    const answer = await api.get<KeyLogHeadJson>("/api/key-log/head");
    this.followedMs = platform.now();
    let log = await this.takeNewest(
      answer.logs.map((row) => signed(row.log, row.log_sig)),
    );
    const newest = verifyHead(headOf(answer), log);
    checkFresh(newest, platform.now());
    if (newest.size <= log.frontier.size) log = await this.takePage(log, [], headOf(answer));
    while (log.frontier.size < newest.size) {
      const page = await api.get<KeyLogPageJson>(`/api/key-log?after=${log.frontier.size}`);
      const leaves = page.leaves.map((leaf) => decodeBase64url(leaf));
      if (leaves.length === 0) {
        throw new ProtocolError("kt", "the server holds back leaves that its head counts");
      }
      log = await this.takePage(log, leaves, headOf(page));
    }
  }

  /** Pin at first contact; go over to a successor of the pinned log, which is then shown. */
  private async takeNewest(starts: readonly SignedBytes[]): Promise<FollowedLog> {
    const { store } = this.parts;
    const pinned = (await this.kept()).log;
    const log = pinned ? newestLog(pinned, starts) : pinLog(starts);
    if (pinned && equalBytes(pinned.logId, log.logId)) return pinned;
    const changes = new Changes();
    for (const label of await store.tables.getAllKeys("labels")) changes.delete("labels", label);
    if (!pinned) await this.expectLinkedHead(changes, starts);
    const beganAgain = pinned && successorOf(pinned, starts, log);
    // Every declaration up to the newest has just been verified.
    const serverKeys = starts.map((start) => parseLogStart(start.data).logPub);
    await this.remember({ log, head: null, serverKeys, ...(beganAgain && { beganAgain }) }, changes);
    return log;
  }

  /**
   * The log of a browser that was linked is the one its linking device follows (§3.8). Its head is
   * kept as what the owner's other device claims, beside the claims in messages.
   */
  private async expectLinkedHead(changes: Changes, starts: readonly SignedBytes[]): Promise<void> {
    const kept = (await this.parts.store.fact<Uint8Array>("linked_head")).value;
    if (!kept?.length) return;
    const [data] = lpFields(kept, [null, SIGNATURE_SIZE] as const);
    const { logId, size, root } = parseHead(data);
    const start = starts.find((one) => equalBytes(logIdOf(one), logId));
    if (!start) throw new ProtocolError("kt", "another log than the linking device follows");
    if (size === 0) return;
    const [roomId, key] = [idOf(this.parts.own.user), "linked"];
    const { number: log } = parseLogStart(start.data);
    changes.set("claims", [roomId, key], { roomId, key, state: "waiting", log, size, root });
  }

  /** Judge a page; own lists of another own device are fetched before it is refused. */
  private async takePage(
    log: FollowedLog,
    leaves: readonly Uint8Array[],
    head: SignedBytes,
  ): Promise<FollowedLog> {
    try {
      return await this.judge(log, leaves, head);
    } catch (error) {
      if (!(error instanceof ProtocolError) || error.outcome !== "kt") throw error;
      await this.parts.learnOwn();
      return await this.judge(log, leaves, head);
    }
  }

  private async judge(
    log: FollowedLog,
    leaves: readonly Uint8Array[],
    head: SignedBytes,
  ): Promise<FollowedLog> {
    const { own, store } = this.parts;
    const newest = new Map<string, NewestLeaf>();
    for (const label of new Set(leaves.map((leaf) => hex(parseLeaf(leaf).label)))) {
      const row = await store.tables.get("labels", label);
      if (row) newest.set(label, row);
    }
    const former = await formerKeysOf(store, own);
    const lists = await this.ownLists([own.amkPub, ...former.map(({ amkPub }) => amkPub)]);
    const known = {
      newest,
      ownLabel: labelOf(own.user),
      isOwnList: (hash: Uint8Array) => lists.has(hex(hash)),
      isOwnReset: (id: Uint8Array) => former.some(({ resetId }) => resetId === hex(id)),
    };
    const taken = followLog(log, leaves, head, known);
    const changes = new Changes();
    for (const [label, leaf] of taken.labels) changes.set("labels", label, { label, ...leaf });
    for (const [size, root] of taken.roots) {
      changes.set("roots", [log.number, size], { log: log.number, size, root });
    }
    for (const leaf of taken.resets) changes.set("resetLeaves", [leaf.label, leaf.resetId], leaf);
    await this.settle(changes, log.number, taken.roots);
    await this.remember({ log: taken.log, head }, changes);
    return taken.log;
  }

  /** The hashes of the own lists that verify under one of the own account's keys. */
  private async ownLists(keys: readonly Uint8Array[]): Promise<Set<string>> {
    const { own, store } = this.parts;
    const user = hex(own.user);
    const rows = (await store.tables.getAll("lists")).filter((row) => row.user === user);
    const isOwn = (row: ListRow) => keys.some((key) => isListOf(row, { user: own.user, amkPub: key }));
    return new Set(rows.filter(isOwn).map(({ hash }) => hash));
  }

  private async kept(): Promise<KeptKeyLog> {
    this.known ??= await readKeyLog(this.parts.store);
    return this.known;
  }

  private async remember(part: Partial<KeptKeyLog>, changes = new Changes()): Promise<void> {
    const { store } = this.parts;
    const { value, revision } = await store.fact<KeptKeyLog>(FACT);
    const kept = { ...NOTHING, ...value, ...part };
    await store.putFact(changes, FACT, kept, revision);
    await store.commit(changes);
    this.known = kept;
  }

  /** The person knows that the log began again. */
  async seen(): Promise<void> {
    // Both write the same row.
    await this.following?.catch(() => undefined);
    await this.remember({ beganAgain: null });
    this.parts.changed();
  }

  /** The keys by which a statement counts as the server's word (docs/protocol.md §6.5). */
  async serverKeys(): Promise<readonly Uint8Array[]> {
    const { log, serverKeys = [] } = await this.kept();
    return log ? [log.logPub, ...serverKeys] : [];
  }

  /** Say whether the log, as far as it was followed, has a leaf of this reset of a person. */
  async tellsOfReset(user: Uint8Array, id: Uint8Array): Promise<boolean> {
    const key: [string, string] = [hex(labelOf(user)), hex(id)];
    return (await this.parts.store.tables.get("resetLeaves", key)) !== undefined;
  }

  // Device lists

  /** Say whether a list is its label's newest leaf at a head that is less than a day old. */
  async isNewest(user: Uint8Array, listHash: Uint8Array): Promise<boolean> {
    const { head, trouble } = await this.kept();
    const time = head ? parseHead(head.data).time : 0;
    if (trouble || Math.abs(this.parts.platform.now() - time) > FRESH_MS) return false;
    const newest = await this.parts.store.tables.get("labels", hex(labelOf(user)));
    return newest !== undefined && equalBytes(newest.recordHash, listHash);
  }

  /** Refuse, with `kt`, a device list that the log does not name as the newest. */
  async demandNewest(user: Uint8Array, listHash: Uint8Array): Promise<void> {
    checkNewestList(await this.parts.store.tables.get("labels", hex(labelOf(user))), listHash);
  }

  // What others saw

  /** What the next own message says that this browser has verified. */
  async claim(): Promise<KeyLogClaim | null> {
    const { log } = await this.kept();
    if (!log || log.frontier.size === 0) return null;
    return { size: log.frontier.size, root: rootOf(log.frontier), log: log.number };
  }

  /** Compare what the writer of a message verified; a contradiction is kept as evidence. */
  async compare(claim: KeyLogClaim | null, roomId: Id, key: string): Promise<void> {
    const { store } = this.parts;
    const { log } = await this.kept();
    if (!claim || claim.size === 0 || !log || claim.log > log.number) return;
    const own = await store.tables.get("roots", [claim.log, claim.size]);
    if (own && equalBytes(own.root, claim.root)) return;
    if (!own && (claim.log !== log.number || (await this.waiting()) >= MAX_CLAIMS_WAITING)) return;
    const state = own ? ("split" as const) : ("waiting" as const);
    await store.commit(new Changes().set("claims", [roomId, key], { roomId, key, state, ...claim }));
    if (state === "split") this.parts.changed();
  }

  private async waiting(): Promise<number> {
    const rows = await this.parts.store.tables.getAll("claims");
    return rows.filter(({ state }) => state === "waiting").length;
  }

  /** Compare what waited for the log to get so long. */
  private async settle(
    changes: Changes,
    number: number,
    roots: ReadonlyMap<number, Uint8Array>,
  ): Promise<void> {
    for (const row of await this.parts.store.tables.getAll("claims")) {
      const own = row.state === "waiting" && row.log === number ? roots.get(row.size) : undefined;
      if (!own) continue;
      const key: [Id, string] = [row.roomId, row.key];
      if (equalBytes(own, row.root)) changes.delete("claims", key);
      else changes.set("claims", key, { ...row, state: "split" });
    }
  }
}

function isListOf(
  list: SignedBytes,
  { user, amkPub }: { user: Uint8Array; amkPub: Uint8Array },
): boolean {
  try {
    verifyDeviceList(list, user, amkPub);
    return true;
  } catch (error) {
    if (error instanceof ProtocolError) return false;
    throw error;
  }
}

function signed(data: string, sig: string): SignedBytes {
  return { data: decodeBase64url(data), sig: decodeBase64url(sig, 64) };
}

function headOf({ head, head_sig }: SignedHeadJson): SignedBytes {
  return signed(head, head_sig);
}

function successorOf(
  pinned: FollowedLog,
  starts: readonly SignedBytes[],
  log: FollowedLog,
): BeganAgain | null {
  const at = starts.findIndex((start) => equalBytes(logIdOf(start), pinned.logId));
  const next = starts[at + 1];
  if (!next) return null;
  const sizeNamed = parseHead(lastHeadOf(parseLogStart(next.data)).data).size;
  return { number: log.number, sizeSeen: pinned.frontier.size, sizeNamed };
}
