import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { decodeBase64url } from "../../src/crypto/encoding";
import { parseEnvelope } from "../../src/crypto/envelope";
import type { Id } from "../../src/engine/contract";
import { idOf } from "../../src/engine/ids";
import { type Person, World } from "./cast";
import { turn, until } from "./clock";

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

function storedMessages(): number {
  return world.server.room(room).log.filter((item) => item.kind === "message").length;
}

describe("a message", () => {
  it("is stored once when its confirmation was lost and it is sent again", async () => {
    let lost = 0;
    world.server.dropReply = (frame) => frame["event"] === "message.send" && lost++ === 0;
    await alice.say(room, "once");
    await bob.sees("once");
    await world.clock.advance(60_000);
    await alice.allAre("stored");
    expect(lost).toBeGreaterThan(0);
    expect(storedMessages()).toBe(1);
    await alice.sees("once");
  });

  it("that never arrived is sent again with the same bytes", async () => {
    const sent: string[] = [];
    world.server.drop = (frame) => {
      if (frame["event"] !== "message.send") return false;
      sent.push(frame["envelope"] as string);
      return sent.length === 1;
    };
    await alice.say(room, "again");
    await until(() => sent.length === 1);
    for (let tries = 0; sent.length < 2 && tries < 5; tries += 1) {
      await world.clock.advance(11_000);
      await turn();
    }
    await bob.sees("again");
    expect(sent.length).toBeGreaterThan(1);
    expect(new Set(sent).size).toBe(1);
  });

  it("that is accepted is sent again until it is stored", async () => {
    world.server.isArchiving = false;
    let sent = 0;
    world.server.drop = (frame) => {
      if (frame["event"] === "message.send") sent += 1;
      return false;
    };
    await alice.say(room, "slow");
    await alice.allAre("accepted");
    expect(sent).toBe(1);
    await world.clock.advance(31_000);
    await until(() => sent === 2, "not sent again after 30 s");
    world.server.archive(world.server.room(room));
    await alice.allAre("stored");
    expect(storedMessages()).toBe(1);
  });

  it("sent in the same moment as others keeps its place among them", async () => {
    const texts = Array.from({ length: 20 }, (_, at) => `quick ${at}`);
    await Promise.all(texts.map((text) => alice.say(room, text)));
    await bob.sees(...texts);
  });

  it("typed without a network goes out under its id when the network is back", async () => {
    world.server.isUp = false;
    alice.socket!.lose(1006);
    await until(() => alice.page.seen.connection?.state !== "online");
    const messageId = await alice.say(room, "later");
    await alice.lastIs("waiting");
    world.server.isUp = true;
    await world.clock.advance(31_000);
    await bob.sees("later");
    const ids = bob.page.seen.timeline!.items.map((item) => item.messageId);
    expect(ids).toContain(messageId);
  });

  it("that the server calls stale is sealed again under the same id", async () => {
    const userIds = [alice.id];
    const { roomId } = await bob.ask("room_create_group", { title: "one", userIds });
    await alice.show(roomId);
    await bob.show(roomId);
    world.server.muted.add(alice.id);
    await bob.ask("room_rename", { roomId, title: "two" });
    const envelopes: string[] = [];
    world.server.drop = (frame) => {
      if (frame["event"] === "message.send") envelopes.push(frame["envelope"] as string);
      return false;
    };
    const messageId = await alice.say(roomId, "moving");
    await until(() => envelopes.length === 1);
    await world.clock.advance(2_000);
    await bob.sees("moving");
    world.server.muted.clear();
    const sent = envelopes.map((data) => parseEnvelope(decodeBase64url(data)).header.pre);
    expect(sent.map((pre) => idOf(pre.msgId))).toEqual([messageId, messageId]);
    expect(sent.map((pre) => pre.epoch)).toEqual([0, 1]);
  });

  it("waits for the network, in order, and closing the page does not lose it", async () => {
    world.server.isUp = false;
    alice.socket!.lose(1006);
    await alice.say(room, "one");
    await alice.say(room, "two");
    await alice.reload();
    await until(() => alice.page.seen.phase === "ready", "not ready without a network");
    await alice.show(room);
    await alice.sees("one", "two");
    expect(alice.page.states).toEqual(["waiting", "waiting"]);
    world.server.isUp = true;
    await world.clock.advance(40_000);
    await bob.sees("one", "two");
  });

  it("uses no counter twice when the page dies between reserving and sending", async () => {
    world.server.drop = (frame) => frame["event"] === "message.send";
    await alice.say(room, "reserved");
    await until(() => alice.page.states[0] === "sending");
    await alice.reload();
    world.server.drop = () => false;
    await alice.online();
    await alice.say(room, "next");
    await bob.sees("reserved", "next");
    const counters = countersInLog();
    expect(new Set(counters).size).toBe(2);
  });

  it("that is refused for good can be tried again", async () => {
    const messageId = await refusedMessage();
    world.server.refuse = null;
    await alice.ask("message_retry", { roomId: room, messageId });
    await bob.sees("refused");
  });

  it("that is too long is refused before it is written", async () => {
    const sending = alice.say(room, "x".repeat(40_000));
    await expect(sending).rejects.toMatchObject({ failure: { code: "invalid" } });
  });

  async function refusedMessage(): Promise<Id> {
    world.server.refuse = "forbidden";
    const messageId = await alice.say(room, "refused");
    await alice.allAre("failed");
    await until(() => alice.room(room)?.hasFailed === true, "the room has no mark");
    return messageId;
  }

  function countersInLog(): number[] {
    return world.server.room(room).log.flatMap((item) =>
      item.kind === "message"
        ? [parseEnvelope(decodeBase64url(item.envelope)).header.pre.n]
        : [],
    );
  }
});
