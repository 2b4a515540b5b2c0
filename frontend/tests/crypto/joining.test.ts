import { beforeEach, describe, expect, it } from "vitest";
import {
  type Commit,
  type Invite,
  type Roster,
  commitAdd,
  commitHash,
  findMember,
  hex,
  joinByInvite,
  makeInvite,
  parseCore,
  signerOf,
} from "../../src/crypto";
import { encodeCore } from "../../src/crypto/commit";
import { h } from "../../src/crypto/primitives";
import { World, viewOf } from "./cast";
import { refusedLater } from "./refusals";

let cast: World;
let commit: Commit;
let invite: Invite;
let roster: Roster;

beforeEach(async () => {
  cast = await World.of("alice", "bob", "carol", "mallory");
  const view = viewOf(await cast.group("alice", "bob"), "alice");
  commit = await commitAdd(view, [cast.get("carol").devices], cast.committer("alice"));
  const after = await cast.receive("alice", view, commit);
  roster = after.view.roster;
  const newcomer = findMember(roster, cast.get("carol").account.user)!;
  invite = await makeInvite(cast.get("alice").keys, after.view, newcomer, view.head);
});

function join(changed: { invite?: Partial<Invite>; commit?: Commit } = {}): Promise<string> {
  const { account } = cast.get("carol");
  const own = { user: account.user, amkPub: account.publicHalf };
  const reader = { trust: cast.trust(), source: cast.source("carol"), roster, own };
  const given = { ...invite, ...changed.invite };
  return refusedLater(() => joinByInvite(given, changed.commit ?? commit, reader));
}

async function forged(name: string, change: object): Promise<Commit> {
  const core = encodeCore({ ...parseCore(commit.core), ...change });
  const { signingKey } = cast.get(name).keys;
  const sig = await signerOf(signingKey).sign("commit", commitHash({ core, tag: commit.tag }));
  return { ...commit, core, sig };
}

describe("a newcomer with an invitation", () => {
  it("enters at the commit that it names", async () => {
    expect(await join()).toBe("ok");
    const other = await forged("alice", { prevHash: h("origin", new Uint8Array(1)) });
    expect(await join({ commit: other })).toBe("fork");
  });

  it("believes only a commit that a member's device signed", async () => {
    const { user, device } = cast.get("mallory").keys;
    expect(await join({ commit: await forged("alice", {}) })).toBe("ok");
    expect(await join({ commit: await forged("mallory", {}) })).toBe("signature");
    const mallorys = { committerUser: user, committerDevice: device };
    expect(await join({ commit: await forged("mallory", mallorys) })).toBe("committer");
    const bobs = { committerDevice: cast.get("bob").keys.device };
    expect(await join({ commit: await forged("bob", bobs) })).toBe("committer");
  });

  it("believes only an invitation signed by a contact who is in the room", async () => {
    const mallory = cast.get("mallory").keys;
    expect(await join({ invite: { sig: new Uint8Array(64) } })).toBe("signature");
    expect(await join({ invite: { adderDevice: mallory.device } })).toBe("signature");
    expect(await join({ invite: { adderUser: mallory.user } })).toBe("roster");
    expect(hex(invite.adderUser)).toBe(hex(cast.get("alice").account.user));
  });
});
