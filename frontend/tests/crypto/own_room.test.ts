import { describe, expect, it } from "vitest";
import { commitAdd, createOwnRoom, makeCommit, memberRow } from "../../src/crypto/committing";
import { compareBytes } from "../../src/crypto/encoding";
import { isOwnRoom, ownOrigin } from "../../src/crypto/own_room";
import { World, type Person } from "./cast";
import { refusedLater } from "./refusals";

function whose({ account }: Person) {
  return { user: account.user, amkPub: account.publicHalf };
}

describe("an own room", () => {
  it("is one as long as its owner is alone in it", async () => {
    const cast = await World.of("alice", "mallory");
    const [alice, mallory] = [cast.get("alice"), cast.get("mallory")];
    const first = await cast.receive("alice", null, await createOwnRoom(cast.committer("alice"), alice.devices));
    expect(first.epoch?.opened).toBe(true);
    expect(isOwnRoom(first.view, whose(alice))).toBe(true);
    expect(isOwnRoom(first.view, whose(mallory))).toBe(false);
    const by = cast.committer("alice", first.epoch);
    const second = await cast.receive("alice", first.view, await commitAdd(first.view, [mallory.devices], by));
    expect(isOwnRoom(second.view, whose(alice))).toBe(false);
  });

  it("is made by nobody for somebody else", async () => {
    const cast = await World.of("alice", "mallory");
    const origin = ownOrigin(cast.get("alice").keys);
    const roster = [cast.get("alice"), cast.get("mallory")]
      .map(({ devices }) => memberRow(devices, { joinedEpoch: 0 }))
      .sort((left, right) => compareBytes(left.user, right.user));
    const forged = await makeCommit(null, [{ op: "create", origin, roster }], cast.committer("mallory"), { title: "" });
    expect(await refusedLater(() => cast.receive("alice", null, forged))).toBe("committer");
  });
});
