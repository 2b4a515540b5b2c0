import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Id, TimelineItem } from "../../src/engine/contract";
import { type Person, World } from "./cast";
import { until } from "./clock";

let world: World;
let alice: Person;
let bob: Person;
let room: Id;

beforeEach(async () => {
  world = new World();
  [alice, bob] = (await world.friends("alice", "bob")) as [Person, Person];
  room = await alice.talkTo(bob);
  await bob.show(room);
});
afterEach(() => world.end());

function last(): TimelineItem {
  return alice.page.seen.timeline!.items.at(-1)!;
}

function takeBack(messageId: Id): Promise<{ text: string }> {
  return alice.ask("message_take_back", { roomId: room, messageId });
}

function discard(messageId: Id): Promise<null> {
  return alice.ask("message_discard", { roomId: room, messageId });
}

async function draft(): Promise<string> {
  return (await alice.ask("draft_load", { roomId: room })).text;
}

/** The server has it, and alice never hears so; asked again, it refuses. */
async function doubtful(text: string): Promise<Id> {
  world.server.isArchiving = false;
  world.server.hasLive = false;
  let lost = 0;
  world.server.dropReply = (frame) => frame["event"] === "message.send" && lost++ === 0;
  const messageId = await alice.say(room, text);
  await until(() => lost === 1, "it never left");
  world.server.refuse = "forbidden";
  await until(async () => {
    await world.clock.advance(11_000);
    return last().state === "failed";
  }, "it was not refused");
  return messageId;
}

describe("a message that nobody can have got", () => {
  it("goes back into the draft, before what stands there", async () => {
    world.server.refuse = "forbidden";
    const messageId = await alice.say(room, "refused");
    await alice.allAre("failed");
    await alice.ask("draft_save", { roomId: room, text: "meanwhile" });
    expect(last().isChangeable).toBe(true);

    expect(await takeBack(messageId)).toEqual({ text: "refused" });

    await alice.sees();
    await alice.reload();
    await alice.show(room);
    expect(await draft()).toBe("refused\nmeanwhile");
    await alice.sees();
  });

  it("is taken back while it waits for the network", async () => {
    world.server.isUp = false;
    alice.socket!.lose(1006);
    const messageId = await alice.say(room, "typed in haste");
    await alice.lastIs("waiting");

    await takeBack(messageId);

    await alice.sees();
    world.server.isUp = true;
    await world.clock.advance(31_000);
    await alice.say(room, "typed with care");
    await bob.sees("typed with care");
  });

  it("is deleted, and again does no harm", async () => {
    world.server.refuse = "forbidden";
    const messageId = await alice.say(room, "refused");
    await alice.allAre("failed");

    await discard(messageId);
    await discard(messageId);

    await alice.sees();
    await until(() => alice.room(room)?.hasFailed === false, "the room still has a mark");
    await expect(takeBack(messageId)).rejects.toMatchObject({ failure: { code: "not_found" } });
  });

  it("may be got once it was sent again without an answer", async () => {
    world.server.refuse = "forbidden";
    const messageId = await alice.say(room, "once more");
    await alice.allAre("failed");
    world.server.refuse = null;
    world.server.drop = (frame) => frame["event"] === "message.send";

    await alice.ask("message_retry", { roomId: room, messageId });

    await until(() => last().state === "sending" || last().state === "waiting", "not tried again");
    await until(() => !last().isChangeable, "it can still be changed");
  });
});

describe("a message that somebody may have got", () => {
  it("cannot be changed; given up, it shows when the log has it", async () => {
    const messageId = await doubtful("perhaps");
    expect(last().isChangeable).toBe(false);
    await expect(takeBack(messageId)).rejects.toMatchObject({ failure: { code: "forbidden" } });

    await discard(messageId);
    await alice.sees();
    await alice.reload();
    await alice.online();
    await alice.show(room);
    await alice.sees();
    expect(alice.room(room)?.hasFailed).toBe(false);
    world.server.archive(world.server.room(room));

    await alice.sees("perhaps");
    await alice.allAre("stored");
    await bob.sees("perhaps");
  });

  it("that was accepted, and is refused when it is asked about, is stored and shown once", async () => {
    world.server.isArchiving = false;
    const messageId = await alice.say(room, "accepted");
    await alice.allAre("accepted");
    world.server.refuse = "forbidden";
    await world.clock.advance(31_000);
    await alice.allAre("failed");
    await expect(takeBack(messageId)).rejects.toMatchObject({ failure: { code: "forbidden" } });

    world.server.archive(world.server.room(room));

    await alice.allAre("stored");
    await alice.sees("accepted");
    await bob.sees("accepted");
  });

  it("is neither changed nor deleted while it is on its way", async () => {
    world.server.drop = (frame) => frame["event"] === "message.send";
    const messageId = await alice.say(room, "on its way");
    await alice.lastIs("sending");

    await expect(takeBack(messageId)).rejects.toMatchObject({ failure: { code: "forbidden" } });
    await expect(discard(messageId)).rejects.toMatchObject({ failure: { code: "forbidden" } });

    await alice.sees("on its way");
  });
});

describe("a draft", () => {
  it("ends in the same step in which its message is kept", async () => {
    await alice.ask("draft_save", { roomId: room, text: "half" });

    await alice.say(room, "half and the rest");

    expect(await draft()).toBe("");
  });

  it("stays when its message could not be kept", async () => {
    const text = "x".repeat(40_000);
    await alice.ask("draft_save", { roomId: room, text });

    await expect(alice.say(room, text)).rejects.toMatchObject({ failure: { code: "invalid" } });

    expect(await draft()).toBe(text);
  });

  it("that is saved before its message is sent does not come back after it", async () => {
    const saved = alice.ask("draft_save", { roomId: room, text: "quick" });
    const sent = alice.say(room, "quick");
    await Promise.all([saved, sent]);

    expect(await draft()).toBe("");
  });
});
