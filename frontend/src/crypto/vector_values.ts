/** How vectors write our objects down (crypto_client/vectors/README.md). */
import type { Commit } from "./commit";
import { type SignedDeviceList, listHash, parseDeviceList } from "./device_list";
import { decodeBase64url, encodeBase64url, hex } from "./encoding";
import { ReadLists, type RoomView, type Trust, listsByHash } from "./epoch";
import type { Chain, EpochState } from "./ratchet";
import { parseRoster } from "./roster";
import { prekeySource } from "./sources";

/** Read and write bytes of a vector. */
export const raw = decodeBase64url;
export const text = encodeBase64url;

/** Bytes, written as base64url. */
export type Bytes = string;

/** An object whose members are all bytes. */
export type Of<Names extends string> = Record<Names, Bytes>;

export interface SignedIn {
  data: Bytes;
  sig: Bytes;
}

export interface CommitIn extends Record<"core" | "tag" | "sig" | "ops" | "state", Bytes> {
  prekeys: Bytes;
  wraps: [Bytes, Bytes][];
}

export interface ViewIn extends Record<"room" | "origin" | "head" | "roster", Bytes> {
  epoch: number;
  clear: [number, number, number, number];
  title: string | null;
  recent: [number, Bytes][];
  unsettled: Bytes[];
}

interface ChainIn extends Record<"user" | "dsk_pub" | "key", Bytes> {
  n: number;
  skipped: [number, Bytes][];
  cut: number | null;
}

export interface EpochIn extends Record<"room" | "commit_hash", Bytes> {
  epoch: number;
  opened: boolean;
  chains: Record<Bytes, ChainIn>;
}

export interface TrustIn {
  lists: SignedIn[];
  pins: [Bytes, Bytes][];
  server_key: Bytes | null;
  read?: SignedIn[];
}

export interface SourceIn extends Record<"user" | "device", Bytes> {
  prekeys: [Bytes, Bytes][];
}

/** Read pairs of bytes as a map with hexadecimal keys. */
export function byHex<T>(pairs: readonly [Bytes, T][]): Map<string, T> {
  return new Map(pairs.map(([key, value]) => [hex(raw(key)), value]));
}

function bytesByHex(pairs: readonly [Bytes, Bytes][]): Map<string, Uint8Array> {
  return new Map(pairs.map(([key, value]) => [hex(raw(key)), raw(value)]));
}

export function readSigned({ data, sig }: SignedIn): SignedDeviceList {
  return { data: raw(data), sig: raw(sig) };
}

export function readCommit(v: CommitIn): Commit {
  return {
    core: raw(v.core),
    tag: raw(v.tag),
    sig: raw(v.sig),
    ops: raw(v.ops),
    state: raw(v.state),
    prekeys: raw(v.prekeys),
    wraps: bytesByHex(v.wraps),
  };
}

export function readView(v: ViewIn): RoomView {
  const [kind, historyPolicy, addPolicy, ttlSeconds] = v.clear;
  return {
    room: raw(v.room),
    origin: raw(v.origin),
    epoch: v.epoch,
    head: raw(v.head),
    roster: parseRoster(raw(v.roster)),
    clear: { kind, historyPolicy, addPolicy, ttlSeconds },
    title: v.title,
    recent: new Map(v.recent.map(([epoch, hash]) => [epoch, raw(hash)])),
    unsettled: v.unsettled.map((user) => raw(user)),
  };
}

function readChain(v: ChainIn): Chain {
  return {
    user: raw(v.user),
    dskPub: raw(v.dsk_pub),
    key: raw(v.key),
    n: v.n,
    skipped: new Map(v.skipped.map(([n, key]) => [n, raw(key)])),
    cut: v.cut,
  };
}

export function readEpoch(v: EpochIn): EpochState {
  const chains = Object.entries(v.chains);
  return {
    room: raw(v.room),
    epoch: v.epoch,
    commitHash: raw(v.commit_hash),
    opened: v.opened,
    chains: new Map(chains.map(([device, chain]) => [hex(raw(device)), readChain(chain)])),
  };
}

export function readTrust(v: TrustIn): Trust {
  return {
    lists: listsByHash(v.lists.map(readSigned)),
    pins: bytesByHex(v.pins),
    serverKeys: v.server_key === null ? [] : [raw(v.server_key)],
    read: readBefore(v.read ?? []),
  };
}

function readBefore(lists: readonly SignedIn[]): ReadLists {
  const read = new ReadLists();
  for (const signed of lists.map(readSigned)) {
    read.keep(hex(listHash(signed)), parseDeviceList(signed.data));
  }
  return read;
}

export function readSource(v: SourceIn | null): ReturnType<typeof prekeySource> | null {
  if (v === null) return null;
  return prekeySource({ user: raw(v.user), device: raw(v.device) }, bytesByHex(v.prekeys));
}
