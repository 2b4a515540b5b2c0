import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { decodeBase64url } from "../../src/crypto/encoding";
import { type Pre, parseEnvelope } from "../../src/crypto/envelope";
import { systemRandom } from "../../src/crypto/primitives";
import type { Id } from "../../src/engine/contract";
import { type Person, World } from "./cast";
import { turn, until } from "./clock";
import { type Forged, Forgery, garbageLike } from "./forgery";

let world: World;
let alice: Person;
let mallory: Person;
let room: Id;
let forgery: Forgery;

beforeEach(async () => {
  world = new World();
  [alice, mallory] = (await world.friends("alice", "mallory")) as [Person, Person];
  room = await alice.talkTo(mallory);
  await mallory.show(room);
  forgery = new Forgery(world, alice.id, room);
});
afterEach(() => world.end());

const forge = (person: Person, text: string, options: Forged) =>
  forgery.seal(person, text, options);
const live = (envelope: string) => forgery.live(envelope);
const store = (envelope: string) => forgery.store(envelope);

describe("a sender with two texts under one id", () => {
  it("is found out, and everybody has the stored one", async () => {
    const msgId = systemRandom(16);
    const one = await forge(mallory, "you owe me 10", { n: 0, msgId });
    const other = await forge(mallory, "you owe me 99", { n: 1, msgId });
    live(one);
    await alice.sees("you owe me 10");
    store(other);
    await alice.sees("you owe me 99");
    const [item] = alice.page.seen.timeline!.items.filter((row) => row.messageId !== null);
    expect(item?.unreadable).toBe("equivocation");
  });
});

describe("a message that was sealed again under its id", () => {
  it("opens when the log keeps the second sealing, though the first was shown", async () => {
    const msgId = systemRandom(16);
    const first = await forge(mallory, "once", { n: 0, msgId });
    const second = await forge(mallory, "once", { n: 1, msgId });
    live(first);
    await alice.sees("once");
    live(second);
    live(await forge(mallory, "and more", { n: 2 }));
    await alice.sees("once", "and more");
    store(second);
    await until(() => alice.page.seen.timeline!.items.some(({ seq }) => seq === 2), "no place");
    await alice.sees("once", "and more");
  });
});

describe("garbage with a valid header", () => {
  it("burns no key: the real message opens after it", async () => {
    const real = await forge(mallory, "real", { n: 0 });
    live(garbageLike(real));
    live(real);
    await alice.sees("real");
  });

  it("with a counter far ahead burns no key either", async () => {
    const far = await forge(mallory, "far", { n: 5 });
    live(garbageLike(far));
    live(far);
    await alice.sees("far");
    live(await forge(mallory, "near", { n: 2 }));
    await until(() => alice.page.texts.length === 2, "the skipped key was burnt");
  });

  it("in the log is shown as damaged, in its place", async () => {
    store(garbageLike(await forge(mallory, "real", { n: 0 })));
    await until(() => alice.page.kinds.includes("unreadable"), "not shown");
    const item = alice.page.seen.timeline!.items.find((row) => row.kind === "unreadable");
    expect(item?.unreadable).toBe("damaged");
    await mallory.say(room, "after");
    await until(() => alice.page.texts.includes("after"), "the room stopped");
  });
});

describe("a message on its way twice", () => {
  it("is shown once", async () => {
    const envelope = await forge(mallory, "twice", { n: 0 });
    live(envelope);
    live(envelope);
    store(envelope);
    await alice.sees("twice");
    await until(() => alice.page.seen.timeline!.items.at(-1)!.seq > 0, "no place");
    await alice.sees("twice");
  });

  it("that nobody saw live is fetched when its place is announced", async () => {
    store(await forge(mallory, "only stored", { n: 0 }));
    await alice.sees("only stored");
  });

  it("and whose announcement was lost is found by the next check of heads", async () => {
    world.server.muted.add(alice.id);
    store(await forge(mallory, "lost", { n: 0 }));
    await turn();
    world.server.muted.clear();
    expect(alice.page.texts).toEqual([]);
    await world.clock.advance(61_000);
    await alice.sees("lost");
  });
});

describe("a counter that is taken", () => {
  it("makes the sender commit and seal again under the same id", async () => {
    const taken = await forge(alice, "from a copied profile", { n: 0 });
    world.server.isArchiving = false;
    const messageId = await alice.say(room, "mine");
    await alice.allAre("accepted");
    const serverRoom = world.server.room(room);
    const own = serverRoom.queue.splice(0);
    world.server.hasLive = false;
    const before = serverRoom.commits.length;
    store(taken);
    serverRoom.queue.push(...own);
    world.server.isArchiving = true;
    world.server.archive(serverRoom);
    await until(() => serverRoom.commits.length > before, "no commit");
    await until(() => alice.page.states.every((state) => state === "stored"), "not stored");
    const pres = messagesIn(room);
    expect(pres.map((pre) => pre.epoch)).toEqual([0, 1]);
    const ids = alice.page.seen.timeline!.items.map((item) => item.messageId);
    expect(ids).toContain(messageId);
  });
});

function messagesIn(id: Id): Pre[] {
  return world.server.room(id).log.flatMap((item) =>
    item.kind === "message" ? [parseEnvelope(decodeBase64url(item.envelope)).header.pre] : [],
  );
}
