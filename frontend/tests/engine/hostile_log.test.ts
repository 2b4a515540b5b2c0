/** A server that drops or takes back what it stored, or keeps it for long: it shows, or opens. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { decodeBase64url } from "../../src/crypto/encoding";
import { envelopeId } from "../../src/crypto/envelope";
import { LOG_START, nextLogHash } from "../../src/crypto/log_hash";
import type { Id } from "../../src/engine/contract";
import { type Person, World } from "./cast";
import { until } from "./clock";
import { Forgery } from "./forgery";

const EIGHT_DAYS_MS = 8 * 24 * 3600 * 1000;

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

/** The log's hash after the room's commit and these messages. */
function logHash(...envelopes: string[]): Uint8Array {
  const [commit] = world.server.room(room).log;
  const hashes = [
    decodeBase64url((commit as { hash: string }).hash),
    ...envelopes.map((envelope) => envelopeId(decodeBase64url(envelope))),
  ];
  return hashes.reduce((log, hash, at) => nextLogHash(log, at + 1, hash), LOG_START);
}

const noticed = () => until(() => alice.room(room)?.trouble === "fork", "nobody noticed");

describe("a message that the server leaves out", () => {
  it("in the middle shows at the next one", async () => {
    const [one, two] = [await seal("one", 0), await seal("two", 1)];
    const seen = { seq: 3, log: logHash(one, two) };
    forgery.append(one);
    forgery.append(await seal("another", 2));
    forgery.append(await forgery.seal(mallory, "last", { n: 3, seen }));
    await noticed();
  });

  it("at the end shows at the next one", async () => {
    const [one, two] = [await seal("one", 0), await seal("two", 1)];
    const seen = { seq: 3, log: logHash(one, two) };
    forgery.append(one);
    forgery.append(await forgery.seal(mallory, "last", { n: 2, seen }));
    await noticed();
  });

  it("is not suspected where nothing is missing", async () => {
    const [one, two] = [await seal("one", 0), await seal("two", 1)];
    const seen = { seq: 3, log: logHash(one, two) };
    forgery.append(one);
    forgery.append(two);
    forgery.append(await forgery.seal(mallory, "last", { n: 2, seen }));
    await alice.sees("one", "two", "last");
    expect(alice.room(room)?.trouble).toBe("none");
  });
});

const seal = (text: string, n: number) => forgery.seal(mallory, text, { n });

describe("a log that is shorter than before", () => {
  it("shows as soon as the room is looked at again", async () => {
    await mallory.say(room, "one");
    await mallory.say(room, "two");
    await alice.sees("one", "two");
    await until(() => alice.page.seen.timeline!.items.every(({ seq }) => seq > 0), "no place");
    world.server.room(room).log.pop();
    await alice.reload();
    await alice.online();
    await noticed();
  });
});

describe("a message that comes eight days late", () => {
  it("opens: its key was kept", async () => {
    const early = await seal("early", 0);
    forgery.append(await seal("late", 1));
    await alice.sees("late");
    await alice.closeAll();
    await mallory.closeAll();
    await world.clock.advance(EIGHT_DAYS_MS);
    forgery.append(early);
    await alice.reload();
    await alice.online();
    await alice.show(room);
    await alice.sees("late", "early");
  });
});
