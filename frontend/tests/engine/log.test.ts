import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { equalBytes } from "../../src/crypto/encoding";
import type { Id } from "../../src/engine/contract";
import { type RoomRecord, readRoom } from "../../src/engine/records";
import { Store } from "../../src/engine/store/store";
import { type Person, World } from "./cast";
import { until } from "./clock";

let world: World;
let alice: Person;
let bob: Person;
let carol: Person;
let room: Id;

async function recordOf(person: Person): Promise<RoomRecord> {
  const store = await Store.open(person.id, () => undefined);
  const read = await readRoom(store, room);
  store.close();
  return read!.record;
}

async function say(person: Person, text: string): Promise<void> {
  await person.say(room, text);
  await until(() => person.page.texts.includes(text), "not shown");
  await person.allAre("stored");
}

beforeEach(async () => {
  world = new World();
  const everybody = await world.friends("alice", "bob", "carol");
  [alice, bob, carol] = everybody as [Person, Person, Person];
  const made = await alice.ask("room_create_group", { title: "log", userIds: [bob.id] });
  room = made.roomId;
  await alice.show(room);
  await bob.show(room);
});
afterEach(() => world.end());

describe("the rolling hash over a room's log", () => {
  it("is the same for everybody who saw all of it", async () => {
    await say(alice, "one");
    await say(bob, "two");
    await alice.sees("one", "two");
    await until(async () => (await recordOf(alice)).log?.seq === 3, "alice has no hash");
    await until(async () => (await recordOf(bob)).log?.seq === 3, "bob has no hash");
    const [one, other] = [await recordOf(alice), await recordOf(bob)];
    expect(equalBytes(one.log!.log, other.log!.log)).toBe(true);
    expect([one.logFork, other.logFork]).toEqual([null, null]);
  });

  it("is adopted by a newcomer from the first member who asserts it", async () => {
    await say(alice, "before");
    await bob.sees("before");
    await alice.ask("room_invite", { roomId: room, userIds: [carol.id] });
    await carol.show(room);
    expect((await recordOf(carol)).log).toBeNull();
    await until(async () => (await recordOf(bob)).log?.seq === 3, "bob is behind");
    await say(bob, "welcome");
    await carol.sees("welcome");
    await until(async () => (await recordOf(carol)).log?.seq === 4, "not adopted");
    await until(async () => (await recordOf(alice)).log?.seq === 4, "alice is behind");
    const [own, other] = [await recordOf(carol), await recordOf(alice)];
    expect(equalBytes(own.log!.log, other.log!.log)).toBe(true);
  });

  it("shows when the server tells two people of another order", async () => {
    await say(alice, "one");
    await say(alice, "two");
    await bob.sees("one", "two");
    await carolIsShownAnotherOrder();
    await say(carol, "I saw it the other way round");
    await until(() => bob.room(room)?.trouble === "fork", "nobody noticed");
    const { logFork } = await recordOf(bob);
    expect(equalBytes(logFork!.own, logFork!.asserted)).toBe(false);
  });

  /** carol, a member from here on, is shown two items in each other's place. */
  async function carolIsShownAnotherOrder(): Promise<void> {
    await alice.ask("room_invite", { roomId: room, userIds: [carol.id] });
    await carol.show(room);
    await until(() => bob.page.kinds.includes("joined"), "bob does not know");
    await say(alice, "three");
    await carol.sees("three");
    await until(async () => (await recordOf(carol)).log !== null, "nothing adopted");
    world.server.muted.add(carol.id);
    await say(alice, "four");
    await say(alice, "five");
    await bob.sees("one", "two", "three", "four", "five");
    const { log } = world.server.room(room);
    const [four, five] = [log.at(-2)!, log.at(-1)!];
    log.splice(-2, 2, { ...five, seq: four.seq }, { ...four, seq: five.seq });
    world.server.muted.delete(carol.id);
    await world.clock.advance(61_000);
    await carol.sees("three", "five", "four");
  }
});
