/**
 * Sender chains of an epoch: one hash ratchet for each device (docs/protocol.md §7.1, §8.1).
 *
 * Nothing here changes in place. Every function returns the next state, and the caller stores it
 * together with what it opened, so that garbage and crashes never burn a key.
 */
import { fromHex, hex, lp } from "./encoding";
import { ProtocolError } from "./errors";
import { COUNTER_LIMIT, type Seen } from "./ops";
import { kdf } from "./primitives";

export const ROTATE_AT = 256;
export const ROTATE_AFTER_MS = 7 * 24 * 3600 * 1000;

/** One sender's ratchet: the key for counter `n`, the keys of earlier gaps, and perhaps an end. */
export interface Chain {
  readonly user: Uint8Array;
  readonly dskPub: Uint8Array;
  readonly key: Uint8Array;
  readonly n: number;
  readonly skipped: ReadonlyMap<number, Uint8Array>;
  readonly cut: number | null;
}

/**
 * What a device keeps of an epoch; `opened` is false when the epoch is unusable here. `chains`
 * is keyed by the hexadecimal device id. Plain data that IndexedDB can store.
 */
export interface EpochState {
  readonly room: Uint8Array;
  readonly epoch: number;
  readonly commitHash: Uint8Array;
  readonly opened: boolean;
  readonly chains: ReadonlyMap<string, Chain>;
}

/** Which device sends, with its user and signing key. */
export interface SenderKey {
  readonly user: Uint8Array;
  readonly device: Uint8Array;
  readonly dskPub: Uint8Array;
}

type EpochPlace = Pick<EpochState, "room" | "epoch" | "commitHash">;

/** Derive every sender's first chain key from an epoch secret. The secret is not kept. */
export function startEpoch(
  { room, epoch, commitHash }: EpochPlace,
  secret: Uint8Array,
  senders: readonly SenderKey[],
): EpochState {
  const epochKey = kdf(secret, "epoch", commitHash);
  const chains = new Map(
    senders.map(({ user, device, dskPub }): [string, Chain] => {
      const key = kdf(epochKey, "sender", lp(user, device));
      return [hex(device), { user, dskPub, key, n: 0, skipped: new Map(), cut: null }];
    }),
  );
  return { room, epoch, commitHash, opened: true, chains };
}

/** Note an epoch that exists and does not open here. */
export function unusableEpoch({ room, epoch, commitHash }: EpochPlace): EpochState {
  return { room, epoch, commitHash, opened: false, chains: new Map() };
}

/** Give the chain of a device, or null when the epoch does not have it. */
export function chainOf(state: EpochState, device: Uint8Array): Chain | null {
  return state.chains.get(hex(device)) ?? null;
}

/** Give the state with one sender's chain replaced. */
export function withChain(state: EpochState, device: Uint8Array, chain: Chain): EpochState {
  return { ...state, chains: new Map(state.chains).set(hex(device), chain) };
}

/** Give the key of counter `n` and the chain after it; `counter` when it is used up. */
export function messageKey(chain: Chain, n: number): { key: Uint8Array; chain: Chain } {
  if (n >= COUNTER_LIMIT) throw new ProtocolError("counter", "beyond the epoch's limit");
  const skipped = new Map(chain.skipped);
  if (n < chain.n) {
    const kept = skipped.get(n);
    if (!kept) throw new ProtocolError("counter", "a counter that is used up");
    skipped.delete(n);
    return { key: kept, chain: { ...chain, skipped } };
  }
  let chainKey = chain.key;
  for (let counter = chain.n; counter < n; counter += 1) {
    skipped.set(counter, kdf(chainKey, "msg"));
    chainKey = kdf(chainKey, "chain");
  }
  const next = { ...chain, key: kdf(chainKey, "chain"), n: n + 1, skipped };
  return { key: kdf(chainKey, "msg"), chain: next };
}

/** Move the own chain to `n` without keeping keys: after a lost store, counters go void. */
export function skipTo(state: EpochState, device: Uint8Array, n: number): EpochState {
  const chain = chainOf(state, device);
  if (!chain) throw new ProtocolError("roster", "the own device is not in this epoch");
  if (n <= chain.n) return state;
  if (n > COUNTER_LIMIT) throw new ProtocolError("counter", "beyond the epoch's limit");
  let key = chain.key;
  for (let counter = chain.n; counter < n; counter += 1) key = kdf(key, "chain");
  return withChain(state, device, { ...chain, key, n });
}

/** Say whether the device about to send should commit first; both times in own ms. */
export function shouldRotate(
  state: EpochState,
  device: Uint8Array,
  { received, now }: { received: number; now: number },
): boolean {
  const n = chainOf(state, device)?.n ?? 0;
  return n >= ROTATE_AT || now - received >= ROTATE_AFTER_MS;
}

/** End the chains of devices that the next commit drops: messages from there on are `cut`. */
export function closeEpoch(state: EpochState, cuts: ReadonlyMap<string, number>): EpochState {
  const chains = new Map(state.chains);
  for (const [device, cut] of cuts) {
    const chain = chains.get(device);
    if (chain) chains.set(device, { ...chain, cut });
  }
  return { ...state, chains };
}

/** Say how far the closing epoch was seen; 4096 where it does not open here. */
export function seenOps(closing: EpochState | null, dropped: ReadonlySet<string>): Seen[] {
  const seen = (device: string, nextN: number): Seen => ({
    op: "seen",
    device: fromHex(device),
    nextN,
  });
  if (!closing?.opened) return [...dropped].map((device) => seen(device, COUNTER_LIMIT));
  const ends = new Map([...dropped].map((device): [string, number] => [device, 0]));
  for (const [device, chain] of closing.chains) {
    if (chain.n > 0 || dropped.has(device)) ends.set(device, chain.n);
  }
  return [...ends].map(([device, nextN]) => seen(device, nextN));
}
