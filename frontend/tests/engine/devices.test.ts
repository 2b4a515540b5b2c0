import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Id } from "../../src/engine/contract";
import { type Person, World } from "./cast";
import { turn, until } from "./clock";

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
  await bob.show(room);
  words = await alice.words();
  laptop = world.elsewhere(alice);
});
afterEach(() => world.end());

const kindsOf = (person: Person) => person.page.kinds.filter((kind) => kind.startsWith("device"));

describe("a second device", () => {
  it("talks beside the first, and both read everything", async () => {
    await laptop.restore(words);
    await laptop.show(room);
    await laptop.say(room, "from the laptop");
    await alice.sees("from the laptop");
    await alice.say(room, "from the desk");
    await laptop.sees("from the laptop", "from the desk");
    await bob.sees("from the laptop", "from the desk");
    await bob.say(room, "one alice");
    await laptop.sees("from the laptop", "from the desk", "one alice");
    expect(alice.page.seen.timeline!.items.every((item) => item.text !== "from the laptop" || item.mine)).toBe(true);
  });

  it("is a quiet line in the room, in its owner's name", async () => {
    await laptop.restore(words);
    await until(() => kindsOf(bob).length === 1, "no line");
    const line = bob.page.seen.timeline!.items.find((item) => item.kind === "device_added");
    expect(line?.sender?.userId).toBe(alice.id);
  });

  it("is brought into the room by whoever writes next, if it cannot itself", async () => {
    world.server.lies["POST rooms/*/commits"] = (truth, { session }) => {
      if (session === laptop.session) throw new TypeError("the network went");
      return truth();
    };
    const restoring = laptop.restore(words);
    await until(() => world.server.devicesOf(alice.id).length === 2, "not listed");
    await bob.say(room, "hello both");
    await bob.allAre("stored");
    await restoring;
    await laptop.show(room);
    await laptop.sees("hello both");
    expect(world.server.room(room).commits).toHaveLength(2);
  });

  it("is not heard of, and the next message says so and goes out all the same", async () => {
    world.server.muted.add(bob.id);
    world.server.lies["POST rooms/*/commits"] = (truth, { session }) => {
      if (session === laptop.session) throw new TypeError("the network went");
      return truth();
    };
    await laptop.restore(words);
    world.server.muted.clear();
    await bob.say(room, "anyway");
    await bob.allAre("stored");
    await laptop.show(room);
    await laptop.sees("anyway");
  });
});

describe("the list of devices", () => {
  it("names both, and which one this is", async () => {
    await laptop.restore(words);
    const { devices } = await laptop.ask("devices_list", {});
    expect(devices.map((device) => device.isThis).sort()).toEqual([false, true]);
    const own = devices.find((device) => device.isThis);
    expect(own?.deviceId).toBe(laptop.page.seen.me?.deviceId);
  });

  it("loses one that is revoked: it reads nothing new, and says whose move it is", async () => {
    await laptop.restore(words);
    await laptop.show(room);
    const deviceId = alice.page.seen.me!.deviceId;
    await laptop.ask("device_revoke", { deviceId, secret: words });
    await until(() => alice.page.seen.phase === "signed_out", "the first is still signed in");
    await bob.say(room, "not for the first");
    await bob.allAre("stored");
    await laptop.sees("not for the first");
    await until(() => kindsOf(bob).includes("device_dropped"), "no line");
    const wraps = [...world.server.room(room).wraps.keys()].filter((key) => key.startsWith(deviceId));
    expect(wraps.filter((key) => !key.endsWith("/0") && !key.endsWith("/1"))).toEqual([]);
    await alice.closeAll();
    alice.signIn();
    await alice.open();
    await until(() => alice.page.seen.phase === "revoked", "it does not know");
  });

  it("keeps a device when the recovery key is wrong", async () => {
    await laptop.restore(words);
    const args = { deviceId: alice.page.seen.me!.deviceId, secret: await bob.words() };
    await expect(laptop.ask("device_revoke", args)).rejects.toMatchObject({ code: "recovery_secret" });
    expect(world.server.devicesOf(alice.id)).toHaveLength(2);
  });

  it("does not lose the device that asks, nor one that is not there", async () => {
    await laptop.restore(words);
    const own = { deviceId: laptop.page.seen.me!.deviceId, secret: words };
    await expect(laptop.ask("device_revoke", own)).rejects.toMatchObject({ code: "invalid" });
    const stranger = { deviceId: bob.page.seen.me!.deviceId, secret: words };
    await expect(laptop.ask("device_revoke", stranger)).rejects.toMatchObject({ code: "not_found" });
  });
});

describe("the recovery key", () => {
  it("is shown until it was typed again, and is gone from this browser after that", async () => {
    expect(alice.page.seen.me?.hasRecoveryKey).toBe(false);
    const wrong = alice.ask("recovery_test", { secret: await bob.words() });
    await expect(wrong).rejects.toMatchObject({ code: "recovery_secret" });
    expect(alice.page.seen.me?.hasRecoveryKey).toBe(false);
    await alice.ask("recovery_test", { secret: words });
    await until(() => alice.page.seen.me?.hasRecoveryKey === true, "still reminded");
    await expect(alice.ask("recovery_show", {})).rejects.toMatchObject({ code: "recovery_gone" });
    await alice.ask("recovery_test", { secret: words });
  });

  it("of a restored browser is with its owner already", async () => {
    await laptop.restore(words);
    await turn();
    expect(laptop.page.seen.me?.hasRecoveryKey).toBe(true);
  });
});
