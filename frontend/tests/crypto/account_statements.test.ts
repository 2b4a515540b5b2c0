import { beforeAll, describe, expect, it } from "vitest";
import {
  type AccountKey,
  acceptProfile,
  accountOf,
  checkDispute,
  checkErase,
  checkSuspend,
  checkVeto,
  encodeSuccession,
  encodeWord,
  judgeSuccession,
  listHash,
  makeDispute,
  makeErase,
  makeProfile,
  makeReset,
  makeSuccession,
  makeSuspend,
  makeVeto,
  parseDeviceList,
  resetId,
  verifyReset,
} from "../../src/crypto";
import { walkResets } from "../../src/crypto/succession";
import { DAY, NOW, type Person, World } from "./cast";
import { refused } from "./refusals";

let alice: Person;
let mallory: Person;
let renewed: AccountKey;

beforeAll(async () => {
  const cast = await World.of("alice", "mallory");
  alice = cast.get("alice");
  mallory = cast.get("mallory");
  renewed = accountOf(alice.account.user, new Uint8Array(32).fill(7));
});

const list = () => parseDeviceList(alice.devices.data);
const seen = (days: number) => [{ signed: alice.devices, seen: NOW - days * DAY }];

describe("a device's word", () => {
  it("is heard from a listed device and from nobody else", async () => {
    const name = { room: new Uint8Array(16), device: alice.keys.device, msgId: new Uint8Array(16) };
    const id = listHash(alice.devices);
    const outcomes = async ({ keys }: Person) => {
      const suspend = encodeWord(await makeSuspend(keys, alice.keys.device, { time: NOW }));
      const dispute = encodeWord(await makeDispute(keys, id));
      const veto = encodeWord(await makeVeto(keys, id));
      const erase = encodeWord(await makeErase(keys, name));
      return [
        refused(() => checkSuspend(suspend, list())),
        refused(() => checkDispute(dispute, seen(1), { now: NOW })),
        refused(() => checkVeto(veto, id, list())),
        refused(() => {
          checkErase(erase, name, list());
        }),
      ];
    };
    expect(await outcomes(alice)).toEqual(["ok", "ok", "ok", "ok"]);
    expect(await outcomes(mallory)).toEqual(["dispute", "dispute", "dispute", "dispute"]);
  });
});

describe("a new account key", () => {
  const whose = () => ({ user: alice.account.user, amkOld: alice.account.publicHalf, now: NOW });

  it("is renewed by the owner only with a device of a week's standing", async () => {
    const made = await makeSuccession(alice.account, alice.keys, renewed.publicHalf, { version: 1 });
    const alone = await makeSuccession(alice.account, null, renewed.publicHalf, { version: 1 });
    expect(judgeSuccession(encodeSuccession(made), seen(8), whose())).toBe("renewed");
    expect(judgeSuccession(encodeSuccession(made), seen(6), whose())).toBe("reset");
    expect(judgeSuccession(encodeSuccession(alone), seen(8), whose())).toBe("reset");
  });

  it("is asked for by its owner", () => {
    const reset = makeReset(renewed, alice.account.publicHalf, { time: NOW });
    const { user, amkOld } = whose();
    expect(verifyReset(reset, user, amkOld).amkNew).toEqual(renewed.publicHalf);
    const forged = { ...reset, sig: new Uint8Array(64) };
    expect(refused(() => verifyReset(forged, user, amkOld))).toBe("signature");
    expect(resetId(reset)).toHaveLength(32);
  });
});

describe("a profile", () => {
  it("is believed from a listed device and shown as new once", async () => {
    const signed = await makeProfile(alice.keys, { version: 1, time: NOW, name: "앨리스" });
    const { profile, known, changed } = acceptProfile(signed, list(), null);
    expect([profile.name, changed]).toEqual(["앨리스", true]);
    expect(acceptProfile(signed, list(), known).changed).toBe(false);
    const forged = { ...signed, device: mallory.keys.device };
    expect(refused(() => acceptProfile(forged, list(), null))).toBe("signature");
  });
});

describe("resets that follow each other", () => {
  const third = () => accountOf(alice.account.user, new Uint8Array(32).fill(8));
  const first = () => makeReset(renewed, alice.account.publicHalf, { time: NOW });

  it("lead to the present key", () => {
    const then = makeReset(third(), renewed.publicHalf, { time: NOW });
    const read = walkResets([first(), then], { user: alice.account.user, amkPub: third().publicHalf });
    expect(read.map(({ amkOld }) => amkOld)).toEqual([alice.account.publicHalf, renewed.publicHalf]);
  });

  it("lead to no other key", () => {
    const apart = makeReset(third(), mallory.account.publicHalf, { time: NOW });
    const lead = (resets: Parameters<typeof walkResets>[0]) =>
      refused(() => walkResets(resets, { user: alice.account.user, amkPub: third().publicHalf }));
    expect(lead([first()])).toBe("pin_mismatch");
    expect(lead([first(), apart])).toBe("pin_mismatch");
    expect(lead([{ ...first(), sig: new Uint8Array(64) }])).toBe("signature");
  });
});
