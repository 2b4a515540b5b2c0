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
import { measureEpochs, measurePast, measureUnlock } from "./bench_epochs";
import { type Milliseconds, randomBytes, times } from "./bench_times";

declare global {
  var measureCrypto: typeof measure;
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

/**
 * Times in milliseconds: the first making of keys is the cold one that a person meets. `devices`
 * are the sizes of the rooms in which commits are made.
 */
async function measure(devices: readonly number[]): Promise<Milliseconds> {
  await ready;
  const first = await times(1, makeKeys);
  const later = await times(20, makeKeys);
  const account = newAccount(randomBytes(16));
  const recovery = await times(3, () => sealRecovery(account, randomBytes(32), generateWords(), { version: 1 }));
  const messages = await measureMessages(500);
  const keys = { "keys, list and prekey (first)": first, "keys, list and prekey": later };
  const unlock = await measureUnlock();
  const past = await measurePast();
  const epochs = await measureEpochs(devices);
  return { ...keys, "recovery (Argon2id)": recovery, ...unlock, ...messages, ...past, ...epochs };
}

globalThis.measureCrypto = measure;
