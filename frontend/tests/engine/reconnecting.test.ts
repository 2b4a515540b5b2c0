import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Id } from "../../src/engine/contract";
import { type Person, World } from "./cast";
import { settled, until } from "./clock";
import { Problem } from "./server_asked";

let world: World;
let alice: Person;
let bob: Person;
let room: Id;

/** Everybody loses the connection; what is said meanwhile is stored before bob is back. */
async function saidWhileAway(text: string): Promise<void> {
  world.server.muted.add(bob.id);
  await alice.say(room, text);
  await alice.allAre("stored");
  bob.socket!.lose(1006);
  world.server.muted.delete(bob.id);
}

/** Refuse requests of one kind, as a proxy does whose server is not back; give how many came. */
function refusing(what: string, times: number): { asked: number } {
  const count = { asked: 0 };
  world.server.lies[what] = (truth) => {
    count.asked += 1;
    if (count.asked <= times) throw new Problem("unavailable", 503);
    return truth();
  };
  return count;
}

/** Let second after second pass until something is true. */
function inTime(isTrue: () => boolean, what: string): Promise<void> {
  return until(async () => {
    if (isTrue()) return true;
    await world.clock.advance(1_000);
    return false;
  }, what);
}

beforeEach(async () => {
  world = new World();
  [alice, bob] = (await world.friends("alice", "bob")) as [Person, Person];
  room = await alice.talkTo(bob);
  await bob.show(room);
  await alice.say(room, "before");
  await bob.sees("before");
});
afterEach(() => world.end());

describe("a person whose connection is back before the rest of the server", () => {
  it.each(["GET me", "GET friends", "GET rooms"])(
    "asks %s again and catches up, with no heartbeat to help",
    async (what) => {
      world.server.drop = (frame) => frame["event"] === "heads";
      const count = refusing(what, 2);
      await saidWhileAway("while you were away");
      await inTime(() => bob.page.texts.length === 2, "bob never caught up");
      expect(bob.page.texts).toEqual(["before", "while you were away"]);
      expect(count.asked).toBe(3);
    },
  );

  it("does not ask for ever, and the heartbeat still heals it", async () => {
    world.server.drop = (frame) => frame["event"] === "heads";
    const count = refusing("GET me", Infinity);
    await saidWhileAway("in a long outage");
    await inTime(() => count.asked === 7, "gave up too early");
    await world.clock.advance(40_000);
    await settled();
    expect(count.asked).toBe(7);
    world.server.drop = () => false;
    await inTime(() => bob.page.texts.length === 2, "the heartbeat did not heal it");
  });
});
