/** The key log of the in-memory server. */
import { encodeBase64url, lp } from "../../src/crypto/encoding";
import {
  DEVICE_LIST,
  type Frontier,
  type Leaf,
  NOTHING_FOLLOWED,
  NO_LEAF,
  type SignedBytes,
  append,
  encodeHead,
  encodeLeaf,
  encodeLogStart,
  labelOf,
  leafHash,
  logIdOf,
  parseLeaf,
  rootOf,
} from "../../src/crypto/key_log";
import { hex } from "../../src/crypto/encoding";
import { h, publicKey, sign, systemRandom } from "../../src/crypto/primitives";
import type { Id } from "../../src/engine/contract";
import { idBytes } from "../../src/engine/ids";

const PAGE = 1000;

function json({ data, sig }: SignedBytes): { head: string; head_sig: string } {
  return { head: encodeBase64url(data), head_sig: encodeBase64url(sig) };
}

/** One log: what was written, and the key that signs it. */
export class ServerKeyLog {
  leaves: Uint8Array[] = [];
  private readonly written = new Set<string>();

  constructor(
    readonly seed: Uint8Array = systemRandom(32),
    readonly before: { log: ServerKeyLog; head: SignedBytes } | null = null,
  ) {}

  get number(): number {
    return (this.before?.log.number ?? 0) + 1;
  }

  get start(): SignedBytes {
    const before = this.before ? lp(this.before.head.data, this.before.head.sig) : new Uint8Array(0);
    const logPub = publicKey(this.seed);
    const data = encodeLogStart({ number: this.number, logPub, time: 0, before });
    return { data, sig: sign(this.before?.log.seed ?? this.seed, "log", h("log", data)) };
  }

  /** Write a leaf for a list; `changed` makes it wrong. */
  add(userId: Id, recordHash: Uint8Array, changed: Partial<Leaf> = {}): void {
    const label = labelOf(idBytes(userId));
    const own = this.leaves.filter((leaf) => hex(parseLeaf(leaf).label) === hex(label));
    const last = own.at(-1);
    const previous = last ? leafHash(last) : NO_LEAF;
    const leaf = { label, seq: own.length + 1, kind: DEVICE_LIST, recordHash, previous };
    this.leaves.push(encodeLeaf({ ...leaf, ...changed }));
  }

  /** Write leaves for the lists that have none yet. */
  addAll(lists: readonly (readonly [Id, Uint8Array])[]): void {
    for (const [userId, listHash] of lists) {
      const name = `${userId}/${hex(listHash)}`;
      if (this.written.has(name)) continue;
      this.written.add(name);
      this.add(userId, listHash);
    }
  }

  head(time: number, size = this.leaves.length): SignedBytes {
    const frontier = this.leaves
      .slice(0, size)
      .reduce<Frontier>((tree, leaf) => append(tree, leafHash(leaf)), NOTHING_FOLLOWED);
    const root = rootOf(frontier);
    const data = encodeHead({ logId: logIdOf(this.start), size: frontier.size, root, time });
    return { data, sig: sign(this.seed, "head", h("head", data)) };
  }

  /** The answer of `GET /api/key-log/head`. */
  headJson(time: number): Record<string, unknown> {
    const logs: ServerKeyLog[] = this.before ? [this.before.log, this] : [this];
    const starts = logs.map(({ start }) => ({
      log: encodeBase64url(start.data),
      log_sig: encodeBase64url(start.sig),
    }));
    return { logs: starts, ...json(this.head(time)) };
  }

  /** The answer of `GET /api/key-log?after=N`. */
  pageJson(time: number, after: number): Record<string, unknown> {
    const upto = Math.min(after + PAGE, this.leaves.length);
    const leaves = this.leaves.slice(after, upto).map(encodeBase64url);
    return { leaves, more: upto < this.leaves.length, ...json(this.head(time, upto)) };
  }
}
