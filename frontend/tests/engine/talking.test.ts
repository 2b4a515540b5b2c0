import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { World } from "./cast";
import { until } from "./clock";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.end());

describe("two people", () => {
  it("talk to each other", async () => {
    const [alice, bob] = await world.friends("alice", "bob");
    const room = await alice!.talkTo(bob!);
    await bob!.show(room);
    await alice!.say(room, "안녕, bob");
    await bob!.sees("안녕, bob");
    await bob!.say(room, "hello alice");
    await alice!.sees("안녕, bob", "hello alice");
    await alice!.allAre("stored");
    expect(world.server.room(room).log.map((item) => item.kind)).toEqual([
      "commit",
      "message",
      "message",
    ]);
    await until(() => world.server.room(room).records.length === 2, "no history was written");
  });
});
