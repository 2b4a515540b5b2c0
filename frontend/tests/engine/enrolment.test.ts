import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { World } from "./cast";
import { until } from "./clock";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.end());

describe("a first visit", () => {
  it("makes keys, publishes their public halves and says who one is", async () => {
    const alice = await world.person("alice");
    expect(alice.page.seen.me).toMatchObject({ nickname: "alice", email: "alice@example.org" });
    expect(alice.page.seen.me?.fingerprint).toMatch(/^(\d{5} ){5}\d{5}$/);
    expect(alice.page.seen.me?.deviceId).toBe(alice.session.device);
    expect(world.server.accounts.get(alice.id)?.accountKey).not.toBeNull();
  });

  it("whose answer was lost is finished with the same keys", async () => {
    const alice = world.newcomer("alice");
    world.server.loseAnswerTo = "POST me/keys";
    await alice.open();
    await until(() => world.server.accounts.get(alice.id)?.accountKey !== null, "never sent");
    const published = world.server.accounts.get(alice.id)?.accountKey;
    await alice.closeAll();
    world.server.loseAnswerTo = null;
    await alice.open();
    await alice.online();
    expect(world.server.accounts.get(alice.id)?.accountKey).toBe(published);
  });

  it("waits for the network and goes on when it comes", async () => {
    const alice = world.newcomer("alice");
    world.server.isUp = false;
    await alice.open();
    await until(() => alice.page.seen.connection?.state === "offline", "no word of the network");
    world.server.isUp = true;
    await world.clock.advance(31_000);
    await alice.online();
  });
});

describe("a device", () => {
  it("renews its prekey after a week", async () => {
    const alice = await world.person("alice");
    const seqs = () => {
      const prekeys = world.server.accounts.get(alice.id)!.prekeys;
      return [...prekeys.values()].map(({ seq }) => seq);
    };
    expect(seqs()).toEqual([1]);
    await alice.closeAll();
    await world.clock.advance(8 * 24 * 3600 * 1000);
    await alice.open();
    await until(() => seqs()[0] === 2, "not renewed");
  });
});

describe("friends", () => {
  it("ask, accept and see each other", async () => {
    const alice = await world.person("alice");
    const bob = await world.person("bob");
    await alice.ask("friend_request_send", { email: "bob@example.org" });
    await until(() => bob.page.seen.friends?.received.length === 1, "bob was not told");
    const [request] = bob.page.seen.friends!.received;
    expect(request).toMatchObject({ email: "alice@example.org", nickname: "alice" });
    await bob.ask("friend_request_accept", { id: request!.id });
    await until(() => alice.page.seen.friends?.friends[0]?.userId === bob.id, "no friends");
  });
});

describe("an account key that changed", () => {
  it("is not taken over: the room cannot be written to until a person has looked", async () => {
    const [alice, bob, carol] = await world.friends("alice", "bob", "carol");
    await alice!.ask("safety_number", { userId: bob!.id });
    const { roomId: room } = await alice!.ask("room_create_group", { title: "g", userIds: [carol!.id] });
    await alice!.show(room);
    await bob!.closeAll();
    world.server.reset(bob!.id);
    indexedDB.deleteDatabase(bob!.database);
    await bob!.open();
    await bob!.online();
    const inviting = alice!.ask("room_invite", { roomId: room, userIds: [bob!.id] });
    await expect(inviting).rejects.toMatchObject({ code: "unverified" });
    expect(world.server.room(room).commits).toHaveLength(1);
  });
});
