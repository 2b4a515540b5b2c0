import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Id } from "../../src/engine/contract";
import type { RoomJson } from "../../src/engine/wire";
import { type Person, World } from "./cast";
import { Problem } from "./server_asked";

let world: World;
let alice: Person;
let bob: Person;
let mallory: Person;

beforeEach(async () => {
  world = new World();
  [alice, bob, mallory] = (await world.friends("alice", "bob", "mallory")) as [Person, Person, Person];
});
afterEach(() => world.end());

function infoOf(room: Id): RoomJson {
  return world.server.room(room).json(alice.id, world.server.nameOf);
}

describe("a server that answers with another room", () => {
  let trap: Id;
  beforeEach(async () => {
    trap = await alice.talkTo(mallory);
  });

  async function refusesToOpen(): Promise<void> {
    const opened = alice.ask("room_open_direct", { userId: bob.id });
    await expect(opened).rejects.toMatchObject({ code: "unverified" });
  }

  it("as the new direct room is refused", async () => {
    world.server.lies["POST rooms"] = () => infoOf(trap);
    await refusesToOpen();
  });

  it("as the one that exists already is refused", async () => {
    world.server.lies["POST rooms"] = () => {
      throw new Problem("room_exists", 409, { room_id: trap });
    };
    await refusesToOpen();
  });

  it("when it is asked for the one that exists already is refused", async () => {
    world.server.muted.add(alice.id);
    await bob.talkTo(alice);
    world.server.lies["GET rooms/*"] = () => infoOf(trap);
    await refusesToOpen();
  });
});
