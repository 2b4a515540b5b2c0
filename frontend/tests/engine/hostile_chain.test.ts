/** A server that lies about a room's chain: a browser stops, or shows it. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Core, encodeCore, encodeState, parseCore, parseState } from "../../src/crypto/commit";
import { memberRow } from "../../src/crypto/committing";
import { compareBytes, decodeBase64url, encodeBase64url } from "../../src/crypto/encoding";
import { encodeOps, parseOps } from "../../src/crypto/ops";
import { h } from "../../src/crypto/primitives";
import { type Member, type Roster, rosterHash } from "../../src/crypto/roster";
import type { Id } from "../../src/engine/contract";
import type { CommitJson } from "../../src/engine/wire";
import { type Person, World } from "./cast";
import { until } from "./clock";
import { Forgery } from "./forgery";

let world: World;
let alice: Person;
let bob: Person;
let carol: Person;
let room: Id;

beforeEach(async () => {
  world = new World();
  const everybody = await world.friends("alice", "bob", "carol");
  [alice, bob, carol] = everybody as [Person, Person, Person];
});
afterEach(() => world.end());

async function group(...people: Person[]): Promise<void> {
  const userIds = people.map((person) => person.id);
  room = (await alice.ask("room_create_group", { title: "garden", userIds })).roomId;
  for (const person of [alice, ...people]) await person.show(room);
  for (const person of people) {
    await until(() => person.room(room)?.title === "garden", "not followed");
  }
}

const rename = (title: string) => alice.ask("room_rename", { roomId: room, title });

/** Show one person other commits than everybody else. */
function showCommits(person: Person, change: (commit: CommitJson) => CommitJson | null): void {
  world.server.lies["GET rooms/*/commits"] = (truth, { user }) => {
    const answer = truth() as { commits: CommitJson[]; head_epoch: number };
    if (user !== person.id) return answer;
    const commits = answer.commits.map(change).filter((commit) => commit !== null);
    return { ...answer, commits };
  };
}

function withCore(commit: CommitJson, change: (core: Core) => Core): CommitJson {
  const core = encodeCore(change(parseCore(decodeBase64url(commit.core))));
  return { ...commit, core: encodeBase64url(core) };
}

function withMember(roster: Roster, member: Member): Roster {
  return [...roster, member].sort((one, other) => compareBytes(one.user, other.user));
}

/** Nothing was taken over, it is said, and nobody writes. */
async function stays(person: Person, trouble: "fork" | "unconfirmed", title = "garden"): Promise<void> {
  await until(() => person.room(room)?.trouble === trouble, `${person.name} does not notice`);
  expect(person.room(room)).toMatchObject({ canWrite: false, title });
}

describe("a commit that is not what its members made", () => {
  beforeEach(() => group(bob));

  it("with another policy is refused", async () => {
    showCommits(bob, (commit) => {
      if (commit.epoch === 0) return commit;
      const { clear, sealed } = parseState(decodeBase64url(commit.state));
      const state = encodeState({ ...clear, historyPolicy: 0 }, sealed);
      return { ...commit, state: encodeBase64url(state) };
    });
    await rename("yard");
    await stays(bob, "unconfirmed");
  });

  it("with a ghost member in its roster is refused", async () => {
    const ghost = memberRow(await listOf(carol), { joinedEpoch: 1 });
    const { roster } = world.server.room(room);
    showCommits(bob, (commit) =>
      commit.epoch === 0
        ? commit
        : withCore(commit, (core) => ({ ...core, rosterHash: rosterHash(withMember(roster, ghost)) })),
    );
    await rename("yard");
    await stays(bob, "unconfirmed");
  });

  it("with a ghost member added in alice's name is refused", async () => {
    const member = memberRow(await listOf(carol), { joinedEpoch: 1 });
    const { roster } = world.server.room(room);
    const grown = withMember(roster, member);
    showCommits(bob, (commit) => {
      if (commit.epoch === 0) return commit;
      const ops = encodeOps([{ op: "add", member }, ...parseOps(decodeBase64url(commit.ops))]);
      const named = { opsHash: h("ops", ops), rosterHash: rosterHash(grown) };
      return { ...withCore(commit, (core) => ({ ...core, ...named })), ops: encodeBase64url(ops) };
    });
    await rename("yard");
    await stays(bob, "unconfirmed");
  });
});

async function listOf(person: Person) {
  const [row] = world.server.accounts.get(person.id)!.lists;
  const [data, sig] = [decodeBase64url(row!.device_list), decodeBase64url(row!.list_sig)];
  return Promise.resolve({ data, sig });
}

describe("a newcomer", () => {
  beforeEach(async () => {
    await group(bob);
    await rename("yard");
  });

  const invite = () => alice.ask("room_invite", { roomId: room, userIds: [carol.id] });

  it("is not led over a break in the chain", async () => {
    const elsewhere = new Uint8Array(32);
    showCommits(carol, (commit) =>
      commit.epoch === 1 ? withCore(commit, (core) => ({ ...core, prevHash: elsewhere })) : commit,
    );
    await invite();
    await stays(carol, "fork", "");
  });

  it("is not begun in the middle", async () => {
    showCommits(carol, (commit) => (commit.epoch === 0 ? null : commit));
    await invite();
    await stays(carol, "unconfirmed", "");
  });

  it("writes no history of an epoch before joining", async () => {
    await invite();
    await until(() => carol.room(room)?.title === "yard", "not in");
    const own = () => world.server.room(room).records.filter(({ user }) => user === carol.id);
    await until(() => own().length > 0, "no record");
    expect(own().map(({ epoch }) => epoch)).toEqual([2]);
  });
});

describe("two branches of a room", () => {
  it("show when a message crosses", async () => {
    await group(bob);
    const forgery = new Forgery(world, alice.id, room);
    const commitHash = new Uint8Array(32).fill(7);
    forgery.append(await forgery.seal(bob, "from the other side", { n: 0, commitHash }));
    await until(() => alice.page.kinds.includes("unreadable"), "not shown");
    await stays(alice, "fork");
  });
});

describe("what is held back", () => {
  beforeEach(() => group(bob));

  it("a commit: its messages wait for it, visibly, and open when it comes", async () => {
    showCommits(bob, (commit) => (commit.epoch === 0 ? commit : null));
    await rename("yard");
    await alice.say(room, "later");
    await alice.allAre("stored");
    const waiting = () => bob.page.seen.timeline!.items.find(({ kind }) => kind === "unreadable");
    await until(() => waiting()?.unreadable === "getting_key", "not shown");
    delete world.server.lies["GET rooms/*/commits"];
    await rename("meadow");
    await bob.sees("later");
  });

  it("a secret: whoever got none commits a new one, and writes", async () => {
    world.server.lies["GET rooms/*/wraps"] = (truth, { user }) => {
      const { wraps } = truth() as { wraps: { epoch: number }[] };
      return { wraps: wraps.filter(({ epoch }) => user !== bob.id || epoch !== 1) };
    };
    await rename("yard");
    await until(() => bob.room(room)?.trouble === "getting_keys", "the epoch opened");
    await bob.say(room, "hello");
    await bob.allAre("stored");
    expect(world.server.room(room).head.committer_user).toBe(bob.id);
    await alice.sees("hello");
  });
});

describe("somebody who was removed", () => {
  it("is not believed with what they write afterwards, though the server takes it", async () => {
    await group(bob, carol);
    const forgery = new Forgery(world, alice.id, room);
    forgery.store(await forgery.seal(carol, "goodbye", { n: 0 }));
    await alice.sees("goodbye");
    const late = await forgery.seal(carol, "I was never gone", { n: 1 });
    await alice.ask("room_remove_member", { roomId: room, userId: carol.id });
    await until(() => bob.page.kinds.includes("removed"), "bob does not know");
    forgery.append(late);
    await until(() => alice.page.kinds.includes("unreadable"), "not shown");
    expect(alice.page.texts).not.toContain("I was never gone");
  });
});
