import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { firstDeviceList, nextDeviceList, parseDeviceList } from "../../src/crypto/device_list";
import { decodeBase64url, encodeBase64url } from "../../src/crypto/encoding";
import { type HistoryWriter, sealHistory } from "../../src/crypto/history";
import { deviceEntry, newAccount, newDevice } from "../../src/crypto/identity";
import { systemRandom } from "../../src/crypto/primitives";
import { backupPublic, openRecovery, sealRecovery } from "../../src/crypto/recovery";
import { Api } from "../../src/engine/api";
import type { Id } from "../../src/engine/contract";
import { idBytes, idOf } from "../../src/engine/ids";
import { Keyring } from "../../src/engine/keys";
import { browserPlatform } from "../../src/engine/platform";
import { Store } from "../../src/engine/store/store";
import type { HistoryRecordJson, UserKeysJson } from "../../src/engine/wire";
import { type Person, World } from "./cast";
import { until } from "./clock";

let world: World;
let alice: Person;
let bob: Person;
let laptop: Person;
let words: string;
let room: Id;
beforeEach(async () => {
  world = new World();
  [alice, bob] = (await world.friends("alice", "bob")) as [Person, Person];
  room = await alice.talkTo(bob);
  await alice.say(room, "kept");
  await alice.allAre("stored");
  words = await alice.words();
  laptop = world.elsewhere(alice);
});
afterEach(() => world.end());

async function refusedWith(code: string): Promise<void> {
  await laptop.open();
  await until(() => laptop.page.seen.phase === "no_keys_here", "not asked");
  await expect(laptop.ask("restore", { secret: words })).rejects.toMatchObject({ code });
  expect(world.server.devicesOf(alice.id)).toHaveLength(1);
  expect(laptop.page.seen.phase).toBe("no_keys_here");
}

function blobOf(person: Person) {
  const { recovery_blob, recovery_sig } = world.server.accounts.get(person.id)!.recovery!;
  return { data: decodeBase64url(recovery_blob), sig: decodeBase64url(recovery_sig) };
}

function servesBlob(blob: { data: Uint8Array; sig: Uint8Array }): void {
  world.server.lies["GET me/recovery"] = () => ({
    recovery_blob: encodeBase64url(blob.data),
    recovery_sig: encodeBase64url(blob.sig),
    carries: [],
  });
}

const recovered = () => openRecovery(blobOf(alice), { user: idBytes(alice.id), secret: words });

describe("a recovery blob", () => {
  it("with a changed byte is told from a wrong word", async () => {
    const { data, sig } = blobOf(alice);
    data[data.length - 1]! ^= 1;
    servesBlob({ data, sig });
    await refusedWith("recovery_blob");
  });

  it("of somebody else is refused", async () => {
    servesBlob(blobOf(bob));
    await refusedWith("recovery_blob");
  });

  it("older than the account's newest is refused", async () => {
    world.server.lies["GET me"] = (truth) => ({ ...(truth() as object), recovery_version: 2 });
    await refusedWith("recovery_blob");
  });

  it("of a made-up account under the server's key opens nothing", async () => {
    const forged = newAccount(idBytes(alice.id));
    const account_key = encodeBase64url(forged.publicHalf);
    world.server.lies["GET me"] = (truth) => ({ ...(truth() as object), account_key });
    servesBlob(sealRecovery(forged, systemRandom(32), "baba baba baba baba baba baba", { version: 1 }));
    await refusedWith("recovery_secret");
  });
});

describe("device lists", () => {
  /** Alice's second list, which a hostile server may hide. */
  async function second() {
    const { account } = recovered();
    const { device_list, list_sig } = world.server.accounts.get(alice.id)!.lists[0]!;
    const first = { data: decodeBase64url(device_list), sig: decodeBase64url(list_sig) };
    const { entries } = parseDeviceList(first.data);
    const other = deviceEntry(await newDevice(account.user, account.publicHalf, 1));
    return nextDeviceList(account, first, [...entries, other], { time: 2 });
  }

  it("of which the server tells and that it does not give are refused", async () => {
    world.server.lies["GET me"] = (truth) => ({ ...(truth() as object), list_version: 2 });
    await refusedWith("recovery_lists");
  });

  it("without their first are refused", async () => {
    const list = await second();
    const row = { version: 2, device_list: encodeBase64url(list.data), list_sig: encodeBase64url(list.sig) };
    world.server.lies["GET users/*/keys"] = (truth) => ({ ...(truth() as UserKeysJson), lists: [row] });
    await refusedWith("recovery_lists");
  });

  it("under another account key are refused", async () => {
    const forged = newAccount(idBytes(alice.id));
    const device = await newDevice(forged.user, forged.publicHalf, 1);
    const list = firstDeviceList(forged, [deviceEntry(device)], { time: 1, bkPub: systemRandom(1216) });
    const row = { version: 1, device_list: encodeBase64url(list.data), list_sig: encodeBase64url(list.sig) };
    world.server.lies["GET users/*/keys"] = (truth) => ({ ...(truth() as UserKeysJson), lists: [row] });
    await refusedWith("recovery_lists");
  });

  it("of which a room names a newer one are refused: the server rolled the list back", async () => {
    await laptop.restore(words);
    await until(() => world.server.room(room).commits.length === 2, "the room was not entered");
    const third = world.elsewhere(alice);
    const { lists } = world.server.accounts.get(alice.id)!;
    const newest = lists.pop()!;
    await third.open();
    await until(() => third.page.seen.phase === "no_keys_here", "not asked");
    const restored = third.ask("restore", { secret: words });
    await expect(restored).rejects.toMatchObject({ code: "recovery_lists" });
    expect(lists).toHaveLength(1);
    lists.push(newest);
  });

  it("that changed at the same moment make nothing: the person tries again", async () => {
    const list = await second();
    const row = { version: 2, device_list: encodeBase64url(list.data), list_sig: encodeBase64url(list.sig) };
    world.server.lies["POST me/device-lists"] = (truth) => {
      delete world.server.lies["POST me/device-lists"];
      world.server.accounts.get(alice.id)!.lists.push(row);
      return truth();
    };
    await laptop.open();
    await until(() => laptop.page.seen.phase === "no_keys_here", "not asked");
    await expect(laptop.ask("restore", { secret: words })).rejects.toMatchObject({ code: "list_version" });
    await laptop.ask("restore", { secret: words });
    await laptop.online();
    expect(world.server.devicesOf(alice.id)).toHaveLength(3);
  });
});

describe("a history record", () => {
  const records = () => world.server.room(room).records.filter((row) => row.user === alice.id);

  /** Serve these records, and restore. */
  async function restoredWith(rows: HistoryRecordJson[]): Promise<void> {
    world.server.lies["GET rooms/*/history-records"] = () => ({ records: rows });
    await laptop.restore(words);
    await laptop.show(room);
  }

  async function showsNotRestored(): Promise<void> {
    await until(() => laptop.page.kinds.includes("unreadable"), "nothing is said");
    const item = laptop.page.seen.timeline!.items.find((one) => one.kind === "unreadable");
    expect(item?.unreadable).toBe("not_restored");
  }

  async function sealed(writer: HistoryWriter, secret: Uint8Array): Promise<HistoryRecordJson> {
    const [row] = records();
    const name = { room: idBytes(room), epoch: 0, commitHash: decodeBase64url(row!.commit_hash) };
    const { record, sig } = await sealHistory(writer, name, secret);
    const own = { record: encodeBase64url(record), sig: encodeBase64url(sig) };
    return { ...row!, ...own, writer_device: idOf(writer.keys.device) };
  }

  /** By a device that no list names: the thief of a name, not of a key. */
  async function byForeign(): Promise<HistoryRecordJson> {
    const { account, bkVersion, recoveryKey } = recovered();
    const keys = await newDevice(account.user, account.publicHalf, 1);
    const bkPub = backupPublic(recoveryKey, account.user, bkVersion);
    return sealed({ keys, bkVersion, bkPub }, systemRandom(32));
  }

  /** By alice's own first device, with a secret that is not the epoch's. */
  async function byOwn(): Promise<HistoryRecordJson> {
    const store = await Store.open(alice.id, () => undefined);
    const origin = "https://chat.example";
    const api = new Api(browserPlatform, origin, "");
    const keyring = await Keyring.load(store, { api, platform: browserPlatform, origin });
    const writer = await keyring!.historyWriter();
    store.close();
    return sealed(writer, systemRandom(32));
  }

  it("that is withheld leaves its messages closed, and the room open for new ones", async () => {
    await restoredWith([]);
    await showsNotRestored();
    await laptop.say(room, "new");
    await laptop.allAre("stored");
  });

  it("signed by a foreign device is passed over, and the true one beside it opens", async () => {
    await restoredWith([await byForeign(), ...records()]);
    await laptop.sees("kept");
  });

  it("of a foreign device alone opens nothing", async () => {
    await restoredWith([await byForeign()]);
    await showsNotRestored();
  });

  it("with another secret than the commit's opens nothing, and keeps nobody from the true one", async () => {
    const wrong = await byOwn();
    await restoredWith([wrong]);
    await showsNotRestored();
    const third = world.elsewhere(alice);
    world.server.lies["GET rooms/*/history-records"] = () => ({ records: [wrong, ...records()] });
    await third.restore(words);
    await third.show(room);
    await third.sees("kept");
  });
});
