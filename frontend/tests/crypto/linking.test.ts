import { beforeAll, describe, expect, it } from "vitest";
import {
  type Answered,
  type Asking,
  type GaveUp,
  type Waiting,
  answerCode,
  backupSeed,
  beginLink,
  codeHash,
  entryOf,
  finishLink,
  hex,
  linkKey,
  listHash,
  parseDeviceList,
  scanCode,
} from "../../src/crypto";
import { NOW, type Person, World } from "./cast";

const ORIGIN = "https://chat.example:443";
const EMPTY = new Uint8Array(0);
const MINUTES = 60 * 1000;

let alice: Person;
let bob: Person;
let mallory: Person;

beforeAll(async () => {
  const cast = await World.of("alice", "bob", "mallory");
  [alice, bob, mallory] = [cast.get("alice"), cast.get("bob"), cast.get("mallory")];
});

const begun = () => {
  const { user, publicHalf: amkPub } = alice.account;
  return beginLink({ user, amkPub, origin: ORIGIN }, { now: NOW });
};

function scanned(by: Person, waiting: Waiting, used = new Set<string>()): Asking | GaveUp {
  const { user, publicHalf: amkPub } = by.account;
  const reader = { user, amkPub, origin: ORIGIN, used, now: NOW };
  return scanCode(waiting.code.data, linkKey(waiting), reader);
}

function answered(by: Person, asked: Asking | Answered | GaveUp, now = NOW): Answered {
  const { user, publicHalf: amkPub } = bob.account;
  const made = answerCode(asked, {
    account: by.account,
    previous: by.devices,
    head: EMPTY,
    pins: [{ user, amkPub, version: 1, listHash: listHash(bob.devices) }],
    backupSeed: backupSeed(by.recoveryKey, by.account.user, 1),
    now,
  });
  if (made.state === "gave up") throw new Error(made.outcome);
  return made;
}

describe("a new device", () => {
  it("is listed and learns whom the old one trusts", async () => {
    const waiting = await begun();
    const linked = finishLink(waiting, answered(alice, scanned(alice, waiting)).answer, { now: NOW });
    if (linked.state !== "linked") throw new Error(linked.why);
    expect(linked.pins.map((pin) => hex(pin.user))).toEqual([hex(bob.account.user)]);
    const list = parseDeviceList(linked.devices.data);
    expect(list.version).toBe(2);
    expect(entryOf(list, waiting.keys.device)).not.toBeNull();
  });

  it("is nothing to mallory", async () => {
    const waiting = await begun();
    expect(scanned(alice, waiting).state).toBe("asking");
    expect(scanned(mallory, waiting)).toMatchObject({ state: "gave up", outcome: "link" });
    expect(() => answered(mallory, scanned(alice, waiting))).toThrow("link");
  });

  it("shows a code that works once and for five minutes", async () => {
    const waiting = await begun();
    const asked = scanned(alice, waiting);
    expect(scanned(alice, waiting, new Set([hex(codeHash(waiting.code))])).state).toBe("gave up");
    expect(answered(alice, asked, NOW + 5 * MINUTES).state).toBe("answered");
    expect(() => answered(alice, asked, NOW + 5 * MINUTES + 1)).toThrow("link");
  });

  it("takes nothing more after a failure", async () => {
    const waiting = await begun();
    const { answer } = answered(alice, scanned(alice, waiting));
    const gaveUp = finishLink(waiting, answer.slice(0, -1), { now: NOW });
    expect(gaveUp.state).toBe("gave up");
    expect(finishLink(gaveUp, answer, { now: NOW }).state).toBe("gave up");
  });
});
