import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Person, World } from "./cast";
import { until } from "./clock";
import type { Session } from "./server_asked";
import { ServerSocket } from "./server_socket";

// eslint-disable-next-line @typescript-eslint/unbound-method -- called with its socket
const unwatched = ServerSocket.prototype.send;

let world: World;
let alice: Person;
let bob: Person;
let carol: Person;
beforeEach(async () => {
  world = new World();
  [alice, bob, carol] = (await world.friends("alice", "bob", "carol")) as [Person, Person, Person];
});
afterEach(() => world.end());

/** Alice's browser is gone: only what the server has is left, and what she wrote down. */
async function lost(): Promise<{ words: string; laptop: Person }> {
  const words = await alice.words();
  await alice.closeAll();
  return { words, laptop: world.elsewhere(alice) };
}

const numbered = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, at) => `line ${from + at}`);

describe("a browser without keys", () => {
  it("is a device after six words, and reads and writes in its rooms with nobody there", async () => {
    const direct = await alice.talkTo(bob);
    await alice.say(direct, "from the first browser");
    await alice.allAre("stored");
    const { roomId: group } = await alice.ask("room_create_group", { title: "garden", userIds: [bob.id, carol.id] });
    await bob.show(group);
    await bob.say(group, "hello garden");
    await bob.allAre("stored");
    await bob.closeAll();
    await carol.closeAll();
    const { words, laptop } = await lost();

    await laptop.restore(words.toUpperCase());

    expect(world.server.devicesOf(alice.id)).toHaveLength(2);
    await laptop.show(direct);
    await laptop.sees("from the first browser");
    await laptop.show(group);
    await laptop.sees("hello garden");
    expect(laptop.room(group)?.title).toBe("garden");
    await laptop.say(group, "from the second");
    await laptop.allAre("stored");
    await bob.open();
    await bob.online();
    await bob.show(group);
    await bob.sees("hello garden", "from the second");
    const senders = bob.page.seen.timeline!.items.filter((item) => item.text === "from the second");
    expect(senders[0]?.sender?.userId).toBe(alice.id);
  });

  it("restores by the code as well", async () => {
    const { code } = await alice.ask("recovery_show", {});
    await alice.closeAll();
    await world.elsewhere(alice).restore(code.toLowerCase().replaceAll("-", " "));
    expect(world.server.devicesOf(alice.id)).toHaveLength(2);
  });

  it("has the newest fifty messages first, then all", async () => {
    const room = await alice.talkTo(bob);
    for (const first of [1, 21, 41]) {
      for (const text of numbered(first, first + 19)) await alice.say(room, text);
      await until(() => world.server.room(room).log.length === first + 20, "not all stored");
    }
    const { words, laptop } = await lost();
    let pages = 0;
    world.server.lies["GET rooms/*/items"] = (truth, { session, query }) => {
      if (session === laptop.session && query.has("upto")) pages += 1;
      return truth();
    };
    await laptop.restore(words);
    await laptop.show(room);
    await until(() => laptop.page.seen.restoring === null, "it never ends");
    await laptop.ask("timeline_older", { roomId: room });
    await laptop.sees(...numbered(1, 60));
    expect(pages).toBe(1);
  });

  it("reads the newest of every room before it may write, and what is older last of all", async () => {
    const rooms = [await alice.talkTo(bob), await alice.talkTo(carol)];
    const sizes = [52, 2];
    for (const [at, room] of rooms.entries()) {
      for (const text of numbered(1, sizes[at]!)) await alice.say(room, text);
      await until(() => world.server.room(room).log.length === sizes[at]! + 1, "not all stored");
    }
    const { words, laptop } = await lost();
    const order: string[] = [];
    const isHere = ({ session }: { session: Session }) => session === laptop.session;
    world.server.lies["POST rooms/*/commits"] = (truth, asked) => {
      if (isHere(asked)) order.push("commit");
      return truth();
    };
    world.server.lies["GET rooms/*/items"] = (truth, asked) => {
      if (isHere(asked) && asked.query.has("upto")) order.push("past");
      return truth();
    };
    const send = vi.spyOn(ServerSocket.prototype, "send").mockImplementation(function (this: ServerSocket, text) {
      if (isHere(this) && text.includes('"sync"')) order.push("newest");
      unwatched.call(this, text);
    });
    await laptop.restore(words);
    await until(() => order.includes("past"), "the past never came");
    send.mockRestore();
    expect(order).toEqual(["newest", "commit", "commit", "past"]);
    for (const [at, room] of rooms.entries()) {
      await laptop.show(room);
      await until(() => laptop.page.seen.restoring === null, "it never ends");
      await laptop.ask("timeline_older", { roomId: room });
      await laptop.sees(...numbered(1, sizes[at]!));
    }
  });

  it("goes on after a reload in the middle, as the same device", async () => {
    const room = await alice.talkTo(bob);
    await alice.say(room, "kept");
    await alice.allAre("stored");
    const { words, laptop } = await lost();
    await laptop.open();
    await until(() => laptop.page.seen.phase === "no_keys_here", "not asked");
    world.server.loseAnswerTo = "POST me/device-lists";
    await expect(laptop.ask("restore", { secret: words })).rejects.toMatchObject({ code: "offline" });
    world.server.loseAnswerTo = null;
    await laptop.reload();
    await laptop.online();
    await laptop.show(room);
    await laptop.sees("kept");
    expect(world.server.devicesOf(alice.id)).toHaveLength(2);
  });

  it("of somebody who left a room reads what was theirs, and no more", async () => {
    const { roomId: room } = await alice.ask("room_create_group", { title: "g", userIds: [bob.id, carol.id] });
    await alice.show(room);
    await alice.say(room, "while bob was here");
    await alice.allAre("stored");
    await bob.show(room);
    await bob.sees("while bob was here");
    await alice.ask("room_remove_member", { roomId: room, userId: bob.id });
    await alice.say(room, "after him");
    await alice.allAre("stored");
    const words = await bob.words();
    await bob.closeAll();
    const laptop = world.elsewhere(bob);
    await laptop.restore(words);
    await laptop.show(room);
    await laptop.sees("while bob was here");
    expect(laptop.room(room)).toMatchObject({ left: "removed", canWrite: false });
  });
});

describe("a group whose past does not come back", () => {
  it("keeps its title for everybody, and tells it with the next message of a member", async () => {
    const { roomId: garden } = await alice.ask("room_create_group", { title: "garden", userIds: [bob.id, carol.id] });
    await bob.show(garden);
    const { words, laptop } = await lost();
    world.server.lies["GET rooms/*/history-records"] = () => ({ records: [] });
    await laptop.restore(words);
    await until(() => world.server.room(garden).commits.length === 2, "the room was not entered");
    await laptop.show(garden);
    await laptop.say(garden, "who are we?");
    await laptop.allAre("stored");
    expect(laptop.room(garden)?.title).toBe("");
    await bob.sees("who are we?");
    expect(bob.room(garden)?.title).toBe("garden");

    await bob.say(garden, "the garden");
    await laptop.sees("who are we?", "the garden");

    expect(laptop.room(garden)?.title).toBe("garden");
    expect(world.server.room(garden).commits).toHaveLength(3);
    await carol.show(garden);
    await carol.say(garden, "and nobody tells it again");
    await carol.allAre("stored");
    expect(world.server.room(garden).commits).toHaveLength(3);
  });
});

describe("what was typed", () => {
  it("is refused by the word that is none", async () => {
    const { words, laptop } = await lost();
    await laptop.open();
    await until(() => laptop.page.seen.phase === "no_keys_here", "not asked");
    const secret = [...words.split(" ").slice(0, 4), "house", "zyzu"].join(" ");
    const failure = { code: "recovery_words", fields: { words: ["5"] } };
    await expect(laptop.ask("restore", { secret })).rejects.toMatchObject({ failure });
  });

  it.each([
    ["baba fifi gogu", { code: "recovery_words", fields: { count: ["3"] } }],
    ["0000-".repeat(13), { code: "recovery_code" }],
    [`${"0000-".repeat(6)}00U0-${"0000-".repeat(6)}`, { code: "recovery_code", fields: { blocks: ["7"] } }],
    ["0000-".repeat(12), { code: "recovery_code", fields: { count: ["12"] } }],
    [`0000${" 0000".repeat(11)} 000`, { code: "recovery_code", fields: { blocks: ["13"] } }],
  ])("%s is refused before anything is fetched", async (secret, failure) => {
    const { laptop } = await lost();
    world.server.lies["GET me/recovery"] = () => {
      throw new Error("it was asked for");
    };
    await laptop.open();
    await until(() => laptop.page.seen.phase === "no_keys_here", "not asked");
    await expect(laptop.ask("restore", { secret })).rejects.toMatchObject({ failure });
  });

  it("is refused when it is somebody else's, and the right one is taken after it", async () => {
    const others = await bob.words();
    const { words, laptop } = await lost();
    await laptop.open();
    await until(() => laptop.page.seen.phase === "no_keys_here", "not asked");
    const wrong = laptop.ask("restore", { secret: others });
    await expect(wrong).rejects.toMatchObject({ code: "recovery_secret" });
    expect(world.server.devicesOf(alice.id)).toHaveLength(1);
    await laptop.ask("restore", { secret: words });
    await laptop.online();
  });
});
