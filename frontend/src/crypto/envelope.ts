/** Sealing a message, and the header that the server may read (docs/protocol.md §8.2). */
import { parseBody } from "./body";
import {
  HASH_SIZE,
  ID_SIZE,
  KEY_SIZE,
  MESSAGE_BUCKETS,
  SUITE_BYTE,
  hex,
  lp,
  lpFields,
  lpSplit,
  pad,
  typedFields,
  u32,
  u64,
  u8,
  uint,
  utf8,
} from "./encoding";
import { ProtocolError } from "./errors";
import { type DeviceKeys, signAsDevice } from "./identity";
import { COUNTER_LIMIT } from "./ops";
import { NONCE_SIZE, type Random, aeadSeal, h, hmacSha256, same, systemRandom } from "./primitives";
import { type EpochState, chainOf, messageKey, withChain } from "./ratchet";

export const CLASS_SILENT = 0;
export const CLASS_MESSAGE = 1;
export const MAX_ATTACHMENTS = 16;
export const MAX_ENVELOPE = 34_000;

declare const sealedBrand: unique symbol;

/** The bytes of an envelope: sealed, and never to be shown. */
export type SealedEnvelope = Uint8Array & { readonly [sealedBrand]: true };

/** All of a header but its commitment; `time` in ms, `expiresAfter` in seconds, 0 never. */
export interface Pre {
  readonly room: Uint8Array;
  readonly epoch: number;
  readonly commitHash: Uint8Array;
  readonly user: Uint8Array;
  readonly device: Uint8Array;
  readonly n: number;
  readonly msgId: Uint8Array;
  readonly time: number;
  readonly messageClass: number;
  readonly expiresAfter: number;
  readonly attachments: readonly Uint8Array[];
}

/** A header as received: its bytes, what they say, and the commitment. */
export interface Header {
  readonly data: Uint8Array;
  readonly preData: Uint8Array;
  readonly pre: Pre;
  readonly commitment: Uint8Array;
}

/** An envelope taken apart, not opened; `eid` is its fingerprint. */
export interface Envelope {
  readonly header: Header;
  readonly nonce: Uint8Array;
  readonly ciphertext: Uint8Array;
  readonly eid: Uint8Array;
}

/** A sealed message and what its sender keeps: the next state, fingerprint, counter and key. */
export interface Sealed {
  readonly epoch: EpochState;
  readonly envelope: SealedEnvelope;
  readonly eid: Uint8Array;
  readonly n: number;
  readonly key: Uint8Array;
}

/** Write `pre` of docs/protocol.md §8.2. */
export function encodePre(pre: Pre): Uint8Array {
  return lp(
    utf8("msg"),
    SUITE_BYTE,
    pre.room,
    u64(pre.epoch),
    pre.commitHash,
    pre.user,
    pre.device,
    u32(pre.n),
    pre.msgId,
    u64(pre.time),
    u8(pre.messageClass),
    u32(pre.expiresAfter),
    lp(...pre.attachments),
  );
}

function attachmentIds(data: Uint8Array): Uint8Array[] {
  const ids = lpSplit(data, MAX_ATTACHMENTS);
  if (ids.some((id) => id.length !== ID_SIZE)) {
    throw new ProtocolError("parse", "an attachment id has 16 bytes");
  }
  if (new Set(ids.map(hex)).size !== ids.length) {
    throw new ProtocolError("parse", "an attachment twice");
  }
  return ids;
}

function parsePre(data: Uint8Array): Pre {
  const sizes = [ID_SIZE, 8, HASH_SIZE, ID_SIZE, ID_SIZE, 4, ID_SIZE, 8, 1, 4, null] as const;
  const [room, epoch, commitHash, user, device, n, msgId, time, ...rest] = typedFields(
    data,
    "msg",
    sizes,
  );
  const [messageClass, expiresAfter, attachments] = rest;
  const ids = attachmentIds(attachments);
  const read = { epoch: uint(epoch), n: uint(n), time: uint(time) };
  if (uint(messageClass) > CLASS_MESSAGE) {
    throw new ProtocolError("parse", "an unknown message class");
  }
  if (read.n >= COUNTER_LIMIT) throw new ProtocolError("counter", "beyond the epoch's limit");
  return {
    ...{ room, commitHash, user, device, msgId, ...read },
    messageClass: uint(messageClass),
    expiresAfter: uint(expiresAfter),
    attachments: ids,
  };
}

/** Read a header without believing it; `parse`, `suite` or `counter`. */
export function parseHeader(data: Uint8Array): Header {
  const [preData, commitment] = lpFields(data, [null, HASH_SIZE]);
  return { data, preData, pre: parsePre(preData), commitment };
}

/** Give the fingerprint by which server and clients compare envelopes. */
export function envelopeId(data: Uint8Array): Uint8Array {
  return h("envelope", data);
}

/** Take an envelope apart without opening it; `parse`, `suite` or `counter`. */
export function parseEnvelope(data: Uint8Array): Envelope {
  if (data.length > MAX_ENVELOPE) {
    throw new ProtocolError("parse", "an envelope is below 34,000 bytes");
  }
  const [hdr, nonce, ciphertext] = lpFields(data, [null, NONCE_SIZE, null]);
  return { header: parseHeader(hdr), nonce, ciphertext, eid: envelopeId(data) };
}

/** Commit to a whole header and a padded body under a fresh 32-byte key. */
export function commitmentOf(
  key: Uint8Array,
  preData: Uint8Array,
  padded: Uint8Array,
): Uint8Array {
  return hmacSha256(key, lp(utf8("HRK/1 frank"), preData, padded));
}

/** Check that a disclosed key and body are the ones that were sealed; else `commitment`. */
export function checkCommitment(header: Header, key: Uint8Array, padded: Uint8Array): void {
  if (key.length !== KEY_SIZE) {
    throw new ProtocolError("commitment", "a commitment key has 32 bytes");
  }
  if (!same(commitmentOf(key, header.preData, padded), header.commitment)) {
    throw new ProtocolError("commitment", "another body than the committed one");
  }
}

/** Make the server's stamp over an accepted header (docs/protocol.md §8.5); for its vectors. */
export function acceptanceStamp(
  key: Uint8Array,
  keyId: number,
  hdr: Uint8Array,
  acceptedMs: number,
): Uint8Array {
  return hmacSha256(key, lp(utf8("HRK/1 stamp"), u32(keyId), h("hdr", hdr), u64(acceptedMs)));
}

/** What a message says outside its body. */
export interface SealOptions {
  readonly msgId: Uint8Array;
  readonly time: number;
  readonly messageClass?: number;
  readonly expiresAfter?: number;
  readonly attachments?: readonly Uint8Array[];
  readonly random?: Random;
}

/**
 * Seal a body under the own next counter; `time` in ms, `expiresAfter` in seconds.
 *
 * Store the returned state durably before the envelope leaves: a counter is never used twice. The
 * same `msgId` may be sealed again in a later epoch (§8.2). Refuses `body`, `epoch_unusable`,
 * `roster` (the device is not in this epoch) and `counter`.
 *
 * @example
 * const { epoch: next, envelope } = await sealMessage(epoch, keys, textBody("안녕"), { msgId, time });
 */
export async function sealMessage(
  epoch: EpochState,
  keys: DeviceKeys,
  body: Uint8Array,
  { random = systemRandom, ...options }: SealOptions,
): Promise<Sealed> {
  if (!epoch.opened) throw new ProtocolError("epoch_unusable", "this epoch does not open here");
  const chain = chainOf(epoch, keys.device);
  if (!chain) throw new ProtocolError("roster", "the own device is not in this epoch");
  parseBody(body);
  const { key, chain: nextChain } = messageKey(chain, chain.n);
  const pre = encodePre({
    room: epoch.room,
    epoch: epoch.epoch,
    commitHash: epoch.commitHash,
    user: keys.user,
    device: keys.device,
    n: chain.n,
    messageClass: CLASS_MESSAGE,
    expiresAfter: 0,
    attachments: [],
    ...options,
  });
  parsePre(pre);
  const envelope = await seal(key, pre, { body, keys, random });
  const next = withChain(epoch, keys.device, nextChain);
  return { epoch: next, envelope, eid: envelopeId(envelope), n: chain.n, key };
}

async function seal(
  key: Uint8Array,
  pre: Uint8Array,
  { body, keys, random }: { body: Uint8Array; keys: DeviceKeys; random: Random },
): Promise<SealedEnvelope> {
  const padded = pad(body, MESSAGE_BUCKETS);
  const frankKey = random(KEY_SIZE);
  const nonce = random(NONCE_SIZE);
  const hdr = lp(pre, commitmentOf(frankKey, pre, padded));
  const inner = lp(frankKey, padded, await signAsDevice(keys, "msg", h("hdr", hdr)));
  return lp(hdr, nonce, aeadSeal(key, nonce, inner, hdr)) as SealedEnvelope;
}
