import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EMPTY, encodeBase64url } from "../../src/crypto/encoding";
import { LEAVE, encodeStatement } from "../../src/crypto/statements";
import type { Id } from "../../src/engine/contract";
import { idBytes } from "../../src/engine/ids";
import type { RoomJson } from "../../src/engine/wire";
import { type Person, World } from "./cast";
import { settled, until } from "./clock";
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

/** Reload, and hear every room as the server likes it: alice has a new name, and `alter`. */
async function tell(person: Person, room: Id, alter: (info: RoomJson) => RoomJson): Promise<void> {
  const { lies } = world.server;
  lies["GET rooms/*"] = (truth) => alter(truth() as RoomJson);
  lies["GET rooms"] = (truth) => ({
    rooms: (truth() as { rooms: RoomJson[] }).rooms.map(alter),
  });
  await alice.ask("profile_update", { nickname: "alison" });
  await person.reload();
  await until(
    () => person.room(room)?.members.some(({ nickname }) => nickname === "alison") === true,
    "never told",
  );
}

async function group(...others: Person[]): Promise<Id> {
  const userIds = others.map((person) => person.id);
  const { roomId } = await alice.ask("room_create_group", { title: "garden", userIds });
  return roomId;
}

describe("a server that tells of other members than the chain does", () => {
  it("cannot hide one of them", async () => {
    const room = await group(bob, mallory);
    await tell(alice, room, (info) => ({ ...info, members: info.members.filter(({ user_id: id }) => id !== mallory.id) }));
    const names = alice.room(room)!.members.map((member) => member.nickname);
    expect(names.sort()).toEqual(["alison", "bob", "mallory"]);
  });

  it("cannot add one, nor make an admin", async () => {
    const room = await group(bob);
    await tell(bob, room, (info) => ({
      ...info,
      me: { ...info.me, role: "admin" },
      members: [
        ...info.members.map((member) => ({ ...member, role: "admin" as const })),
        { user_id: mallory.id, nickname: "mallory", role: "admin", joined_epoch: 0 },
      ],
    }));
    const { members, isAdmin } = bob.room(room)!;
    expect(members.map(({ nickname, role }) => `${nickname} ${role}`).sort()).toEqual([
      "alison admin",
      "bob member",
    ]);
    expect(isAdmin).toBe(false);
  });

  it("cannot pass a room off as the direct room with somebody else", async () => {
    const trap = await alice.talkTo(mallory);
    const asBob = { user_id: bob.id, nickname: "bob" };
    await tell(alice, trap, (info) => ({
      ...info,
      members: info.members.map((row) => (row.user_id === mallory.id ? { ...row, ...asBob } : row)),
    }));
    expect(alice.room(trap)?.title).toBe("mallory");
    const { roomId } = await alice.ask("room_open_direct", { userId: bob.id });
    expect(roomId).not.toBe(trap);
  });

  it("cannot pass a group off as a direct room", async () => {
    const room = await group(bob);
    await tell(alice, room, (info) => ({ ...info, kind: "direct" }));
    const { kind, title } = alice.room(room)!;
    expect([kind, title]).toEqual(["group", "garden"]);
    expect((await alice.ask("room_open_direct", { userId: bob.id })).roomId).not.toBe(room);
  });
});

describe("a leave that its person never signed", () => {
  let room: Id;
  beforeEach(async () => {
    room = await group(bob, mallory);
    const [signerUser, signerDevice] = [idBytes(bob.id), idBytes(bob.session.device!)];
    const [time, reason, sig] = [EMPTY, EMPTY, new Uint8Array(64)];
    const forged = encodeStatement({ kind: LEAVE, signerUser, signerDevice, time, reason, sig });
    const leave = { user_id: bob.id, joined_epoch: 0, statement: encodeBase64url(forged) };
    await tell(alice, room, (info) => ({ ...info, leaving: [leave] }));
    await alice.online();
  });

  it("stops nobody's commit and removes nobody", async () => {
    await alice.ask("room_rename", { roomId: room, title: "yard" });
    await until(() => alice.room(room)?.title === "yard", "not renamed");
    expect(alice.room(room)?.trouble).toBe("none");
    expect(alice.room(room)!.members.map(({ userId }) => userId)).toContain(bob.id);
  });

  it("keeps nobody from writing", async () => {
    await alice.show(room);
    await alice.say(room, "still here");
    await alice.allAre("stored");
    expect(world.server.room(room).commits).toHaveLength(1);
  });
});

describe("a server that finds no epoch new enough", () => {
  it("is asked more and more slowly, and nothing is lost", async () => {
    const room = await alice.talkTo(bob);
    await bob.show(room);
    world.server.refuse = "stale_epoch";
    let sent = 0;
    world.server.drop = (frame) => {
      if (frame["event"] === "message.send") sent += 1;
      return false;
    };

    await alice.say(room, "patience");
    await until(() => sent === 4);
    for (const pauseMs of [2_000, 4_000, 8_000]) {
      await until(() => world.clock.wakesIn(pauseMs));
      const before = sent;
      await world.clock.advance(pauseMs - 1);
      await settled();
      expect(sent).toBe(before);
      await world.clock.advance(1);
      await until(() => sent === before + 1);
    }

    await until(() => world.clock.wakesIn(16_000));
    world.server.refuse = null;
    await world.clock.advance(60_000);
    await bob.sees("patience");
  });
});
