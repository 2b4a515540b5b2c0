/** The operations of vectors that take more than one call; see vector_runner.ts. */
import { acceptDeviceList, listHash, parseDeviceList, verifyDeviceList } from "./device_list";
import { fromHex, hex } from "./encoding";
import { ProtocolError } from "./errors";
import { historyWriter, openHistory } from "./history";
import { type Invite, joinByInvite } from "./joining";
import { checkLogHash, eventHash, nextLogHash } from "./log_hash";
import { type Known, type MessageIndex, openMessage } from "./opening";
import { chainOf, closeEpoch, messageKey, startEpoch } from "./ratchet";
import { type Received, followChain, receiveCommit } from "./receiving";
import { openRecovery } from "./recovery";
import { checkReport } from "./report";
import { judgeHead } from "./rollback";
import { parseRoster, rosterHash } from "./roster";
import { newSeedKey } from "./signer";
import { parseStatement, verifyStatement } from "./statements";
import {
  type Bytes,
  type CommitIn,
  type EpochIn,
  type Of,
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

/** What an operation gives. */
export type Out = Record<string, unknown>;

/** The same with the outcome, for operations that can go on after one. */
export type Ruled = readonly [outcome: string, out: Out];

/** One operation of the vectors; its input is what the files of its name hold. */
export type Operation = (v: never) => Out | Promise<Ruled> | Ruled;

/** Do a check that gives nothing. */
export function checked(work: () => void): Out {
  work();
  return {};
}

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

export function openInTurn(v: OpenIn): Ruled {
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

/** Give the outcome of a refusal; other errors pass through. */
export function outcomeOf(error: unknown): string {
  if (error instanceof ProtocolError) return error.outcome;
  throw error;
}

interface RecoveryIn extends Of<"data" | "sig" | "user"> {
  secret: string | null;
  code: string | null;
  known_version: number;
  known_bk_version: number;
}

export function openBlob(v: RecoveryIn): Out {
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

export function acceptList(v: ListIn): Out {
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

export function openRecord(v: HistoryIn): Out {
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

export function writesHistory(
  v: Of<"device_list" | "bk_pub"> & { known_bk_version: number },
): Out {
  const ownList = parseDeviceList(raw(v.device_list));
  const [entry] = ownList.entries;
  if (!entry) throw new RangeError("a list has an entry");
  const keys = { ...entry, user: ownList.user, amkPub: ownList.amkPub, signingKey: newSeedKey() };
  const { bkVersion } = historyWriter(keys, ownList, raw(v.bk_pub), v.known_bk_version);
  return { bk_version: bkVersion };
}

interface ReceiveIn extends TrustIn {
  view: ViewIn | null;
  room: Bytes;
  commit: CommitIn;
  source: SourceIn | null;
}

export async function receive(v: ReceiveIn): Promise<Ruled> {
  const view = v.view === null ? null : readView(v.view);
  const reader = { room: raw(v.room), trust: readTrust(v), source: readSource(v.source) };
  const received = await receiveCommit(view, readCommit(v.commit), reader);
  return [received.outcome, describe(received)];
}

interface FollowIn extends TrustIn {
  room: Bytes;
  commits: CommitIn[];
  source: SourceIn | null;
}

export async function followed(v: FollowIn): Promise<Ruled> {
  const reader = { room: raw(v.room), trust: readTrust(v), source: readSource(v.source) };
  const last = (await followChain(null, v.commits.map(readCommit), reader)).at(-1);
  if (!last) throw new RangeError("a chain has a commit");
  return [last.outcome, describe(last)];
}

type InviteIn = { epoch: number } & Of<
  | "room"
  | "origin"
  | "prev_hash"
  | "roster_hash"
  | "new_user"
  | "new_amk_pub"
  | "adder_user"
  | "adder_device"
  | "sig"
>;

interface JoinIn extends TrustIn {
  invite: InviteIn;
  commit: CommitIn;
  roster: Bytes;
  own: [Bytes, Bytes];
  source: SourceIn;
}

export async function join(v: JoinIn): Promise<Ruled> {
  const { invite, own } = v;
  const read: Invite = {
    room: raw(invite.room),
    origin: raw(invite.origin),
    epoch: invite.epoch,
    prevHash: raw(invite.prev_hash),
    rosterHash: raw(invite.roster_hash),
    newUser: raw(invite.new_user),
    newAmkPub: raw(invite.new_amk_pub),
    adderUser: raw(invite.adder_user),
    adderDevice: raw(invite.adder_device),
    sig: raw(invite.sig),
  };
  const received = await joinByInvite(read, readCommit(v.commit), {
    roster: parseRoster(raw(v.roster)),
    own: { user: raw(own[0]), amkPub: raw(own[1]) },
    trust: readTrust(v),
    source: readSource(v.source),
  });
  return [received.outcome, describe(received)];
}

export function head(v: { view: ViewIn; served: [number, Bytes] | null }): Out {
  const served = v.served && { epoch: v.served[0], commitHash: raw(v.served[1]) };
  return { ...judgeHead(readView(v.view), served) };
}

export function xwing(v: Of<"seed" | "ct"> & { eseed: Bytes | null }): Out {
  const publicHalf = publicOf(raw(v.seed));
  const out = { public: text(publicHalf), shared: text(decapsulate(raw(v.seed), raw(v.ct))) };
  if (v.eseed === null) return out;
  const eseed = raw(v.eseed);
  const made = encapsulate(publicHalf, () => eseed);
  // The appendix of the draft fixes the ciphertext too; another one is another outcome.
  return text(made.ciphertext) === v.ct ? out : { ...out, ct: text(made.ciphertext) };
}

interface ReportIn extends Of<"hdr" | "stamp" | "frank_key" | "padded"> {
  key_id: number;
  accepted_ms: number;
  stamp_keys: [number, Bytes][];
}

export function judgeReport(v: ReportIn): Out {
  const parts = { hdr: raw(v.hdr), stamp: raw(v.stamp), frankKey: raw(v.frank_key) };
  const report = { ...parts, keyId: v.key_id, acceptedMs: v.accepted_ms, padded: raw(v.padded) };
  const keys = new Map(v.stamp_keys.map(([keyId, key]) => [keyId, raw(key)]));
  const { type, text: words } = checkReport(report, keys);
  return { type, text: words };
}

interface LogIn {
  start: Bytes;
  items: [number, "hash" | "event", Bytes][];
  asserted: Bytes | null;
}

export function rollLog({ start, items, asserted }: LogIn): Out {
  const log = items.reduce(
    (hash, [seq, kind, item]) =>
      nextLogHash(hash, seq, kind === "event" ? eventHash(raw(item)) : raw(item)),
    raw(start),
  );
  if (asserted !== null) checkLogHash(log, raw(asserted));
  return { log: text(log) };
}

export function senderChain(v: Of<"secret" | "commit_hash" | "user" | "device"> & { n: number }): Out {
  const place = { room: new Uint8Array(16), epoch: 0, commitHash: raw(v.commit_hash) };
  const sender = { user: raw(v.user), device: raw(v.device), dskPub: new Uint8Array(32) };
  const chain = chainOf(startEpoch(place, raw(v.secret), [sender]), sender.device);
  if (!chain) throw new RangeError("an epoch has the chain of its sender");
  return { chain: text(chain.key), key: text(messageKey(chain, v.n).key) };
}

export function statement(
  v: Of<"data" | "room" | "user" | "amk_pub" | "signer_pub"> & { joined_epoch: number },
): Out {
  const read = parseStatement(raw(v.data));
  const { room, user, amk_pub: amkPub } = v;
  const subject = { room: raw(room), user: raw(user), amkPub: raw(amkPub) };
  verifyStatement(read, { ...subject, joinedEpoch: v.joined_epoch }, raw(v.signer_pub));
  return { kind: read.kind };
}
