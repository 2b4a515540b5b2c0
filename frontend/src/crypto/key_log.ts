/** The key log: one append-only list of every device list, followed whole (docs/protocol.md §11). */
import {
  EMPTY,
  HASH_SIZE,
  KEY_SIZE,
  SUITE_BYTE,
  equalBytes,
  hex,
  lp,
  lpFields,
  typedFields,
  u64,
  u8,
  uint,
  utf8,
} from "./encoding";
import { ProtocolError, refusedAs } from "./errors";
import { checkPublicKey, h, verify } from "./primitives";

export const DEVICE_LIST = 1;
export const ACCOUNT_RESET = 2;
const KINDS = [DEVICE_LIST, ACCOUNT_RESET, 3];
export const NO_LEAF = new Uint8Array(HASH_SIZE);
export const FRESH_MS = 24 * 3600 * 1000;

/** One entry of the log: the `seq`-th thing that happened to a label's keys. */
export interface Leaf {
  readonly label: Uint8Array;
  readonly seq: number;
  readonly kind: number;
  readonly recordHash: Uint8Array;
  readonly previous: Uint8Array;
}

/** What the log was at a size, with the time when the server said so. */
export interface Head {
  readonly logId: Uint8Array;
  readonly size: number;
  readonly root: Uint8Array;
  readonly time: number;
}

/** How a log begins; `before` is LP(head, sig) of the one before it. */
export interface LogStart {
  readonly number: number;
  readonly logPub: Uint8Array;
  readonly time: number;
  readonly before: Uint8Array;
}

/** A head or a log's beginning as it travels: the bytes as received, and a signature. */
export interface SignedBytes {
  readonly data: Uint8Array;
  readonly sig: Uint8Array;
}

/** All that is needed to append and to give the root: O(log n) hashes. */
export interface Frontier {
  readonly size: number;
  readonly hashes: readonly Uint8Array[];
}

/** The newest leaf of a label. */
export interface NewestLeaf {
  readonly seq: number;
  readonly leafHash: Uint8Array;
  readonly kind: number;
  readonly recordHash: Uint8Array;
}

/** A pinned log, and how far this client has verified it. */
export interface FollowedLog {
  readonly number: number;
  readonly logId: Uint8Array;
  readonly logPub: Uint8Array;
  readonly frontier: Frontier;
}

/** That the log has a leaf of a reset under a label, both hexadecimal. */
export interface ResetLeaf {
  readonly label: string;
  readonly resetId: string;
}

/** What a page came to: the log further on, newer leaves by hexadecimal label, roots by size. */
export interface Followed {
  readonly log: FollowedLog;
  readonly labels: ReadonlyMap<string, NewestLeaf>;
  readonly roots: ReadonlyMap<number, Uint8Array>;
  readonly resets: readonly ResetLeaf[];
}

/** What a page is judged with. */
export interface FollowingWith {
  /** The newest leaf known of each label in the page, by hexadecimal label. */
  readonly newest: ReadonlyMap<string, NewestLeaf>;
  readonly ownLabel: Uint8Array;
  /** Whether a hash is that of an own list that verified here. */
  readonly isOwnList: (listHash: Uint8Array) => boolean;
  /** Whether an id is that of a reset that led to the own account key. */
  readonly isOwnReset?: (resetId: Uint8Array) => boolean;
}

export const NOTHING_FOLLOWED: Frontier = { size: 0, hashes: [] };

function refuse(why: string): never {
  throw new ProtocolError("kt", why);
}

/** The name of an account in the log; everybody who knows the user id computes the same. */
export function labelOf(user: Uint8Array): Uint8Array {
  return h("kt-label", user);
}

/** Hash a leaf, from its bytes as received. */
export function leafHash(data: Uint8Array): Uint8Array {
  return h("kt-leaf", data);
}

/** The name of a log, in each of its heads. */
export function logIdOf(start: SignedBytes): Uint8Array {
  return h("log", start.data);
}

function node(left: Uint8Array, right: Uint8Array): Uint8Array {
  return h("kt-node", lp(left, right));
}

/** Put a leaf at the end. */
export function append({ size, hashes }: Frontier, hash: Uint8Array): Frontier {
  const kept = [...hashes];
  let last = hash;
  for (let rest = size; rest % 2 === 1; rest = (rest - 1) / 2) {
    const left = kept.pop();
    if (!left) throw new RangeError("a frontier that is not of its size");
    last = node(left, last);
  }
  return { size: size + 1, hashes: [...kept, last] };
}

/** The hash of the whole tree. */
export function rootOf({ hashes }: Frontier): Uint8Array {
  const last = hashes.at(-1);
  if (!last) return h("kt-empty", EMPTY);
  return hashes.slice(0, -1).reduceRight((root, left) => node(left, root), last);
}

/** Write the bytes of a leaf that are hashed. */
export function encodeLeaf({ label, seq, kind, recordHash, previous }: Leaf): Uint8Array {
  return lp(utf8("leaf"), SUITE_BYTE, label, u64(seq), u8(kind), recordHash, previous);
}

/** Write the bytes of a head that are hashed and signed. */
export function encodeHead({ logId, size, root, time }: Head): Uint8Array {
  return lp(utf8("head"), SUITE_BYTE, logId, u64(size), root, u64(time));
}

/** Write the bytes of a log's beginning that are hashed and signed. */
export function encodeLogStart({ number, logPub, time, before }: LogStart): Uint8Array {
  return lp(utf8("log"), SUITE_BYTE, u64(number), logPub, u64(time), before);
}

/** Read a leaf; `parse` or `suite` for another shape or an unknown kind. */
export function parseLeaf(data: Uint8Array): Leaf {
  const sizes = [HASH_SIZE, 8, 1, HASH_SIZE, HASH_SIZE] as const;
  const [label, seq, kind, recordHash, previous] = typedFields(data, "leaf", sizes);
  if (!KINDS.includes(uint(kind))) throw new ProtocolError("parse", "a leaf of an unknown kind");
  return { label, seq: uint(seq), kind: uint(kind), recordHash, previous };
}

/** Read a head without believing it. */
export function parseHead(data: Uint8Array): Head {
  const [logId, size, root, time] = typedFields(data, "head", [HASH_SIZE, 8, HASH_SIZE, 8]);
  return { logId, size: uint(size), root, time: uint(time) };
}

/** Read a log's beginning without believing it. */
export function parseLogStart(data: Uint8Array): LogStart {
  const fields = typedFields(data, "log", [8, KEY_SIZE, 8, null]);
  const [number, logPub, time, before] = fields;
  if (uint(number) === 0 || (uint(number) === 1) !== (before.length === 0)) {
    throw new ProtocolError("parse", "the first log, and only the first, has no log before it");
  }
  return { number: uint(number), logPub, time: uint(time), before };
}

/** The last head of the log before; `parse` where there is none. */
export function lastHeadOf({ before }: LogStart): SignedBytes {
  const [data, sig] = lpFields(before, [null, null]);
  return { data, sig };
}

/** Read a head that must be of this log and by its key; else `kt`. */
export function verifyHead({ data, sig }: SignedBytes, log: FollowedLog): Head {
  const head = parseHead(data);
  if (!equalBytes(head.logId, log.logId)) refuse("a head of another log");
  refusedAs("kt", () => verify(log.logPub, "head", h("head", data), sig));
  return head;
}

/** Refuse the newest head, with `kt`, when it was signed long ago: a log that stands still. */
export function checkFresh(head: Head, now: number): void {
  if (Math.abs(now - head.time) > FRESH_MS) refuse("the newest head is more than a day old");
}

/** Take the leaves from the own size up to a head, or nothing; every refusal is `kt`. */
export function followLog(
  log: FollowedLog,
  leaves: readonly Uint8Array[],
  signed: SignedBytes,
  known: FollowingWith,
): Followed {
  const head = verifyHead(signed, log);
  if (head.size < log.frontier.size) refuse("the log has become shorter");
  if (leaves.length !== head.size - log.frontier.size) {
    refuse("a page with another number of leaves than its head says");
  }
  let { frontier } = log;
  const labels = new Map<string, NewestLeaf>();
  const roots = new Map<number, Uint8Array>();
  const resets: ResetLeaf[] = [];
  for (const data of leaves) {
    const leaf = parseLeaf(data);
    const label = hex(leaf.label);
    const hash = leafHash(data);
    checkLeaf(labels.get(label) ?? known.newest.get(label), leaf, known);
    labels.set(label, { seq: leaf.seq, leafHash: hash, kind: leaf.kind, recordHash: leaf.recordHash });
    frontier = append(frontier, hash);
    roots.set(frontier.size, rootOf(frontier));
    if (leaf.kind === ACCOUNT_RESET) resets.push({ label, resetId: hex(leaf.recordHash) });
  }
  if (!equalBytes(rootOf(frontier), head.root)) refuse("another root than that of the leaves");
  return { log: { ...log, frontier }, labels, roots, resets };
}

function checkLeaf(before: NewestLeaf | undefined, leaf: Leaf, known: FollowingWith): void {
  if (leaf.seq !== (before?.seq ?? 0) + 1) {
    refuse("a label's leaves are not numbered one after the other");
  }
  if (!equalBytes(leaf.previous, before?.leafHash ?? NO_LEAF)) {
    refuse("a leaf that does not follow its label's newest");
  }
  const isOwn = equalBytes(leaf.label, known.ownLabel);
  if (isOwn && !isOwners(leaf, known)) {
    refuse("a leaf in the own name that the owner is not behind");
  }
}

/** Say whether a leaf of the own label tells of something that the owner did. */
function isOwners({ kind, recordHash }: Leaf, known: FollowingWith): boolean {
  if (kind === DEVICE_LIST) return known.isOwnList(recordHash);
  return kind === ACCOUNT_RESET && known.isOwnReset?.(recordHash) === true;
}

/** Refuse, with `kt`, a device list that is not the newest leaf of its account's label. */
export function checkNewestList(newest: NewestLeaf | undefined, listHash: Uint8Array): void {
  const isNewest = newest?.kind === DEVICE_LIST && equalBytes(newest.recordHash, listHash);
  if (!isNewest) refuse("a device list that is not the newest of the key log");
}

/** Compare the root that another client verified at a size; `kt` shows a split view. */
export function checkClaim(own: Uint8Array, claimed: Uint8Array): void {
  if (!equalBytes(own, claimed)) refuse(`own root ${hex(own)}, claimed ${hex(claimed)}`);
}

/** Pin the newest of a server's logs at first contact; they must lead to it from the first. */
export function pinLog(starts: readonly SignedBytes[]): FollowedLog {
  const [first] = starts;
  if (!first) return refuse("the server does not name its first log");
  return newestLog(begin(first, parseLogStart(first.data).logPub, 1), starts);
}

/**
 * Give the newest of a server's logs, the pinned one itself while it is.
 *
 * `starts` are all beginnings, ascending. Each must be signed by the key of the log before and
 * name a head that this key signed, else `kt`.
 */
export function newestLog(pinned: FollowedLog, starts: readonly SignedBytes[]): FollowedLog {
  const at = starts.findIndex((start) => equalBytes(logIdOf(start), pinned.logId));
  if (at < 0) refuse("the server does not name the log that was followed");
  return starts.slice(at + 1).reduce((log, start) => {
    const next = begin(start, log.logPub, log.number + 1);
    verifyHead(lastHeadOf(parseLogStart(start.data)), log);
    return next;
  }, pinned);
}

function begin(signed: SignedBytes, by: Uint8Array, number: number): FollowedLog {
  const start = parseLogStart(signed.data);
  if (start.number !== number) refuse("logs are not numbered one after the other");
  const logId = logIdOf(signed);
  refusedAs("kt", () => {
    verify(by, "log", logId, signed.sig);
    checkPublicKey(start.logPub);
  });
  return { number, logId, logPub: start.logPub, frontier: NOTHING_FOLLOWED };
}
