import { beforeEach, describe, expect, it } from "vitest";
import {
  type Op,
  type Received,
  type RoomView,
  type SignedDeviceList,
  accountOf,
  commitAdd,
  commitRefresh,
  commitRemove,
  commitRotation,
  deviceEntry,
  firstDeviceList,
  hex,
  listHash,
  listsByHash,
  makeCommit,
  maySeal,
  newDevice,
  newSeedKey,
  nextDeviceList,
  parseDeviceList,
  settle,
  usersToRefresh,
} from "../../src/crypto";
import { signDeviceList } from "../../src/crypto/device_list";
import { ProtocolError } from "../../src/crypto/errors";
import { NOW, World, seeded, viewOf } from "./cast";
import { refusedLater } from "./refusals";

let cast: World;
let garden: Map<string, Received>;
let view: RoomView;

beforeEach(async () => {
  cast = await World.of("alice", "bob", "carol", "dave", "mallory");
  garden = await cast.group("alice", "bob", "dave");
  view = viewOf(garden, "bob");
});

const by = (name: string) => cast.committer(name, garden.get(name)?.epoch ?? null);

describe("device lists in a room", () => {
  async function withSecondDevice(name: string) {
    const person = cast.get(name);
    const key = newSeedKey(seeded(`${name} second`));
    const second = await newDevice(person.account.user, person.account.publicHalf, NOW, key);
    const entries = [deviceEntry(person.keys), deviceEntry(second)];
    const devices = nextDeviceList(person.account, person.devices, entries, { time: NOW + 1 });
    return { second, devices };
  }

  it("are refreshed by anybody, and until then nothing is sealed", async () => {
    const { devices } = await withSecondDevice("dave");
    const user = hex(cast.get("dave").account.user);
    const known = new Map([[user, { version: 2, listHash: listHash(devices) }]]);
    expect(maySeal(view, new Map())).toBe(true);
    expect([maySeal(view, known), usersToRefresh(view, known).map(hex)]).toEqual([false, [user]]);

    const lists = new Map([...cast.lists, ...listsByHash([devices])]);
    const commit = await commitRefresh(view, [devices], { ...by("bob"), lists });
    const received = await cast.receive("bob", view, commit, cast.trust({ lists }));
    expect([received.outcome, received.epoch?.chains.size]).toEqual(["ok", 4]);
    expect(maySeal(received.view, known)).toBe(true);
  });

  it("let a new device enter by its own refresh, if the account is still in the roster", async () => {
    const { second, devices } = await withSecondDevice("dave");
    const lists = new Map([...cast.lists, ...listsByHash([devices])]);
    const entering = { ...by("dave"), keys: second, lists };
    const commit = await commitRefresh(view, [devices], entering);
    expect(await refusedLater(() => cast.receive("bob", view, commit, cast.trust({ lists })))).toBe("ok");

    const removal = await commitRemove(view, cast.get("dave").account.user, by("alice"));
    const { view: later } = await cast.receive("bob", view, removal);
    expect(await refusedLater(() => cast.receive("bob", later, commit, cast.trust({ lists })))).toBe("fork");
    expect(await refusedLater(() => commitRefresh(later, [devices], entering))).toBe("roster");
  });

  it("follow each other one by one: a gap in versions is a fork", async () => {
    const { account, devices: first, keys } = cast.get("dave");
    const make = (before: SignedDeviceList, version: number) =>
      signDeviceList(account, {
        ...parseDeviceList(before.data),
        version,
        prevListHash: listHash(before),
        entries: [deviceEntry(keys)],
      });
    const second = make(first, 2);
    const [third, fourth] = [make(second, 3), make(second, 4)];
    const refreshed = async (devices: SignedDeviceList) => {
      const lists = new Map([...cast.lists, ...listsByHash([second, devices])]);
      const commit = await commitRefresh(view, [devices], { ...by("bob"), lists });
      return refusedLater(() => cast.receive("bob", view, commit, cast.trust({ lists })));
    };
    expect(await refreshed(third)).toBe("ok");
    expect(await refreshed(fourth)).toBe("list_fork");
  });

  it("that are not at hand are asked for by their hash", async () => {
    const { devices } = await withSecondDevice("dave");
    const lists = new Map([...cast.lists, ...listsByHash([devices])]);
    const commit = await commitRefresh(view, [devices], { ...by("bob"), lists });
    const missing = await cast.receive("bob", view, commit).catch((error: unknown) => error);
    expect(missing).toBeInstanceOf(ProtocolError);
    expect(missing).toMatchObject({ outcome: "reference", listHash: listHash(devices) });
  });

  it("never let an unusable prekey stop a commit", async () => {
    const bob = cast.get("bob");
    const broken = new Map(cast.prekeys);
    broken.set(hex(bob.keys.device), { ...bob.prekey, sig: new Uint8Array(64) });
    const commit = await commitRotation(view, { ...by("alice"), prekeys: broken });
    expect(commit.wraps.size).toBe(2);
    expect((await cast.receive("dave", view, commit)).outcome).toBe("ok");
    expect((await cast.receive("bob", view, commit)).outcome).toBe("epoch_unusable");
  });
});

describe("pins", () => {
  it("hold a room back until a person has looked at a changed account key", async () => {
    const carol = cast.get("carol");
    const pins = new Map([...cast.trust().pins, [hex(carol.account.user), new Uint8Array(32)]]);
    const commit = await commitAdd(view, [carol.devices], by("alice"));
    const received = await cast.receive("bob", view, commit, cast.trust({ pins }));
    expect([received.outcome, received.epoch?.opened]).toEqual(["pin_mismatch", true]);
    expect(maySeal(received.view, new Map())).toBe(false);
    expect(maySeal(settle(received.view, carol.account.user), new Map())).toBe(true);
  });

  it("do not let a refresh bring another account key", async () => {
    const dave = cast.get("dave");
    const thief = accountOf(dave.account.user, seeded("thief")(32));
    const key = newSeedKey(seeded("thief device"));
    const device = await newDevice(thief.user, thief.publicHalf, NOW, key);
    const bkPub = new Uint8Array(1216);
    const taken = firstDeviceList(thief, [deviceEntry(device)], { time: NOW, bkPub });
    const lists = new Map([...cast.lists, ...listsByHash([taken])]);
    const op: Op = { op: "refresh", user: thief.user, listVersion: 2, listHash: listHash(taken) };
    const make = () => makeCommit(view, [op], { ...by("bob"), lists });
    expect(await refusedLater(make)).toBe("op_forbidden");
  });
});
