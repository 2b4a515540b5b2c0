/** The vectors of the key log; see vector_runner.ts. */
import { hex } from "./encoding";
import {
  type FollowedLog,
  NOTHING_FOLLOWED,
  type NewestLeaf,
  append,
  checkClaim,
  checkFresh,
  checkNewestList,
  followLog,
  labelOf,
  leafHash,
  newestLog,
  parseHead,
  pinLog,
  rootOf,
} from "./key_log";
import { type Bytes, type Of, type SignedIn, byHex, raw, readSigned, text } from "./vector_values";

interface LogIn extends Of<"log_id" | "log_pub"> {
  number: number;
  size: number;
  frontier: Bytes[];
}

interface NewestIn extends Of<"leaf_hash" | "record_hash"> {
  seq: number;
  kind: number;
}

interface FollowIn {
  log: LogIn;
  labels: [Bytes, NewestIn][];
  own: { user: Bytes; lists: Bytes[] };
  leaves: Bytes[];
  head: SignedIn;
  now: number | null;
  list: [Bytes, Bytes] | null;
  claim: [number, Bytes] | null;
}

function readLog(v: LogIn): FollowedLog {
  const frontier = { size: v.size, hashes: v.frontier.map((item) => raw(item)) };
  return { number: v.number, logId: raw(v.log_id), logPub: raw(v.log_pub), frontier };
}

function readNewest(v: NewestIn): NewestLeaf {
  return { seq: v.seq, leafHash: raw(v.leaf_hash), kind: v.kind, recordHash: raw(v.record_hash) };
}

export function followPage(v: FollowIn): Record<string, unknown> {
  const newest = new Map([...byHex(v.labels)].map(([label, item]) => [label, readNewest(item)]));
  const head = readSigned(v.head);
  if (v.now !== null) checkFresh(parseHead(head.data), v.now);
  const followed = followLog(
    readLog(v.log),
    v.leaves.map((item) => raw(item)),
    head,
    {
      newest,
      ownLabel: labelOf(raw(v.own.user)),
      isOwnList: (hash) => v.own.lists.includes(text(hash)),
    },
  );
  if (v.list !== null) {
    const label = hex(labelOf(raw(v.list[0])));
    checkNewestList(followed.labels.get(label) ?? newest.get(label), raw(v.list[1]));
  }
  if (v.claim !== null) {
    const own = followed.roots.get(v.claim[0]);
    if (!own) throw new RangeError("a claim is about a size that the page passes");
    checkClaim(own, raw(v.claim[1]));
  }
  const { frontier } = followed.log;
  return { size: frontier.size, root: text(rootOf(frontier)) };
}

export function growTree(v: { leaves: Bytes[] }): Record<string, unknown> {
  const frontier = v.leaves.reduce(
    (tree, item) => append(tree, leafHash(raw(item))),
    NOTHING_FOLLOWED,
  );
  return { root: text(rootOf(frontier)), frontier: frontier.hashes.map(text) };
}

export function leadToNewest(v: { log: LogIn | null; starts: SignedIn[] }): Record<string, unknown> {
  const starts = v.starts.map(readSigned);
  const log = v.log === null ? pinLog(starts) : newestLog(readLog(v.log), starts);
  return { number: log.number, log_id: text(log.logId), size: log.frontier.size };
}
