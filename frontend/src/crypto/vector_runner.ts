/**
 * Replays a vector against this implementation; crypto_client/vectors/README.md defines every `op`.
 * Shared by vitest and by a test page, so that every browser is judged by the same code.
 */
import sodium from "libsodium-wrappers-sumo";
import { parseBody } from "./body";
import { acceptDeviceList, listHash, parseDeviceList, verifyDeviceList } from "./device_list";
import { MESSAGE_BUCKETS, TITLE_BUCKETS, fromHex, hex, lpFields, lpSplit, pad, unpad } from "./encoding";
import { acceptanceStamp, checkCommitment, parseHeader } from "./envelope";
import { ProtocolError } from "./errors";
import { openHistory } from "./history";
import { parseEntry, verifyDeviceProof } from "./identity";
import { type Counter, checkLogHash, checkVoid, eventHash, nextLogHash } from "./log_hash";
import { type Known, type MessageIndex, openMessage } from "./opening";
import { applyOps, parseOps } from "./ops";
import { prekeyHash, verifyPrekey } from "./prekeys";
import * as primitives from "./primitives";
import { chainOf, closeEpoch, messageKey, startEpoch } from "./ratchet";
import { type Received, receiveCommit } from "./receiving";
import { openRecovery } from "./recovery";
import { decodeCode, normaliseSecret, word } from "./recovery_secret";
import { encodeRoster, originHead, parseOrigin, parseRoster, roomOf, rosterHash } from "./roster";
import { safetyNumber } from "./safety";
import { openWrap } from "./sources";
import { parseStatement, verifyStatement } from "./statements";
import {
  type Bytes,
  type CommitIn,
  type EpochIn,
  type SignedIn,
  type SourceIn,
  type TrustIn,
  type ViewIn,
  byHex,
  raw,
  readCommit,
  readEpoch,
  readSigned,
  readSource,
  readTrust,
  readView,
  text,
} from "./vector_values";
import { decapsulate, encapsulate, publicOf } from "./xwing";

/** A vector as its file holds it. */
export interface Vector {
  comment: string;
  spec: string;
  op: string;
  in: Record<string, unknown>;
  expect: string;
  out: Record<string, unknown>;
}

/** What a vector's operation came to; `out` is empty after a refusal. */
export interface VectorResult {
  outcome: string;
  out: Record<string, unknown>;
}

type Out = Record<string, unknown>;
type Ruled = readonly [outcome: string, out: Out];
type Operation = (v: never) => Out | Promise<Ruled> | Ruled;
type Of<Names extends string> = Record<Names, Bytes>;

const BUCKETS = { message: MESSAGE_BUCKETS, title: TITLE_BUCKETS };

function describe(received: Received): Out {
  const chains = [...(received.epoch?.chains ?? [])].sort(([one], [other]) => (one < other ? -1 : 1));
  const cuts = [...received.cuts].sort(([one], [other]) => (one < other ? -1 : 1));
  return {
    epoch: received.view.epoch,
    head: text(received.view.head),
    roster_hash: text(rosterHash(received.view.roster)),
    title: received.view.title,
    ignored: received.ignored,
    chains: chains.map(([device, chain]) => [text(fromHex(device)), text(chain.key)]),
    cuts: cuts.map(([device, n]) => [text(fromHex(device)), n]),
    strangers: received.strangers.map(text),
  };
}

class StepIndex implements MessageIndex {
  private readonly known = new Map<string, Known>();

  has(eid: Uint8Array): boolean {
    return [...this.known.values()].some((known) => hex(known.eid) === hex(eid));
  }

  byId(device: Uint8Array, msgId: Uint8Array): Known | null {
    return this.known.get(`${hex(device)} ${hex(msgId)}`) ?? null;
  }

  byCounter(device: Uint8Array, epoch: number, n: number): Known | null {
    return this.known.get(`${hex(device)} ${epoch}/${n}`) ?? null;
  }

  add({ message }: { message: NonNullable<ReturnType<typeof openMessage>["message"]> }): void {
    const { pre, eid, key } = message;
    const known = { eid, body: message.body.data, key };
    this.known.set(`${hex(pre.device)} ${hex(pre.msgId)}`, known);
    this.known.set(`${hex(pre.device)} ${pre.epoch}/${pre.n}`, known);
  }
}

interface OpenIn {
  epoch: EpochIn | null;
  room: Bytes;
  revoked: Bytes[];
  cuts: [Bytes, number][];
  envelopes: Bytes[];
}

function openInTurn(v: OpenIn): Ruled {
  let state = v.epoch === null ? null : closeEpoch(readEpoch(v.epoch), byHex(v.cuts));
  const index = new StepIndex();
  const revoked = new Set(v.revoked.map((device) => hex(raw(device))));
  const steps = v.envelopes.map((envelope) => {
    try {
      const opened = openMessage(raw(envelope), state, { room: raw(v.room), index, revoked });
      state = opened.epoch;
      const { message } = opened;
      if (!message) return "known";
      if (opened.again) return "again";
      if (opened.outcome === "ok") index.add({ message });
      return opened.outcome;
    } catch (error) {
      return outcomeOf(error);
    }
  });
  const last = steps.at(-1) ?? "ok";
  return [last === "known" || last === "again" ? "ok" : last, { steps }];
}

function outcomeOf(error: unknown): string {
  if (error instanceof ProtocolError) return error.outcome;
  throw error;
}

interface RecoveryIn extends Of<"data" | "sig" | "user"> {
  secret: string | null;
  code: string | null;
  known_version: number;
  known_bk_version: number;
}

function openBlob(v: RecoveryIn): Out {
  const key = v.code === null ? { secret: v.secret ?? "" } : { code: v.code };
  const found = openRecovery(readSigned(v), {
    user: raw(v.user),
    knownVersion: v.known_version,
    knownBkVersion: v.known_bk_version,
    ...key,
  });
  return {
    amk_seed: text(found.account.seed),
    recovery_key: text(found.recoveryKey),
    backup_seed: text(found.backupSeed),
  };
}

interface ListIn extends SignedIn, Of<"user" | "amk_pub"> {
  known: { version: number; list_hash: Bytes } | null;
  between: SignedIn[];
}

function acceptList(v: ListIn): Out {
  const signed = readSigned(v);
  const whose = { user: raw(v.user), amkPub: raw(v.amk_pub) };
  const list = verifyDeviceList(signed, whose.user, whose.amkPub);
  if (v.known !== null) {
    const known = { version: v.known.version, listHash: raw(v.known.list_hash) };
    acceptDeviceList(known, [...v.between.map(readSigned), signed], whose);
  }
  const devices = list.entries.map((entry) => text(entry.device));
  return { version: list.version, list_hash: text(listHash(signed)), devices };
}

interface HistoryIn extends Of<"room" | "commit_hash" | "writer" | "record" | "sig" | "user"> {
  epoch: number;
  bk_version: number;
  device_list: Bytes;
  backup_seed: Bytes;
  commit: CommitIn;
}

function openRecord(v: HistoryIn): Out {
  const name = { room: raw(v.room), epoch: v.epoch, commitHash: raw(v.commit_hash) };
  const record = {
    name,
    bkVersion: v.bk_version,
    writer: raw(v.writer),
    record: raw(v.record),
    sig: raw(v.sig),
  };
  const devices = parseDeviceList(raw(v.device_list));
  const own = { user: raw(v.user), devices, backupSeed: raw(v.backup_seed) };
  return { secret: text(openHistory(record, readCommit(v.commit), own)) };
}

interface ReceiveIn extends TrustIn {
  view: ViewIn | null;
  room: Bytes;
  commit: CommitIn;
  source: SourceIn | null;
}

async function receive(v: ReceiveIn): Promise<Ruled> {
  const view = v.view === null ? null : readView(v.view);
  const reader = { room: raw(v.room), trust: readTrust(v), source: readSource(v.source) };
  const received = await receiveCommit(view, readCommit(v.commit), reader);
  return [received.outcome, describe(received)];
}

function xwing(v: Of<"seed" | "ct"> & { eseed: Bytes | null }): Out {
  const publicHalf = publicOf(raw(v.seed));
  const out = { public: text(publicHalf), shared: text(decapsulate(raw(v.seed), raw(v.ct))) };
  if (v.eseed === null) return out;
  const eseed = raw(v.eseed);
  const made = encapsulate(publicHalf, () => eseed);
  // The appendix of the draft fixes the ciphertext too; another one is another outcome.
  return text(made.ciphertext) === v.ct ? out : { ...out, ct: text(made.ciphertext) };
}

interface LogIn {
  start: Bytes;
  items: [number, "hash" | "event", Bytes][];
  asserted: Bytes | null;
}

function rollLog({ start, items, asserted }: LogIn): Out {
  const log = items.reduce(
    (hash, [seq, kind, item]) =>
      nextLogHash(hash, seq, kind === "event" ? eventHash(raw(item)) : raw(item)),
    raw(start),
  );
  if (asserted !== null) checkLogHash(log, raw(asserted));
  return { log: text(log) };
}

function senderChain(v: Of<"secret" | "commit_hash" | "user" | "device"> & { n: number }): Out {
  const place = { room: new Uint8Array(16), epoch: 0, commitHash: raw(v.commit_hash) };
  const sender = { user: raw(v.user), device: raw(v.device), dskPub: new Uint8Array(32) };
  const chain = chainOf(startEpoch(place, raw(v.secret), [sender]), sender.device);
  if (!chain) throw new RangeError("an epoch has the chain of its sender");
  return { chain: text(chain.key), key: text(messageKey(chain, v.n).key) };
}

function statement(
  v: Of<"data" | "room" | "user" | "amk_pub" | "signer_pub"> & { joined_epoch: number },
): Out {
  const read = parseStatement(raw(v.data));
  const { room, user, amk_pub: amkPub } = v;
  const subject = { room: raw(room), user: raw(user), amkPub: raw(amkPub) };
  verifyStatement(read, { ...subject, joinedEpoch: v.joined_epoch }, raw(v.signer_pub));
  return { kind: read.kind };
}

function checked(work: () => void): Out {
  work();
  return {};
}

const OPERATIONS: Readonly<Record<string, Operation>> = {
  lp_parse: (v: { data: Bytes; sizes: (number | null)[] | null }) => {
    const data = raw(v.data);
    const fields: Uint8Array[] = v.sizes === null ? lpSplit(data) : lpFields(data, v.sizes);
    return { fields: fields.map(text) };
  },
  b64: (v: { text: string }) => ({ hex: hex(raw(v.text)) }),
  json_body: (v: Of<"data">) => {
    const body = parseBody(raw(v.data));
    return { type: body.type, text: body.text };
  },
  pad: (v: { content: Bytes; buckets: keyof typeof BUCKETS }) => ({
    padded: text(pad(raw(v.content), BUCKETS[v.buckets])),
  }),
  unpad: (v: { padded: Bytes; buckets: keyof typeof BUCKETS }) => ({
    content: text(unpad(raw(v.padded), BUCKETS[v.buckets])),
  }),
  hash: (v: Of<"label" | "data">) => ({ hash: text(primitives.h(v.label, raw(v.data))) }),
  kdf: (v: Of<"key" | "label" | "data">) => ({
    key: text(primitives.kdf(raw(v.key), v.label, raw(v.data))),
  }),
  sign: (v: Of<"seed" | "label" | "data">) => ({
    public: text(primitives.publicKey(raw(v.seed))),
    sig: text(primitives.sign(raw(v.seed), v.label, raw(v.data))),
  }),
  verify: (v: Of<"public" | "label" | "data" | "sig">) =>
    checked(() => primitives.verify(raw(v.public), v.label, raw(v.data), raw(v.sig))),
  check_key: (v: Of<"public">) => checked(() => primitives.checkPublicKey(raw(v.public))),
  aead_open: (v: Of<"key" | "nonce" | "sealed" | "ad">) => ({
    message: text(primitives.aeadOpen(raw(v.key), raw(v.nonce), raw(v.sealed), raw(v.ad))),
  }),
  ed25519: (v: Of<"seed" | "message">) => {
    const pair = sodium.crypto_sign_seed_keypair(raw(v.seed));
    const sig = sodium.crypto_sign_detached(raw(v.message), pair.privateKey);
    return { public: text(pair.publicKey), sig: text(sig) };
  },
  hmac: (v: Of<"key" | "data">) => ({ mac: text(primitives.hmacSha256(raw(v.key), raw(v.data))) }),
  xwing,
  device_list: acceptList,
  device_proof: (v: Of<"proof" | "dsk_pub" | "origin" | "nonce" | "user" | "device">) => {
    const claim = { nonce: raw(v.nonce), user: raw(v.user), device: raw(v.device) };
    return checked(() => verifyDeviceProof(raw(v.proof), raw(v.dsk_pub), { origin: v.origin, ...claim }));
  },
  prekey: (v: SignedIn & Of<"user" | "entry"> & { now: number; seq_floor: number }) => {
    const signed = readSigned(v);
    const whose = { user: raw(v.user), entry: parseEntry(raw(v.entry)) };
    const prekey = verifyPrekey(signed, { ...whose, now: v.now, seqFloor: v.seq_floor });
    return { seq: prekey.seq, prekey_hash: text(prekeyHash(signed)) };
  },
  recovery_open: openBlob,
  recovery_code: (v: { code: string }) => ({ recovery_key: text(decodeCode(v.code)) }),
  recovery_words: (v: { numbers: number[] }) => ({ words: v.numbers.map(word).join(" ") }),
  recovery_secret: (v: { text: string }) => ({ secret: text(normaliseSecret(v.text)) }),
  history_open: openRecord,
  origin: (v: Of<"data">) => {
    const origin = parseOrigin(raw(v.data));
    return { kind: origin.kind, room: text(roomOf(origin)), head: text(originHead(origin)) };
  },
  apply_ops: (v: { roster: Bytes | null; ops: Bytes }) => {
    const previous = v.roster === null ? null : parseRoster(raw(v.roster));
    const roster = applyOps(previous, parseOps(raw(v.ops)));
    return { roster: text(encodeRoster(roster)), roster_hash: text(rosterHash(roster)) };
  },
  statement,
  receive_commit: receive,
  wrap_open: (v: Of<"wrap" | "seed" | "core_hash" | "user" | "device" | "prekey_hash">) => {
    const whom = { coreHash: raw(v.core_hash), user: raw(v.user), device: raw(v.device) };
    const prekey = { prekeyHash: raw(v.prekey_hash) };
    return { secret: text(openWrap(raw(v.wrap), raw(v.seed), { ...whom, ...prekey })) };
  },
  sender_chain: senderChain,
  open_message: openInTurn,
  commitment: (v: Of<"hdr" | "frank_key" | "padded">) =>
    checked(() => checkCommitment(parseHeader(raw(v.hdr)), raw(v.frank_key), raw(v.padded))),
  stamp: (v: Of<"key" | "hdr"> & { key_id: number; accepted_ms: number }) => ({
    stamp: text(acceptanceStamp(raw(v.key), v.key_id, raw(v.hdr), v.accepted_ms)),
  }),
  log_hash: rollLog,
  void: (v: { void: Counter[]; stored: Counter[] }) => checked(() => checkVoid(v.void, v.stored)),
  safety: (v: { one: [Bytes, Bytes]; other: [Bytes, Bytes] }) => {
    const account = ([user, amkPub]: [Bytes, Bytes]) => ({ user: raw(user), amkPub: raw(amkPub) });
    return { number: safetyNumber(account(v.one), account(v.other)) };
  },
};

/** Run one vector's operation and give its outcome; an unknown operation is a RangeError. */
export async function runVector(vector: Vector): Promise<VectorResult> {
  await primitives.ready;
  const operation = OPERATIONS[vector.op];
  if (!operation) throw new RangeError(`no operation ${vector.op}`);
  try {
    const result = await operation(vector.in as never);
    const [outcome, out] = Array.isArray(result) ? (result as unknown as Ruled) : ["ok", result];
    return { outcome: outcome, out: out as Out };
  } catch (error) {
    return { outcome: outcomeOf(error), out: {} };
  }
}
