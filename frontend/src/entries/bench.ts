/**
 * Lets the benchmarks measure this browser: sets `measureCrypto`, and does nothing by itself.
 * No page of the application loads it.
 */
import {
  backupPublic,
  createGroup,
  deviceEntry,
  firstDeviceList,
  generateWords,
  listsByHash,
  newAccount,
  newDevice,
  newPrekey,
  openMessage,
  parseCore,
  prekeyHash,
  prekeySource,
  ready,
  receiveCommit,
  sealMessage,
  sealRecovery,
  textBody,
} from "../crypto";
import { hex } from "../crypto/encoding";

type Milliseconds = Record<string, number[]>;

declare global {
  var measureCrypto: typeof measure;
}

const randomBytes = (size: number): Uint8Array => crypto.getRandomValues(new Uint8Array(size));

async function times(count: number, work: () => unknown): Promise<number[]> {
  const found: number[] = [];
  for (let run = 0; run < count; run += 1) {
    const began = performance.now();
    await work();
    found.push(performance.now() - began);
  }
  return found;
}

async function makeKeys() {
  const now = Date.now();
  const account = newAccount(randomBytes(16));
  const device = await newDevice(account.user, account.publicHalf, now);
  const bkPub = backupPublic(randomBytes(32), account.user, 1);
  const list = firstDeviceList(account, [deviceEntry(device)], { time: now, bkPub });
  return { account, device, list, ...(await newPrekey(device, { seq: 1, created: now })) };
}

async function openEpoch() {
  const { device, list, seed, prekey } = await makeKeys();
  const lists = listsByHash([list]);
  const prekeys = new Map([[hex(device.device), prekey]]);
  const by = { keys: device, lists, prekeys, now: Date.now() };
  const commit = await createGroup(by, [list], { title: "bench" });
  const { room } = parseCore(commit.core);
  const source = prekeySource(device, new Map([[hex(prekeyHash(prekey)), seed]]));
  const trust = { lists, pins: new Map<string, Uint8Array>() };
  const { epoch } = await receiveCommit(null, commit, { room, trust, source });
  if (!epoch) throw new Error("the epoch does not open");
  return { device, room, epoch };
}

async function measureMessages(count: number): Promise<Milliseconds> {
  const { device, room, ...opened } = await openEpoch();
  const body = textBody("x".repeat(200));
  let { epoch } = opened;
  const seal: number[] = [];
  const open: number[] = [];
  for (let run = 0; run < count; run += 1) {
    const began = performance.now();
    const sealed = await sealMessage(epoch, device, body, { msgId: randomBytes(16), time: Date.now() });
    const between = performance.now();
    if (!openMessage(sealed.envelope, epoch, { room }).message) throw new Error("does not open");
    open.push(performance.now() - between);
    seal.push(between - began);
    ({ epoch } = sealed);
  }
  return { "seal 200 bytes": seal, "open 200 bytes": open };
}

/** Times in milliseconds: the first making of keys is the cold one that a person meets. */
async function measure(): Promise<Milliseconds> {
  await ready;
  const first = await times(1, makeKeys);
  const later = await times(20, makeKeys);
  const account = newAccount(randomBytes(16));
  const recovery = await times(3, () => sealRecovery(account, randomBytes(32), generateWords(), { version: 1 }));
  const messages = await measureMessages(500);
  return { "keys, list and prekey (first)": first, "keys, list and prekey": later, "recovery (Argon2id)": recovery, ...messages };
}

globalThis.measureCrypto = measure;
