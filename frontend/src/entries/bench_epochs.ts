/** What a room's epochs, its past, and the recovery key cost in this browser. */
import {
  type Commit,
  type Committer,
  type DeviceKeys,
  type EpochState,
  ReadLists,
  type Received,
  type SignedDeviceList,
  type SignedPrekey,
  type Trust,
  commitRotation,
  createGroup,
  deviceEntry,
  firstDeviceList,
  generateWords,
  listsByHash,
  newAccount,
  newDevice,
  newPrekey,
  newSeedKey,
  openMessage,
  openRecovery,
  parseCore,
  prekeyHash,
  prekeySource,
  receiveCommit,
  sealMessage,
  sealRecovery,
  textBody,
} from "../crypto";
import { hex } from "../crypto/encoding";
import { type Milliseconds, randomBytes, times } from "./bench_times";

const RUNS = 5;
const MESSAGES = 1000;

interface Person {
  readonly keys: DeviceKeys;
  readonly devices: SignedDeviceList;
  readonly prekeys: readonly (readonly [string, SignedPrekey])[];
  readonly seed: Uint8Array;
}

/** An account with two devices; the first one's prekey seed is kept. */
async function person(): Promise<Person> {
  const [account, now] = [newAccount(randomBytes(16)), Date.now()];
  const device = () => newDevice(account.user, account.publicHalf, now, newSeedKey());
  const [first, second] = [await device(), await device()];
  const entries = [first, second].map(deviceEntry);
  const devices = firstDeviceList(account, entries, { time: now, bkPub: new Uint8Array(1216) });
  const made = await newPrekey(first, { seq: 1, created: now });
  const other = await newPrekey(second, { seq: 1, created: now });
  const prekeys = [
    [hex(first.device), made.prekey],
    [hex(second.device), other.prekey],
  ] as const;
  return { keys: first, devices, prekeys, seed: made.seed };
}

/** A group of so many devices, and what the second person's first device makes of its commits. */
class Room {
  private readonly read = new ReadLists();

  private constructor(
    readonly by: Committer,
    readonly reader: Person,
    private readonly trust: Trust,
    readonly first: Commit,
  ) {}

  static async of(devices: number): Promise<Room> {
    const people: Person[] = [];
    for (let made = 0; made < devices / 2; made += 1) people.push(await person());
    const [own, reader] = people;
    if (!own || !reader) throw new RangeError("a room has two people");
    const lists = listsByHash(people.map((one) => one.devices));
    const prekeys = new Map(people.flatMap((one) => one.prekeys));
    const by = { keys: own.keys, lists, prekeys, now: Date.now() };
    const first = await createGroup(by, people.map((one) => one.devices), { title: "bench" });
    const pins = new Map(people.map(({ keys }) => [hex(keys.user), keys.amkPub]));
    return new Room(by, reader, { lists, pins }, first);
  }

  receive(commit: Commit, before: Received | null, read = this.read): Promise<Received> {
    const { keys, prekeys, seed } = this.reader;
    const device = hex(keys.device);
    const wrap = commit.wraps.get(device);
    const prekey = prekeys[0]?.[1];
    if (!wrap || !prekey) throw new Error("the reader has no wrap");
    const own = { ...commit, prekeys: new Uint8Array(0), wraps: new Map([[device, wrap]]) };
    const source = prekeySource(keys, new Map([[hex(prekeyHash(prekey)), seed]]));
    const { room } = parseCore(commit.core);
    const trust = { ...this.trust, read };
    return receiveCommit(before?.view ?? null, own, { room, trust, source });
  }
}

/** Making a commit for rooms of growing size, and reading it on one device. */
export async function measureEpochs(sizes: readonly number[]): Promise<Milliseconds> {
  const found: Milliseconds = {};
  for (const size of sizes) {
    const room = await Room.of(size);
    const before = await room.receive(room.first, null);
    const make = () => commitRotation(before.view, room.by);
    const commit = await make();
    const devices = `${size.toLocaleString("en")} devices`;
    found[`commit for ${devices}`] = await times(RUNS, make);
    found[`receive for ${devices}`] = await times(RUNS, () => room.receive(commit, before));
    const first = () => room.receive(commit, before, new ReadLists());
    found[`receive first for ${devices}`] = await times(RUNS, first);
  }
  return found;
}

/** A thousand stored messages of 200 bytes by one sender, opened one after the other. */
export async function measurePast(): Promise<Milliseconds> {
  const room = await Room.of(4);
  const { epoch } = await room.receive(room.first, null);
  if (!epoch?.opened) throw new Error("the epoch does not open");
  const envelopes = await sealed(epoch, room.reader.keys);
  const open = () => {
    let state: EpochState | null = epoch;
    for (const envelope of envelopes) state = openMessage(envelope, state, { room: epoch.room }).epoch;
  };
  return { [`open ${MESSAGES.toLocaleString("en")}`]: await times(3, open) };
}

async function sealed(start: EpochState, keys: DeviceKeys): Promise<Uint8Array[]> {
  const body = textBody("x".repeat(200));
  const envelopes: Uint8Array[] = [];
  let epoch = start;
  for (let made = 0; made < MESSAGES; made += 1) {
    const next = await sealMessage(epoch, keys, body, { msgId: randomBytes(16), time: Date.now() });
    envelopes.push(next.envelope);
    ({ epoch } = next);
  }
  return envelopes;
}

/** Opening the recovery blob with its words: Argon2id, then everything that is checked. */
export async function measureUnlock(): Promise<Milliseconds> {
  const account = newAccount(randomBytes(16));
  const secret = generateWords();
  const blob = sealRecovery(account, randomBytes(32), secret, { version: 1 });
  const known = { user: account.user, knownVersion: 1, knownBkVersion: 1 };
  const unlock = () => openRecovery(blob, { ...known, secret });
  return { "recovery, unlocked (Argon2id)": await times(3, unlock) };
}
