import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { decodeBase64url, equalBytes } from "../../src/crypto/encoding";
import { envelopeId } from "../../src/crypto/envelope";
import { LOG_START, nextLogHash } from "../../src/crypto/log_hash";
import { systemRandom } from "../../src/crypto/primitives";
import type { Id } from "../../src/engine/contract";
import { type RoomRecord, readRoom } from "../../src/engine/records";
import { Store } from "../../src/engine/store/store";
import { type Person, World } from "./cast";
import { until } from "./clock";
import { Forgery, garbageLike } from "./forgery";

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

/** Wait until alice has applied the whole log, and give what she keeps of the room. */
async function settled(): Promise<RoomRecord> {
  const store = await Store.open(alice.id, () => undefined);
  const { length } = world.server.room(room).log;
  const record = async () => (await readRoom(store, room))!.record;
  await until(async () => (await record()).cursor === length, "the log was not applied");
  const found = await record();
  store.close();
  return found;
}

/** The log's hash at a place, as everybody computes it. */
function logHash(upto: number): Uint8Array {
  const hashes = world.server.room(room).log.slice(0, upto).map((item) => {
    if (item.kind === "commit") return decodeBase64url(item.hash);
    if (item.kind === "message") return envelopeId(decodeBase64url(item.envelope));
    throw new Error("nobody leaves here");
  });
  return hashes.reduce((log, hash, at) => nextLogHash(log, at + 1, hash), LOG_START);
}

function places(): [number, string][] {
  const items = alice.page.seen.timeline!.items.filter((item) => item.messageId !== null);
  return items.map(({ seq, text }) => [seq, text]);
}

const seal = (text: string, n: number, more: { msgId?: Uint8Array } = {}) =>
  forgery.seal(mallory, text, { n, ...more });

describe("a message that the log lists again", () => {
  beforeEach(async () => {
    const yes = await seal("yes", 0);
    forgery.append(yes);
    forgery.append(await seal("shall I pay?", 1));
    forgery.append(yes);
    await settled();
  });

  it("keeps its first place, and counts once", async () => {
    await alice.sees("yes", "shall I pay?");
    expect(places()).toEqual([
      [2, "yes"],
      [3, "shall I pay?"],
    ]);
    expect((await settled()).unread).toBe(2);
  });

  it("is no other order of the log: what is asserted for each place is true", async () => {
    for (const seq of [2, 4]) {
      const body = { n: seq, seen: { seq, log: logHash(seq) } };
      forgery.append(await forgery.seal(mallory, `seen ${seq}`, body));
    }
    const { log, logFork } = await settled();
    expect(logFork).toBeNull();
    expect(equalBytes(log!.log, logHash(6))).toBe(true);
  });
});

describe("a commit that the log lists again", () => {
  it("keeps its first place", async () => {
    forgery.repeat(world.server.room(room).log[0]!);
    const { log, logFork } = await settled();
    const body = { n: 0, seen: { seq: 1, log: logHash(1) } };
    forgery.append(await forgery.seal(mallory, "seen", body));
    await alice.sees("seen");
    expect([log?.seq, logFork]).toEqual([2, null]);
    const store = await Store.open(alice.id, () => undefined);
    const first = await store.tables.getAllFromIndex("items", "bySeq", [room, 1]);
    store.close();
    expect(first.map(({ kind }) => kind)).toEqual(["commit"]);
  });
});

describe("two stored messages under one id", () => {
  const msgId = systemRandom(16);

  it("with one text are one message", async () => {
    forgery.append(await seal("yes", 0, { msgId }));
    forgery.append(await seal("yes", 1, { msgId }));
    expect((await settled()).unread).toBe(1);
    await alice.sees("yes");
    expect(alice.page.seen.timeline!.items.at(-1)?.unreadable).toBeNull();
  });

  it("with two texts show the first, and that there were two", async () => {
    forgery.append(await seal("yes", 0, { msgId }));
    forgery.append(await seal("no", 1, { msgId }));
    const { lastText } = await settled();
    await alice.sees("yes");
    await until(() => alice.page.seen.timeline!.items.at(-1)?.unreadable === "equivocation");
    expect(lastText).toBe("yes");
  });
});

describe("stored garbage with the header of a message", () => {
  it("does not replace what was shown live", async () => {
    const real = await seal("real", 0);
    forgery.live(real);
    await alice.sees("real");
    forgery.append(garbageLike(real));
    await settled();
    await alice.sees("real");
    forgery.append(real);
    await settled();
    await until(() => places()[0]?.[0] === 3, "no place");
    expect(places()).toEqual([[3, "real"]]);
  });

  it("hides no message that comes after it", async () => {
    const real = await seal("real", 0);
    forgery.append(garbageLike(real));
    forgery.append(real);
    await settled();
    await alice.sees("real");
    expect(places()).toEqual([[3, "real"]]);
  });

  it("does not end an own message that waits", async () => {
    world.server.isArchiving = false;
    await alice.say(room, "mine");
    await alice.allAre("accepted");
    const { envelope } = world.server.room(room).queue[0]!.item;
    forgery.append(garbageLike(envelope));
    await settled();
    await alice.sees("mine");
    await alice.allAre("accepted");
    forgery.append(envelope);
    await settled();
    await alice.allAre("stored");
    await alice.sees("mine");
  });
});

describe("what a live message asserts of the log", () => {
  it("is compared when it is stored, since its place may not have been known before", async () => {
    const seen = { seq: 2, log: systemRandom(32) };
    const liar = await forgery.seal(mallory, "liar", { n: 0, seen });
    forgery.live(liar);
    await alice.sees("liar");
    expect((await settled()).logFork).toBeNull();
    forgery.append(await seal("something", 1));
    await settled();
    expect((await settled()).logFork).toBeNull();
    forgery.append(liar);
    expect((await settled()).logFork?.seq).toBe(2);
    await until(() => alice.room(room)?.trouble === "fork", "nothing is shown");
  });
});

describe("a counter that is called void", () => {
  it("and has a stored message is ignored and counted", async () => {
    forgery.append(await seal("said", 0));
    const denial = { n: 1, void: [[0, 0], [0, 7]] as const };
    forgery.append(await forgery.seal(mallory, "never said", denial));
    expect((await settled()).falseVoids).toBe(1);
    await alice.sees("said", "never said");
  });

  it("by somebody else is no word about a member's message", async () => {
    await alice.say(room, "mine");
    await alice.allAre("stored");
    forgery.append(await forgery.seal(mallory, "hers is void", { n: 1, void: [[0, 0]] }));
    expect((await settled()).falseVoids).toBe(0);
  });
});
