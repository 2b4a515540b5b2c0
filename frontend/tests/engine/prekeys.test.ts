import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { NO_PREKEY, WRAP_SIZE, encodePrekeys } from "../../src/crypto/commit";
import { encodeBase64url } from "../../src/crypto/encoding";
import type { Id } from "../../src/engine/contract";
import { idBytes } from "../../src/engine/ids";
import type { UserKeysJson } from "../../src/engine/wire";
import { type Person, World } from "./cast";
import { until } from "./clock";

let world: World;
let alice: Person;
let bob: Person;

beforeEach(async () => {
  world = new World();
  [alice, bob] = (await world.friends("alice", "bob")) as [Person, Person];
});
afterEach(() => world.end());

async function group(title: string): Promise<Id> {
  return (await alice.ask("room_create_group", { title, userIds: [bob.id] })).roomId;
}

/** Whether the newest commit of a room has a secret for bob. */
function hasWrapForBob(room: Id): boolean {
  const { wraps, commits } = world.server.room(room);
  return wraps.has(`${bob.session.device}/${commits.length - 1}`);
}

describe("a prekey list that the head commit does not name", () => {
  it("is refused: it would let old prekeys be used again", async () => {
    const room = await group("garden");
    const lowered = [{ device: idBytes(bob.session.device!), seq: 0, prekeyHash: NO_PREKEY }];
    world.server.lies["GET rooms/*/prekeys"] = () => ({
      prekeys: encodeBase64url(encodePrekeys(lowered)),
    });
    const renamed = alice.ask("room_rename", { roomId: room, title: "yard" });
    await expect(renamed).rejects.toMatchObject({ code: "unverified" });
    expect(world.server.room(room).commits).toHaveLength(1);
  });
});

describe("a prekey that is older than one that was used before", () => {
  it("gets no secret, in a new room either", async () => {
    const old = [...world.server.accounts.get(bob.id)!.prekeys.values()];
    await bob.closeAll();
    await world.clock.advance(8 * 24 * 3600 * 1000);
    await bob.open();
    const newest = () => [...world.server.accounts.get(bob.id)!.prekeys.values()][0]?.seq;
    await until(() => newest() === 2, "not renewed");
    await bob.closeAll();
    world.server.muted.add(bob.id);
    const first = await group("with the new one");
    expect(hasWrapForBob(first)).toBe(true);
    world.server.lies["GET users/*/keys"] = (truth, { path }) => {
      const keys = truth() as UserKeysJson;
      return path[1] === bob.id ? { ...keys, prekeys: old } : keys;
    };
    const second = await group("with the old one");
    expect(hasWrapForBob(second)).toBe(false);
  });
});

describe("a wrap that does not open", () => {
  it("is not acknowledged, and the next one is", async () => {
    const acknowledged: unknown[] = [];
    world.server.lies["GET rooms/*/wraps"] = (truth, { user }) => {
      const { wraps } = truth() as { wraps: { epoch: number; wrap: string }[] };
      const broken = encodeBase64url(new Uint8Array(WRAP_SIZE));
      const isBroken = (epoch: number) => user === bob.id && epoch === 0;
      return {
        wraps: wraps.map((row) => (isBroken(row.epoch) ? { ...row, wrap: broken } : row)),
      };
    };
    world.server.lies["POST rooms/*/wraps/ack"] = (truth, { user, body }) => {
      if (user === bob.id) acknowledged.push(body["epochs"]);
      return truth();
    };
    const room = await group("garden");
    await until(() => bob.room(room)?.trouble === "getting_keys", "the wrap opened");
    await alice.ask("room_rename", { roomId: room, title: "yard" });
    await until(() => bob.room(room)?.title === "yard", "the next wrap did not open");
    await until(() => acknowledged.length > 0, "nothing is acknowledged");
    expect(acknowledged).toEqual([[1]]);
  });
});
