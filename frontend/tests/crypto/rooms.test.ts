import { beforeEach, describe, expect, it } from "vitest";
import {
  type Commit,
  type Op,
  type Received,
  type RoomView,
  type Roster,
  ROLE_ADMIN,
  applyOps,
  commitAdd,
  commitHash,
  commitRemove,
  commitRole,
  commitRotation,
  commitTitle,
  compareBytes,
  createGroup,
  directOrigin,
  encodeOps,
  encodeStatement,
  equalBytes,
  hex,
  makeCommit,
  makeLeave,
  makeRemoveIntent,
  memberRow,
  openMessage,
  parseCore,
  parseOps,
  prekeyHash,
  prekeySource,
  receiveCommit,
  rosterHash,
  sealMessage,
  signerOf,
  textBody,
  wipe,
} from "../../src/crypto";
import { coreHash, encodeCore } from "../../src/crypto/commit";
import { h } from "../../src/crypto/primitives";
import { NOW, World, epochOf, seeded, viewOf } from "./cast";
import { refused, refusedLater } from "./refusals";

let cast: World;
let garden: Map<string, Received>;
let view: RoomView;

beforeEach(async () => {
  cast = await World.of("alice", "bob", "carol", "dave", "mallory");
  garden = await cast.group("alice", "bob", "dave");
  view = viewOf(garden, "bob");
});

const memberOf = (name: string) =>
  view.roster.find((row) => equalBytes(row.user, cast.get(name).account.user))!;
const by = (name: string) => cast.committer(name, garden.get(name)?.epoch ?? null);
const verdict = (commit: Commit, from: RoomView | null = view, name = "bob") =>
  refusedLater(() => cast.receive(name, from, commit));

/** Sign a commit anew after its core was changed: what a dishonest member can do. */
async function forged(commit: Commit, name: string, change: object): Promise<Commit> {
  const core = encodeCore({ ...parseCore(commit.core), ...change });
  const { signingKey } = cast.get(name).keys;
  const sig = await signerOf(signingKey).sign("commit", commitHash({ core, tag: commit.tag }));
  return { ...commit, core, sig };
}

describe("a room's chain", () => {
  it("gives every member the same epoch, title and roster", () => {
    const names = ["alice", "bob", "dave"];
    const heads = names.map((name) => hex(viewOf(garden, name).head));
    expect(new Set(heads).size).toBe(1);
    expect(names.map((name) => viewOf(garden, name).title)).toEqual(["garden", "garden", "garden"]);
    expect(epochOf(garden, "alice").chains).toEqual(epochOf(garden, "bob").chains);
  });

  it("goes on with a rotation, a new title and a new member", async () => {
    const rotated = await cast.everyone(["alice", "bob"], await commitRotation(view, by("bob")), garden);
    const titled = await commitTitle(viewOf(rotated, "alice"), "정원", cast.committer("alice"));
    const renamed = await cast.everyone(["alice", "bob"], titled, rotated);
    expect(viewOf(renamed, "bob").title).toBe("정원");

    const lists = [cast.get("carol").devices];
    const added = await commitAdd(viewOf(renamed, "alice"), lists, cast.committer("alice"));
    const after = await cast.receive("bob", viewOf(renamed, "bob"), added);
    expect([after.outcome, after.view.roster.length, after.view.epoch]).toEqual(["ok", 4, 3]);
  });

  it("ignores a commit it has, and raises an alarm at another one for the same epoch", async () => {
    const [one, other] = [await commitRotation(view, by("bob")), await commitRotation(view, by("dave"))];
    const { view: later } = await cast.receive("bob", view, one);
    expect((await cast.receive("bob", later, one)).ignored).toBe(true);
    expect(await verdict(other, later)).toBe("fork");
  });

  it("does not skip an epoch", async () => {
    const next = await cast.receive("bob", view, await commitRotation(view, by("bob")));
    const afterNext = await commitRotation(next.view, cast.committer("bob"));
    expect(await verdict(afterNext)).toBe("epoch_gap");
  });

  it("begins with a create", async () => {
    const rotation = await forged(await commitRotation(view, by("alice")), "alice", { epoch: 0 });
    expect(await verdict(rotation, null)).toBe("roster");
  });

  it("can be followed from epoch 0 without any wrap", async () => {
    const lists = ["alice", "bob", "dave"].map((name) => cast.get(name).devices);
    const first = await createGroup(cast.committer("alice"), lists, { title: "new" });
    const { room } = parseCore(first.core);
    const received = await receiveCommit(null, first, { room, trust: cast.trust() });
    expect([received.outcome, received.epoch, received.view.title]).toEqual(["ok", null, null]);
    expect(await refusedLater(() => receiveCommit(null, first, { room: view.room, trust: cast.trust() }))).toBe(
      "reference",
    );
  });
});

describe("a commit that a member forges", () => {
  it("cannot change the roster without saying so", async () => {
    const ghostless = view.roster.filter((row) => row !== memberOf("dave"));
    const promoted = view.roster.map((row) => ({ ...row, role: ROLE_ADMIN }));
    const honest = await commitRotation(view, by("bob"));
    expect(await verdict(honest, view, "alice")).toBe("ok");
    for (const roster of [ghostless, promoted]) {
      const lie = await forged(honest, "bob", { rosterHash: rosterHash(roster) });
      expect(await verdict(lie, view, "alice")).toBe("roster");
    }
  });

  it("cannot remove, add, promote or rename without being admin", async () => {
    const carol = [cast.get("carol").devices];
    const attempts = [
      commitRemove(view, cast.get("dave").account.user, by("bob")),
      commitAdd(view, carol, by("bob")),
      commitRole(view, cast.get("bob").account.user, ROLE_ADMIN, by("bob")),
      commitTitle(view, "mine", by("bob")),
    ];
    for (const attempt of attempts) {
      expect(await verdict(await attempt, view, "alice")).toBe("op_forbidden");
    }
  });

  it("cannot come from somebody outside", async () => {
    const honest = await commitRotation(view, by("bob"));
    const { user, device } = cast.get("mallory").keys;
    const change = { committerUser: user, committerDevice: device };
    expect(await verdict(await forged(honest, "mallory", change))).toBe("committer");
    const asBob = await forged(honest, "mallory", { time: NOW + 1 });
    expect(await verdict(asBob)).toBe("signature");
  });

  it("cannot be her own farewell: the leaver would know the next secret", async () => {
    const { keys, account } = cast.get("dave");
    const statement = await makeLeave(keys, view.room, 0);
    const leave = () => commitRemove(view, account.user, by("dave"), statement);
    expect(await refusedLater(leave)).toBe("committer");
    const honest = await commitRemove(view, account.user, by("bob"), statement);
    const change = { committerUser: account.user, committerDevice: keys.device };
    expect(await verdict(await forged(honest, "dave", change))).toBe("committer");
  });

  it("cannot leave a group without admin", async () => {
    const alice = cast.get("alice");
    const statement = await makeLeave(alice.keys, view.room, 0);
    const commit = await commitRemove(view, alice.account.user, by("bob"), statement);
    expect(await verdict(commit)).toBe("op_forbidden");
  });

  it("makes an unusable epoch of a wrong secret, and the chain goes on", async () => {
    const commit = await commitRotation(view, by("dave"));
    const device = hex(cast.get("bob").keys.device);
    const wraps = new Map([[device, commit.wraps.get(device)!.with(-1, 0).with(0, 1)]]);
    const received = await cast.receive("bob", view, { ...commit, wraps });
    expect([received.outcome, received.epoch?.opened]).toEqual(["epoch_unusable", false]);
    const healing = await commitRotation(received.view, cast.committer("bob", received.epoch));
    expect((await cast.receive("bob", received.view, healing)).epoch?.opened).toBe(true);
  });
});

describe("leaving and being removed", () => {
  it("by a signed statement that somebody else commits", async () => {
    const { keys, account } = cast.get("dave");
    const statement = await makeLeave(keys, view.room, 0);
    const received = await cast.receive(
      "alice",
      view,
      await commitRemove(view, account.user, by("bob"), statement),
    );
    expect(received.view.roster.map((row) => hex(row.user))).not.toContain(hex(account.user));
  });

  it("by an admin's intent that any member commits, but not by a member's", async () => {
    const { account } = cast.get("dave");
    const subject = { room: view.room, ...account, amkPub: account.publicHalf, joinedEpoch: 0 };
    const intents = [cast.get("alice"), cast.get("bob")].map(({ keys }) =>
      makeRemoveIntent(keys, subject),
    );
    const [admins, members] = await Promise.all(intents);
    expect(await verdict(await commitRemove(view, account.user, by("bob"), admins))).toBe("ok");
    expect(await verdict(await commitRemove(view, account.user, by("bob"), members))).toBe(
      "op_forbidden",
    );
  });

  it("an old statement does not work against somebody who joined again", async () => {
    const { keys, account } = cast.get("dave");
    const old = encodeStatement(await makeLeave(keys, view.room, 0));
    const ops: Op = { op: "remove", user: account.user, amkPub: account.publicHalf, joinedEpoch: 0, statement: old };
    const gone = await cast.receive("alice", view, await makeCommit(view, [ops], by("bob")));
    const back = await commitAdd(gone.view, [cast.get("dave").devices], cast.committer("alice"));
    const { view: again } = await cast.receive("alice", gone.view, back);
    const replayed: Op = { ...ops, joinedEpoch: 2 };
    const commit = await makeCommit(again, [replayed], cast.committer("bob"));
    expect(await verdict(commit, again, "alice")).toBe("op_forbidden");
  });

  it("cuts off what the removed device writes later, and closes the next epoch to it", async () => {
    const dave = cast.get("dave");
    const before = epochOf(garden, "dave");
    const write = (n: number) =>
      sealMessage(before, dave.keys, textBody("hi"), { msgId: new Uint8Array(16).fill(n), time: NOW });
    const first = await write(1);
    const seen = openMessage(first.envelope, epochOf(garden, "alice"), { room: view.room }).epoch!;
    const removal = await commitRemove(view, dave.account.user, cast.committer("alice", seen));

    const alice = await cast.receive("alice", view, removal);
    const daveSees = await cast.receive("dave", view, removal);
    expect(alice.cuts).toEqual(new Map([[hex(dave.keys.device), 1]]));
    expect(daveSees.epoch).toBeNull();
    expect(removal.wraps.has(hex(dave.keys.device))).toBe(false);
  });

  it("needs a seen for every dropped device", async () => {
    const { account } = cast.get("dave");
    const honest = await commitRemove(view, account.user, by("alice"));
    const ops = encodeOps(parseOps(honest.ops).filter((op) => op.op !== "seen"));
    const without = await forged({ ...honest, ops }, "alice", { opsHash: h("ops", ops) });
    expect(await verdict(honest)).toBe("ok");
    expect(await verdict(without)).toBe("op_forbidden");
  });
});

describe("a direct room", () => {
  it("has its two people for ever", async () => {
    const both = await cast.direct("alice", "bob");
    const direct = viewOf(both, "alice");
    const carol = [cast.get("carol").devices];
    expect(direct.title).toBe("");
    const add = await commitAdd(direct, carol, cast.committer("alice"));
    const remove = await commitRemove(direct, cast.get("bob").account.user, cast.committer("alice"));
    expect(await verdict(add, direct)).toBe("op_forbidden");
    expect(await verdict(remove, direct)).toBe("op_forbidden");
  });

  it("begins with exactly its two people, and without an admin", async () => {
    const names = ["alice", "bob", "carol"];
    const rows = names
      .map((name) => memberRow(cast.get(name).devices, { joinedEpoch: 0 }))
      .sort((one, other) => compareBytes(one.user, other.user));
    const [alice, bob] = [cast.get("alice").keys, cast.get("bob").keys];
    const origin = directOrigin(alice, bob);
    const pair = rows.filter((row) => [alice, bob].some(({ user }) => equalBytes(user, row.user)));
    const begun = async (roster: Roster) => {
      const commit = await makeCommit(null, [{ op: "create", origin, roster }], by("alice"));
      return verdict(commit, null, "alice");
    };
    expect(await begun(pair)).toBe("ok");
    expect(await begun(rows)).toBe("op_forbidden");
    expect(await begun(pair.filter((row) => equalBytes(row.user, alice.user)))).toBe("op_forbidden");
    expect(await begun(pair.map((row) => ({ ...row, role: ROLE_ADMIN })))).toBe("op_forbidden");
  });

  it("is the same one whoever begins it", async () => {
    const [one, other] = [await cast.direct("alice", "bob"), await cast.direct("bob", "alice")];
    expect(viewOf(one, "alice").room).toEqual(viewOf(other, "alice").room);
  });
});

describe("the computed roster", () => {
  it("refuses operations that change nothing, meet nobody or come twice", () => {
    const bob = memberOf("bob");
    const role: Op = { op: "role", user: bob.user, role: 2 };
    const impossible: Op[][] = [
      [{ ...role, role: 1 }],
      [role, { op: "refresh", user: bob.user, listVersion: 2, listHash: bob.listHash }],
      [{ ...role, user: new Uint8Array(16) }],
      [{ op: "add", member: bob }],
      [{ op: "unknown", data: new Uint8Array(5) }],
    ];
    expect(refused(() => applyOps(view.roster, [role]))).toBe("ok");
    for (const ops of impossible) {
      expect(refused(() => applyOps(view.roster, ops))).toBe("roster");
    }
  });
});

describe("epoch secrets", () => {
  it("reach a device that wraps were made for under an older prekey", async () => {
    const bob = cast.get("bob");
    const commit = await commitRotation(view, by("alice"));
    const seeds = new Map([
      ["00".repeat(32), seeded("newer prekey")(32)],
      [hex(prekeyHash(bob.prekey)), bob.prekeySeed],
    ]);
    const source = prekeySource(bob.keys, seeds);
    const reader = { room: view.room, trust: cast.trust(), source };
    expect((await receiveCommit(view, commit, reader)).epoch?.opened).toBe(true);
  });

  it("are not those of another commit's core", async () => {
    const [one, other] = [await commitRotation(view, by("alice")), await commitRotation(view, by("alice"))];
    expect(hex(coreHash(one))).not.toBe(hex(coreHash(other)));
    const swapped = await cast.receive("bob", view, { ...one, wraps: other.wraps });
    expect(swapped.outcome).toBe("epoch_unusable");
  });

  it("can be overwritten", () => {
    const secret = Uint8Array.of(1, 2, 3);
    wipe(secret);
    expect(secret).toEqual(new Uint8Array(3));
  });
});
