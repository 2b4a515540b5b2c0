import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { decodeBase64url, equalBytes } from "../../src/crypto/encoding";
import { findMember } from "../../src/crypto/roster";
import type { FriendTrust, Id } from "../../src/engine/contract";
import { idBytes } from "../../src/engine/ids";
import { type Person, World } from "./cast";
import { settled, until } from "./clock";
import { PASSWORD } from "./server_resets";

let world: World;
let alice: Person;
let bob: Person;
let words: string;

beforeEach(async () => {
  world = new World();
  [alice, bob] = (await world.friends("alice", "bob")) as [Person, Person];
  world.server.tellUser(alice.id, { event: "friendship.made", user_id: bob.id });
  await trusts(alice, bob, "unverified");
  words = await alice.words();
});
afterEach(() => world.end());

function trustOf(person: Person, other: Person): FriendTrust | undefined {
  return person.page.seen.friends?.friends.find(({ userId }) => userId === other.id)?.trust;
}

async function trusts(person: Person, other: Person, trust: FriendTrust): Promise<void> {
  await until(() => trustOf(person, other) === trust, `not ${trust} but ${String(trustOf(person, other))}`);
}

async function mark(person: Person, other: Person, isSame = true): Promise<void> {
  const { accountKey } = await person.ask("safety_number", { userId: other.id });
  await person.ask("friend_mark", { userId: other.id, accountKey, isSame });
}

function ownRoomsOf(person: Person): Id[] {
  return [...world.server.rooms.values()]
    .filter((room) => room.members.length === 1 && room.isMember(person.id))
    .map((room) => room.id)
    .sort();
}

/** Bob starts his account again, as its owner may: announced, and done after 72 hours. */
async function bobStartsAgain(): Promise<Person> {
  const anew = world.elsewhere(bob);
  await anew.open();
  await until(() => anew.page.seen.phase === "no_keys_here", "not asked for the key");
  await anew.ask("reset_begin", { password: PASSWORD });
  world.server.resets.letPass();
  await anew.ask("reset_finish", {});
  await anew.online();
  return anew;
}

/** The server gives bob's account another key, to which no reset leads; alice is told of a change. */
async function bobBeginsAnew(): Promise<Person> {
  await bob.closeAll();
  world.server.reset(bob.id);
  const anew = world.elsewhere(bob);
  await anew.open();
  await anew.online();
  world.server.tellUser(alice.id, { event: "profile.changed", user_id: bob.id });
  return anew;
}

describe("what two people compare", () => {
  it("is the same number and code on both screens", async () => {
    const hers = await alice.ask("safety_number", { userId: bob.id });
    const his = await bob.ask("safety_number", { userId: alice.id });
    expect([his.number, his.code]).toEqual([hers.number, hers.code]);
    expect([his.own, his.theirs]).toEqual([hers.theirs, hers.own]);
    const judged = await alice.ask("safety_judge", { userId: bob.id, code: ` ${his.code}\n` });
    expect(judged).toEqual({ verdict: "same" });
  });

  it("tells another key from other people and from no code at all", async () => {
    const [mallory] = [await world.person("mallory")];
    world.server.befriend(mallory.id, bob.id);
    world.server.befriend(mallory.id, alice.id);
    const { code } = await mallory.ask("safety_number", { userId: bob.id });
    await alice.ask("safety_number", { userId: bob.id });
    const verdict = async (text: string) =>
      (await alice.ask("safety_judge", { userId: bob.id, code: text })).verdict;
    expect(await verdict(code)).toBe("other_people");
    expect(await verdict("not a code")).toBe("no_code");
    const before = (await bob.ask("safety_number", { userId: alice.id })).code;
    await bobBeginsAnew();
    await trusts(alice, bob, "changed");
    expect(await verdict(before)).toBe("different");
  });
});

describe("a friend who was verified", () => {
  it("is so on every device, and no list shows the room in which it is kept", async () => {
    await mark(alice, bob);
    await trusts(alice, bob, "verified");
    expect(ownRoomsOf(alice)).toHaveLength(1);
    expect(alice.page.seen.rooms ?? []).toEqual([]);
    const laptop = world.elsewhere(alice);
    await laptop.restore(words);
    await trusts(laptop, bob, "verified");
    expect(laptop.page.seen.rooms ?? []).toEqual([]);
    await mark(laptop, bob, false);
    await trusts(alice, bob, "unverified");
    expect(ownRoomsOf(alice)).toHaveLength(1);
    expect(trustOf(bob, alice)).toBe("unverified");
  });

  it("is so at once, and is told to the server when it can be", async () => {
    await mark(alice, bob);
    await until(() => world.server.room(ownRoomsOf(alice)[0]!).log.length === 2, "not stored");
    const { accountKey } = await alice.ask("safety_number", { userId: bob.id });
    alice.socket?.close();
    await alice.ask("friend_mark", { userId: bob.id, accountKey, isSame: false });
    await trusts(alice, bob, "unverified");
    expect(alice.page.seen.connection?.waiting).toBe(0);
    await world.clock.advance(60_000);
    await until(() => world.server.room(ownRoomsOf(alice)[0]!).log.length === 3, "never sent");
    await trusts(alice, bob, "unverified");
  });

  it("stays so when the server deletes the room, and the next room knows it too", async () => {
    await mark(alice, bob);
    const [room] = ownRoomsOf(alice);
    await until(() => world.server.room(room!).log.length === 2, "not stored");
    world.server.rooms.delete(room!);
    world.server.tellUser(alice.id, { event: "room.deleted", room_id: room });
    await trusts(alice, bob, "verified");
    await alice.reload();
    await until(() => ownRoomsOf(alice).length === 1, "no other room was made");
    await until(() => world.server.room(ownRoomsOf(alice)[0]!).log.length === 2, "not written again");
    const laptop = world.elsewhere(alice);
    await laptop.restore(words);
    await trusts(laptop, bob, "verified");
  });

  it("stays so when the room went before the mark was stored", async () => {
    await mark(alice, bob, true);
    await until(() => world.server.room(ownRoomsOf(alice)[0]!).log.length === 2, "not stored");
    const [room] = ownRoomsOf(alice);
    world.server.isArchiving = false;
    const deviceId = alice.page.seen.me!.deviceId;
    await alice.ask("device_rename", { deviceId, name: "desk" });
    world.server.rooms.delete(room!);
    world.server.tellUser(alice.id, { event: "room.deleted", room_id: room });
    await settled();
    const named = async () => (await alice.ask("devices_list", {})).devices[0]?.name;
    expect(await named()).toBe("desk");
    await trusts(alice, bob, "verified");
  });
});

describe("two devices that note something at the same moment", () => {
  it("agree on one room, whatever both have made", async () => {
    const laptop = world.elsewhere(alice);
    await laptop.restore(words);
    world.server.muted.add(alice.id);
    const deviceId = laptop.page.seen.me!.deviceId;
    await Promise.all([mark(alice, bob), laptop.ask("device_rename", { deviceId, name: "laptop" })]);
    world.server.muted.clear();
    await world.clock.advance(80_000);
    const nameOf = async (person: Person) => {
      const { devices } = await person.ask("devices_list", {});
      return devices.find((device) => device.deviceId === deviceId)?.name;
    };
    await trusts(laptop, bob, "verified");
    await until(async () => (await nameOf(alice)) === "laptop", "the name never came");
    await alice.ask("device_rename", { deviceId, name: "kitchen" });
    await until(async () => (await nameOf(laptop)) === "kitchen", "two rooms, two opinions");
    await laptop.ask("device_rename", { deviceId, name: "" });
    await until(async () => (await nameOf(alice)) === "", "the later note does not count");
  });
});

describe("a friend whose account key changed", () => {
  it("is a quiet matter for who compared nothing, and a loud one for who did", async () => {
    const carol = await world.person("carol");
    world.server.befriend(carol.id, bob.id);
    await carol.reload();
    await carol.online();
    await carol.ask("safety_number", { userId: bob.id });
    await mark(alice, bob);
    await bobBeginsAnew();
    world.server.tellUser(carol.id, { event: "profile.changed", user_id: bob.id });
    await trusts(alice, bob, "verified_changed");
    await trusts(carol, bob, "changed");
  });

  it("is noticed by who was away, when the key log tells of it", async () => {
    await mark(alice, bob);
    await trusts(alice, bob, "verified");
    await alice.closeAll();
    world.server.muted.add(alice.id);
    await bobBeginsAnew();
    world.server.muted.clear();
    await alice.reload();
    await trusts(alice, bob, "verified_changed");
  });

  it("comes into no room by itself, whoever commits", async () => {
    const args = { title: "garden", userIds: [bob.id] };
    const { roomId } = await alice.ask("room_create_group", args);
    await alice.show(roomId);
    const before = findMember(world.server.room(roomId).roster, idBytes(bob.id))!.amkPub;
    const anew = await bobBeginsAnew();
    await trusts(alice, bob, "changed");
    await alice.ask("room_rename", { roomId, title: "still ours" });
    await alice.say(roomId, "hello");
    await alice.lastIs("stored");
    const row = findMember(world.server.room(roomId).roster, idBytes(bob.id))!;
    expect(equalBytes(row.amkPub, before)).toBe(true);
    const device = anew.page.seen.me!.deviceId;
    expect([...world.server.room(roomId).wraps.keys()].filter((key) => key.startsWith(device))).toEqual([]);
  });

  it("is talked to again once a person has compared, in a new room and with a new mark", async () => {
    const old = await alice.talkTo(bob);
    await mark(alice, bob);
    const anew = await bobStartsAgain();
    await trusts(alice, bob, "verified_changed");
    await mark(alice, bob);
    await trusts(alice, bob, "verified");
    const room = await alice.talkTo(bob);
    expect(room).not.toBe(old);
    await alice.say(room, "welcome back");
    await alice.lastIs("stored");
    await anew.show(room);
    await anew.sees("welcome back");
  });

  it("may go on without comparing, and then nothing says verified", async () => {
    await mark(alice, bob);
    await bobStartsAgain();
    await trusts(alice, bob, "verified_changed");
    await mark(alice, bob, false);
    await trusts(alice, bob, "unverified");
  });

  it("is not talked to where no reset leads to the key, whatever a person says", async () => {
    await mark(alice, bob);
    await bobBeginsAnew();
    await trusts(alice, bob, "verified_changed");
    await expect(mark(alice, bob)).rejects.toMatchObject({ code: "unverified" });
    await expect(mark(alice, bob, false)).rejects.toMatchObject({ code: "unverified" });
    await trusts(alice, bob, "verified_changed");
  });

  it("is not accepted under a key that the person did not see", async () => {
    const { accountKey } = await alice.ask("safety_number", { userId: bob.id });
    await bobBeginsAnew();
    await trusts(alice, bob, "changed");
    const marked = alice.ask("friend_mark", { userId: bob.id, accountKey, isSame: true });
    await expect(marked).rejects.toMatchObject({ code: "unverified" });
    await trusts(alice, bob, "changed");
  });

  it("deceives no restored browser: it knows the mark, and begins nothing", async () => {
    const { accountKey: compared } = await alice.ask("safety_number", { userId: bob.id });
    await mark(alice, bob);
    await bobBeginsAnew();
    const laptop = world.elsewhere(alice);
    await laptop.restore(words);
    await laptop.ask("safety_number", { userId: bob.id });
    await trusts(laptop, bob, "verified_changed");
    const { accountKey } = await laptop.ask("safety_number", { userId: bob.id });
    expect(decodeBase64url(accountKey)).not.toEqual(decodeBase64url(compared));
    const opened = laptop.ask("room_open_direct", { userId: bob.id });
    await expect(opened).rejects.toMatchObject({ code: "friend_changed" });
    const invited = laptop.ask("room_create_group", { title: "x", userIds: [bob.id] });
    await expect(invited).rejects.toMatchObject({ code: "friend_changed" });
  });
});

describe("the name of a device", () => {
  it("is on every device, and refused for one that is not listed", async () => {
    const deviceId = alice.page.seen.me!.deviceId;
    await alice.ask("device_rename", { deviceId, name: "부엌 노트북" });
    const laptop = world.elsewhere(alice);
    await laptop.restore(words);
    const names = async () => {
      const { devices } = await laptop.ask("devices_list", {});
      return devices.map((device) => device.name).sort().join("/");
    };
    await until(async () => (await names()) === "/부엌 노트북", "the name never came");
    const stranger = { deviceId: bob.page.seen.me!.deviceId, name: "mine" };
    await expect(alice.ask("device_rename", stranger)).rejects.toMatchObject({ code: "not_found" });
    const long = { deviceId, name: "n".repeat(129) };
    await expect(alice.ask("device_rename", long)).rejects.toMatchObject({ code: "invalid" });
  });
});
