/** Receiving a message in the fixed order of docs/protocol.md §8.4. */
import { type Body, bodyContent, parseBody } from "./body";
import { KEY_SIZE, MESSAGE_BUCKETS, SIGNATURE_SIZE, equalBytes, hex, lpFields, unpad } from "./encoding";
import { type Envelope, type Pre, checkCommitment, envelopeId, parseEnvelope } from "./envelope";
import { ProtocolError } from "./errors";
import { aeadOpen, h, verify } from "./primitives";
import { type Chain, type EpochState, chainOf, messageKey, withChain } from "./ratchet";

declare const openedBrand: unique symbol;

/** A message that was opened before: fingerprint, body and archived key. */
export interface Known {
  readonly eid: Uint8Array;
  readonly body: Uint8Array;
  readonly key: Uint8Array;
}

/** What a device has opened in a room; answered from its store. */
export interface MessageIndex {
  /** Whether this very envelope is known. */
  has(eid: Uint8Array): boolean;
  /** The message that this device sent under this id. */
  byId(device: Uint8Array, msgId: Uint8Array): Known | null;
  /** The message that this device sent under this counter. */
  byCounter(device: Uint8Array, epoch: number, n: number): Known | null;
}

/** The index of an empty store. */
export const NOTHING_KNOWN: MessageIndex = {
  has: () => false,
  byId: () => null,
  byCounter: () => null,
};

/**
 * A message that passed every check; only `openMessage` makes one, and screens show nothing else.
 * `frankKey` and `padded` are what a report would disclose.
 */
export interface OpenedMessage {
  readonly [openedBrand]: true;
  readonly pre: Pre;
  readonly body: Body;
  readonly eid: Uint8Array;
  readonly commitment: Uint8Array;
  readonly key: Uint8Array;
  readonly frankKey: Uint8Array;
  readonly padded: Uint8Array;
}

/**
 * The next state and what was found. `message` is null for an envelope that is known. `again`
 * marks a second sealing of a message that is known: it is stored, not shown twice.
 */
export interface Opened {
  readonly epoch: EpochState | null;
  readonly outcome: "ok" | "equivocation";
  readonly message: OpenedMessage | null;
  readonly again: boolean;
}

/** How an envelope is opened. `revoked` are devices (hexadecimal) known to be revoked. */
export interface OpenOptions {
  readonly room: Uint8Array;
  readonly index?: MessageIndex;
  readonly revoked?: ReadonlySet<string>;
}

/**
 * Open an envelope with the state of the epoch that its header names (null: not known).
 *
 * The order of checks, and so the name of a refusal, is fixed; when one is thrown nothing changes.
 * The caller stores the returned state, the message key and the eid in one transaction, and only
 * then shows the message.
 */
export function openMessage(
  data: Uint8Array,
  epoch: EpochState | null,
  { room, index = NOTHING_KNOWN, revoked = new Set() }: OpenOptions,
): Opened {
  if (index.has(envelopeId(data))) return { epoch, outcome: "ok", message: null, again: false };
  const envelope = parseEnvelope(data);
  const { pre } = envelope.header;
  const { state, chain } = place(pre, epoch, { room, revoked });
  const sameCounter = index.byCounter(pre.device, pre.epoch, pre.n);
  const { key, chain: nextChain } = keyFor(chain, pre.n, sameCounter);
  const message = open(envelope, key, chain.dskPub);
  const verdict = compare(message, index.byId(pre.device, pre.msgId), sameCounter);
  return { epoch: withChain(state, pre.device, nextChain), message, ...verdict };
}

function place(
  pre: Pre,
  epoch: EpochState | null,
  { room, revoked }: { room: Uint8Array; revoked: ReadonlySet<string> },
): { state: EpochState; chain: Chain } {
  if (!equalBytes(pre.room, room)) {
    throw new ProtocolError("reference", "a message of another room");
  }
  if (epoch?.epoch !== pre.epoch) {
    throw new ProtocolError("epoch_gap", `epoch ${pre.epoch} is not known`);
  }
  if (!equalBytes(epoch.commitHash, pre.commitHash)) {
    throw new ProtocolError("fork", `another commit for epoch ${pre.epoch}`);
  }
  if (!epoch.opened) throw new ProtocolError("epoch_unusable", "this epoch does not open here");
  const chain = chainOf(epoch, pre.device);
  if (!chain || !equalBytes(chain.user, pre.user) || revoked.has(hex(pre.device))) {
    throw new ProtocolError("roster", "a sender who is not in this epoch");
  }
  if (chain.cut !== null && pre.n >= chain.cut) {
    throw new ProtocolError("cut", "written after the device was dropped");
  }
  return { state: epoch, chain };
}

function keyFor(
  chain: Chain,
  n: number,
  sameCounter: Known | null,
): { key: Uint8Array; chain: Chain } {
  try {
    return messageKey(chain, n);
  } catch (error) {
    if (sameCounter && error instanceof ProtocolError) return { key: sameCounter.key, chain };
    throw error;
  }
}

function open(envelope: Envelope, key: Uint8Array, dskPub: Uint8Array): OpenedMessage {
  const { header, nonce, ciphertext, eid } = envelope;
  const inner = aeadOpen(key, nonce, ciphertext, header.data);
  const [frankKey, padded, signature] = lpFields(inner, [KEY_SIZE, null, SIGNATURE_SIZE]);
  verify(dskPub, "msg", h("hdr", header.data), signature);
  checkCommitment(header, frankKey, padded);
  const body = parseBody(unpad(padded, MESSAGE_BUCKETS));
  const { pre, commitment } = header;
  return { pre, body, eid, commitment, key, frankKey, padded } as OpenedMessage;
}

function compare(
  message: OpenedMessage,
  sameId: Known | null,
  sameCounter: Known | null,
): Pick<Opened, "outcome" | "again"> {
  const contradiction = { outcome: "equivocation", again: false } as const;
  if (sameCounter && !equalBytes(sameCounter.eid, message.eid)) return contradiction;
  if (!sameId || equalBytes(sameId.eid, message.eid)) return { outcome: "ok", again: false };
  const isSame = bodyContent(parseBody(sameId.body)) === bodyContent(message.body);
  return isSame ? { outcome: "ok", again: true } : contradiction;
}
