/** A server that lies about keys: none of it gets a secret from a browser. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Commit } from "../../src/crypto/commit";
import {
  type SignedDeviceList,
  firstDeviceList,
  nextDeviceList,
  parseDeviceList,
  signDeviceList,
} from "../../src/crypto/device_list";
import { decodeBase64url, encodeBase64url, hex } from "../../src/crypto/encoding";
import { deviceEntry, newAccount, newDevice } from "../../src/crypto/identity";
import { newPrekey } from "../../src/crypto/prekeys";
import { h, systemRandom } from "../../src/crypto/primitives";
import { openRecovery } from "../../src/crypto/recovery";
import { Api } from "../../src/engine/api";
import type { Id } from "../../src/engine/contract";
import { idBytes, idOf } from "../../src/engine/ids";
import { Keyring } from "../../src/engine/keys";
import { browserPlatform } from "../../src/engine/platform";
import { Store } from "../../src/engine/store/store";
import type { UserKeysJson } from "../../src/engine/wire";
import { type Person, World } from "./cast";
import { until } from "./clock";
import { Problem } from "./server_asked";
import type { CommitBody, WrapBody } from "./server_rooms";
import { ServerKeyLog } from "./server_key_log";

let world: World;
let alice: Person;
let bob: Person;

/** The wraps of each commit as they were handed in: once fetched they are gone. */
let handedIn: WrapBody[][];

beforeEach(async () => {
  world = new World();
  [alice, bob] = (await world.friends("alice", "bob")) as [Person, Person];
  handedIn = [];
  for (const request of ["POST rooms", "POST rooms/*/commits"]) {
    world.server.lies[request] = (truth, { body }) => {
      handedIn.push(body["wraps"] as WrapBody[]);
      return truth();
    };
  }
});
afterEach(() => world.end());

async function group(title = "garden"): Promise<Id> {
  return (await alice.ask("room_create_group", { title, userIds: [bob.id] })).roomId;
}

async function isRefusedARoom(): Promise<void> {
  await expect(group("another")).rejects.toMatchObject({ code: "unverified" });
}

/** Say something else of bob's keys. */
function sayOfBob(change: (keys: UserKeysJson) => Partial<UserKeysJson>): void {
  world.server.lies["GET users/*/keys"] = (truth, { path }) => {
    const keys = truth() as UserKeysJson;
    return path[1] === bob.id ? { ...keys, ...change(keys) } : keys;
  };
}

function listJson(list: SignedDeviceList) {
  const { version } = parseDeviceList(list.data);
  const [data, sig] = [encodeBase64url(list.data), encodeBase64url(list.sig)];
  return { version, device_list: data, list_sig: sig };
}

/** What a server makes up for bob: another account key, a device and its prekey. */
async function impostor() {
  const account = newAccount(idBytes(bob.id));
  const keys = await newDevice(account.user, account.publicHalf, 1);
  const bkPub = systemRandom(1216);
  const list = firstDeviceList(account, [deviceEntry(keys)], { time: 1, bkPub });
  const { prekey } = await newPrekey(keys, { seq: 1, created: world.clock.now() });
  const device = idOf(keys.device);
  const signed = { prekey: encodeBase64url(prekey.data), prekey_sig: encodeBase64url(prekey.sig) };
  const said: Partial<UserKeysJson> = {
    account_key: encodeBase64url(account.publicHalf),
    lists: [listJson(list)],
    prekeys: [{ device_id: device, seq: 1, ...signed }],
  };
  return { account, device, said };
}

/** Which devices the newest commit has a wrap for. */
function wrapped(): Id[] {
  return handedIn.at(-1)!.map((row) => row.device_id);
}

describe("an account key that changed", () => {
  it("gets no wrap and comes in by no commit that nobody asked for", async () => {
    const room = await group();
    await bob.closeAll();
    const { account, device, said } = await impostor();
    sayOfBob(() => said);
    await alice.ask("room_rename", { roomId: room, title: "yard" });
    const { roster } = world.server.room(room);
    expect(world.server.room(room).commits).toHaveLength(2);
    expect(wrapped()).toEqual([alice.session.device]);
    expect(wrapped()).not.toContain(device);
    expect(roster.map((row) => hex(row.amkPub))).not.toContain(hex(account.publicHalf));
  });

  it("begins no new room", async () => {
    await group();
    const { said } = await impostor();
    sayOfBob(() => said);
    await isRefusedARoom();
  });
});

describe("a device list", () => {
  function first(): SignedDeviceList {
    const [row] = world.server.accounts.get(bob.id)!.lists;
    return { data: decodeBase64url(row!.device_list), sig: decodeBase64url(row!.list_sig) };
  }

  it("with a ghost device that bob never signed is refused", async () => {
    await group();
    const { user, amkPub, entries } = parseDeviceList(first().data);
    const ghost = deviceEntry(await newDevice(user, amkPub, 1));
    const server = { ...newAccount(user), publicHalf: amkPub };
    const forged = nextDeviceList(server, first(), [...entries, ghost], { time: 1 });
    sayOfBob(() => ({ lists: [listJson(forged)] }));
    await isRefusedARoom();
  });

  it("never goes back to an older one", async () => {
    await group();
    await world.elsewhere(bob).restore(await bob.words());
    await group("with both");
    expect(wrapped()).toHaveLength(3);
    sayOfBob(() => ({ lists: [listJson(first())] }));
    await isRefusedARoom();
  });

  it("of the same number never says something else, though the account key signed it", async () => {
    await group();
    const { recovery } = world.server.accounts.get(bob.id)!;
    const blob = {
      data: decodeBase64url(recovery!.recovery_blob),
      sig: decodeBase64url(recovery!.recovery_sig),
    };
    const secret = await bob.words();
    const whose = { user: idBytes(bob.id), knownVersion: 0, knownBkVersion: 0 };
    const { account } = openRecovery(blob, { ...whose, secret });
    const other = signDeviceList(account, { ...parseDeviceList(first().data), time: 7 });
    sayOfBob(() => ({ lists: [listJson(other)] }));
    await isRefusedARoom();
  });
});

describe("a foreign prekey", () => {
  it.each(["alice's own", "with another signature"])("%s gets no secret, and stops nobody", async (which) => {
    await group();
    expect(wrapped()).toContain(bob.session.device);
    const foreign = [...world.server.accounts.get(alice.id)!.prekeys.values()][0]!;
    sayOfBob(({ prekeys }) => ({
      prekeys: prekeys.map((row) =>
        which === "alice's own"
          ? { ...foreign, device_id: row.device_id }
          : { ...row, prekey_sig: foreign.prekey_sig },
      ),
    }));
    await group("another");
    expect(wrapped()).toEqual([alice.session.device]);
  });
});

describe("a leaf of the key log under another label", () => {
  it("is no leaf of this person: every reader computes the same label", async () => {
    await group();
    const carol = await world.person("carol");
    world.server.befriend(alice.id, carol.id);
    const other = new ServerKeyLog(world.server.keyLog.seed);
    other.leaves = world.server.keyLog.leaves.slice(0, 2);
    const { lists } = world.server.accounts.get(carol.id)!;
    other.add(idOf(systemRandom(16)), h("devices", decodeBase64url(lists[0]!.device_list)));
    const { lies, clock } = world.server;
    lies["GET key-log/head"] = () => other.headJson(clock.now());
    lies["GET key-log"] = (_, { query }) => other.pageJson(clock.now(), Number(query.get("after")));
    const opened = alice.ask("room_create_group", { title: "x", userIds: [carol.id] });
    await expect(opened).rejects.toMatchObject({ code: "unverified" });
  });
});

describe("a lost race", () => {
  it("is run again with another secret", async () => {
    const room = await group();
    const posted: { commit: CommitBody; wraps: WrapBody[] }[] = [];
    world.server.lies["POST rooms/*/commits"] = (truth, { body }) => {
      const { wraps, ...commit } = body as unknown as CommitBody & { wraps: WrapBody[] };
      posted.push({ commit, wraps });
      if (posted.length === 1) throw new Problem("stale_head", 409);
      return truth();
    };
    await alice.ask("room_rename", { roomId: room, title: "yard" });
    await until(() => bob.room(room)?.title === "yard", "not renamed");
    const [lost, won] = await Promise.all(posted.map(secretForBob));
    expect(posted).toHaveLength(2);
    expect(lost).not.toBe(won);
  });

  async function secretForBob(posted: { commit: CommitBody; wraps: WrapBody[] }): Promise<string> {
    const store = await Store.open(bob.id, () => undefined);
    const origin = "https://chat.example";
    const api = new Api(browserPlatform, origin, "");
    const keyring = await Keyring.load(store, { api, platform: browserPlatform, origin });
    const source = await keyring!.source();
    store.close();
    return hex(source.secret(commitFrom(posted)));
  }

  function commitFrom({ commit, wraps }: { commit: CommitBody; wraps: WrapBody[] }): Commit {
    const parts = Object.entries(commit).map(([name, data]) => [name, decodeBase64url(data as string)]);
    const rows = wraps.map(({ device_id, wrap }) => [hex(idBytes(device_id)), decodeBase64url(wrap)] as const);
    return { ...(Object.fromEntries(parts) as Omit<Commit, "wraps">), wraps: new Map(rows) };
  }
});
