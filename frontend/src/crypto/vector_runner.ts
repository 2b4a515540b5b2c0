/**
 * Replays a vector against this implementation; crypto_client/vectors/README.md defines every `op`.
 * Shared by vitest and by a test page, so that every browser is judged by the same code.
 */
import sodium from "libsodium-wrappers-sumo";
import { parseBody } from "./body";
import { MESSAGE_BUCKETS, TITLE_BUCKETS, hex, lpFields, lpSplit, pad, unpad } from "./encoding";
import { acceptanceStamp, checkCommitment, parseHeader } from "./envelope";
import { parseEntry, verifyDeviceProof } from "./identity";
import { type Counter, checkVoid } from "./log_hash";
import { applyOps, parseOps } from "./ops";
import { openPasskey } from "./passkey";
import { prekeyHash, verifyPrekey } from "./prekeys";
import * as primitives from "./primitives";
import { decodeCode, normaliseSecret, word } from "./recovery_secret";
import { openCarry } from "./renewal";
import { encodeRoster, originHead, parseOrigin, parseRoster, roomOf, rosterHash } from "./roster";
import { safetyNumber } from "./safety";
import { openWrap } from "./sources";
import { ACCOUNT_OPERATIONS } from "./vector_accounts";
import { FILE_OPERATIONS } from "./vector_files";
import { LINK_OPERATIONS } from "./vector_linking";
import {
  type Operation,
  type Out,
  type Ruled,
  acceptList,
  checked,
  followed,
  head,
  join,
  judgeReport,
  openBlob,
  openInTurn,
  openRecord,
  outcomeOf,
  receive,
  rollLog,
  senderChain,
  statement,
  writesHistory,
  xwing,
} from "./vector_operations";
import { OWN_ROOM_OPERATIONS } from "./vector_own_room";
import { REFERENCE_OPERATIONS } from "./vector_references";
import { followPage, growTree, leadToNewest } from "./vector_key_log";
import { type Bytes, type Of, type SignedIn, raw, readSigned, text } from "./vector_values";

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

const BUCKETS = { message: MESSAGE_BUCKETS, title: TITLE_BUCKETS };

const OPERATIONS: Readonly<Record<string, Operation>> = {
  ...ACCOUNT_OPERATIONS,
  ...LINK_OPERATIONS,
  ...FILE_OPERATIONS,
  ...REFERENCE_OPERATIONS,
  ...OWN_ROOM_OPERATIONS,
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
  history_writer: writesHistory,
  history_open: openRecord,
  carry_open: (v: Of<"carry" | "backup_seed" | "user" | "bk_hash"> & { bk_version: number }) => {
    const former = { user: raw(v.user), bkVersion: v.bk_version, bkHash: raw(v.bk_hash) };
    return { former_seed: text(openCarry(raw(v.carry), raw(v.backup_seed), former)) };
  },
  passkey_open: (v: Of<"sealed" | "prf" | "user" | "amk_pub" | "credential"> & { bk_version: number }) => {
    const account = { user: raw(v.user), amkPub: raw(v.amk_pub), bkVersion: v.bk_version };
    const name = { ...account, credential: raw(v.credential) };
    return { recovery_key: text(openPasskey(raw(v.sealed), raw(v.prf), name)) };
  },
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
  follow_chain: followed,
  join,
  judge_head: head,
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
  report: judgeReport,
  log_hash: rollLog,
  key_log: followPage,
  key_log_tree: growTree,
  key_log_starts: leadToNewest,
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
