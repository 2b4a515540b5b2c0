import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { accountOf } from "../../src/crypto";
import { decodeBase64url, encodeBase64url } from "../../src/crypto/encoding";
import { RESET_WAIT_MS, makeReset, parseReset } from "../../src/crypto/succession";
import { idBytes } from "../../src/engine/ids";
import type { UserKeysJson } from "../../src/engine/wire";
import { type Person, World } from "./cast";
import { until } from "./clock";
import { PASSWORD } from "./server_resets";

let world: World;
let alice: Person;
let bob: Person;
let carol: Person;
/** A browser of bob's that has nothing. */
let empty: Person;
beforeEach(async () => {
  world = new World();
  [alice, bob, carol] = (await world.friends("alice", "bob", "carol")) as [Person, Person, Person];
  empty = world.elsewhere(bob);
  await empty.open();
  await until(() => empty.page.seen.phase === "no_keys_here", "not asked for the key");
});
afterEach(() => world.end());

const shown = (person: Person) => person.page.seen.startingAgain;

async function begun(): Promise<void> {
  await empty.ask("reset_begin", { password: PASSWORD });
  await until(() => shown(empty)?.isMine === true, "the browser does not show its own");
}

async function startedAgain(): Promise<void> {
  await begun();
  world.server.resets.letPass();
  await empty.ask("reset_finish", {});
  await empty.online();
}

async function group(): Promise<string> {
  const userIds = [bob.id, carol.id];
  const { roomId } = await alice.ask("room_create_group", { title: "garden", userIds });
  await alice.show(roomId);
  await alice.say(roomId, "before");
  await alice.allAre("stored");
  await carol.show(roomId);
  await carol.sees("before");
  return roomId;
}

/** Say yes to the account key that the server shows for bob now. */
async function goOnWithBob(person: Person): Promise<void> {
  const { accountKey } = await person.ask("safety_number", { userId: bob.id });
  await person.ask("friend_mark", { userId: bob.id, accountKey, isSame: false });
}

function trustIn(person: Person): string | undefined {
  return person.page.seen.friends?.friends.find(({ userId }) => userId === bob.id)?.trust;
}

describe("starting again", () => {
  it("waits for 72 hours and shows on every device of the account", async () => {
    await begun();
    await until(() => shown(bob)?.isMine === false, "the other device is not told");
    expect(shown(bob)!.dueMs - shown(bob)!.announcedMs).toBe(RESET_WAIT_MS);
    await expect(empty.ask("reset_finish", {})).rejects.toMatchObject({ code: "reset_waiting" });
    expect(shown(alice)).toBeNull();
  });

  it("is stopped by any device, and then nothing has changed", async () => {
    await begun();
    await until(() => shown(bob) !== null, "not told");
    await bob.ask("reset_veto", {});
    world.server.resets.letPass();
    await empty.ask("reset_finish", {});
    await until(() => shown(empty) === null, "it still waits");
    expect(empty.page.seen.phase).toBe("no_keys_here");
    const room = await bob.talkTo(alice);
    await bob.say(room, "still me");
    await bob.allAre("stored");
  });

  it("is taken back where it was begun, also after a reload", async () => {
    await begun();
    await empty.reload();
    await until(() => empty.page.seen.phase === "no_keys_here", "not asked for the key");
    await until(() => shown(empty)?.isMine === true, "forgotten");
    await empty.ask("reset_withdraw", {});
    await until(() => shown(empty) === null, "it still waits");
    await until(() => shown(bob) === null, "the other device still shows it");
  });

  it("needs the password", async () => {
    const wrong = empty.ask("reset_begin", { password: "a guess" });
    await expect(wrong).rejects.toMatchObject({ code: "password" });
    expect(shown(empty)).toBeNull();
    await begun();
  });

  it("gives way to the recovery key, when that is found", async () => {
    const words = await bob.words();
    await begun();
    await empty.ask("restore", { secret: words });
    await empty.online();
    await until(() => shown(bob) === null, "it still waits");
    expect(world.server.devicesOf(bob.id)).toHaveLength(2);
  });

  it("makes the browser the only device, with a recovery key of its own", async () => {
    await startedAgain();
    expect(world.server.devicesOf(bob.id)).toEqual([empty.page.seen.me?.deviceId]);
    expect(empty.page.seen.me?.hasRecoveryKey).toBe(false);
    await until(() => shown(empty) === null, "it still waits");
    await until(() => empty.page.seen.keyLog === "none", "the key log does not verify");
    await until(() => bob.page.seen.phase === "signed_out", "the old device is still in");
    bob.signIn();
    await bob.reload();
    await until(() => bob.page.seen.phase === "revoked", "the old device is not told what it is");
  });
});

describe("a room after it", () => {
  it("goes on without the old member, whom nobody had to remove", async () => {
    const room = await group();
    await startedAgain();
    await until(() => alice.page.kinds.includes("started_again"), "not removed");
    await carol.say(room, "without bob");
    await alice.sees("before", "without bob");
    expect(alice.room(room)?.members.map(({ userId }) => userId)).not.toContain(bob.id);
  });

  it("takes the new one in when a person says so, and not before", async () => {
    const room = await group();
    await startedAgain();
    const invite = () => alice.ask("room_invite", { roomId: room, userIds: [bob.id] });
    await expect(invite()).rejects.toMatchObject({ code: "unverified" });
    await until(() => trustIn(alice) === "changed", "the change is not shown");
    await goOnWithBob(alice);
    await invite();
    await alice.say(room, "welcome back");
    await alice.allAre("stored");
    await empty.show(room);
    // What was said to the account of before stands there, closed.
    await empty.sees("", "welcome back");
    expect(empty.room(room)?.isAdmin).toBe(false);
    await until(() => carol.room(room)?.trouble === "pin_mismatch", "carol is not told");
    const inRoom = () => carol.room(room)?.members.find(({ userId }) => userId === bob.id);
    await until(() => inRoom()?.trust === "changed", "carol does not see who it is");
    await goOnWithBob(carol);
    await carol.say(room, "to bob");
    await empty.sees("", "welcome back", "to bob");
  });

  it("of two people ends, and another one begins", async () => {
    const old = await alice.talkTo(bob);
    await alice.say(old, "before");
    await alice.allAre("stored");
    await startedAgain();
    await until(() => alice.room(old)?.canWrite === false, "still open");
    await goOnWithBob(alice);
    const room = await alice.talkTo(bob);
    expect(room).not.toBe(old);
    await alice.say(room, "is it you?");
    await alice.allAre("stored");
    await empty.show(room);
    await empty.sees("is it you?");
  });
});

describe("a server that lies", () => {
  const lieAboutBob = (change: (keys: UserKeysJson) => UserKeysJson) => {
    world.server.lies["GET users/*/keys"] = (truth, { session, path }) => {
      const keys = truth() as UserKeysJson;
      return session.user === bob.id || path[1] !== bob.id ? keys : change(keys);
    };
  };

  it("gets nothing wrapped to a key that no reset leads to", async () => {
    const room = await group();
    await startedAgain();
    lieAboutBob((keys) => ({ ...keys, former: [] }));
    await expect(goOnWithBob(alice)).rejects.toMatchObject({ code: "unverified" });
    const invite = alice.ask("room_invite", { roomId: room, userIds: [bob.id] });
    await expect(invite).rejects.toMatchObject({ code: "unverified" });
  });

  it("is not believed a reset to the key that is there, by another hand", async () => {
    await group();
    await startedAgain();
    lieAboutBob((keys) => {
      const [former] = keys.former!;
      const { amkOld } = parseReset(decodeBase64url(former!.reset));
      const mallory = accountOf(idBytes(bob.id), new Uint8Array(32).fill(7));
      const { data, sig } = makeReset(mallory, amkOld, { time: 1 });
      const forged = { ...former!, reset: encodeBase64url(data), reset_sig: encodeBase64url(sig) };
      return { ...keys, former: [forged] };
    });
    await expect(goOnWithBob(alice)).rejects.toMatchObject({ code: "unverified" });
  });

  it("removes nobody by a word that is not signed by its key", async () => {
    const room = await group();
    world.server.lies["GET rooms/*"] = (truth) => {
      const info = truth() as { leaving: unknown[] };
      const statement = encodeBase64url(new Uint8Array(120));
      return { ...info, leaving: [{ user_id: bob.id, joined_epoch: 0, statement }] };
    };
    world.server.tellUser(alice.id, { event: "member.left", room_id: room, user_id: bob.id });
    await alice.say(room, "after");
    await carol.sees("before", "after");
    expect(carol.room(room)?.members).toHaveLength(3);
  });
});
