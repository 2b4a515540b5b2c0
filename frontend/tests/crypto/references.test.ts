import { describe, expect, it } from "vitest";
import {
  type Target,
  deletionOf,
  editOf,
  hidingOf,
  judgeReference,
  judgeReply,
  newestOf,
  originOf,
  parseBody,
  reactionTo,
  ready,
  textBody,
  whyGone,
  writeBody,
} from "../../src/crypto";
import { refused } from "./refusals";

await ready;

const bytes = (size: number, value: number) => new Uint8Array(size).fill(value);
const alice = { user: bytes(16, 1), role: 2 };
const bob = { user: bytes(16, 2), role: 1 };
const hello: Target = {
  device: bytes(16, 3),
  msgId: bytes(16, 4),
  user: bob.user,
  isMessage: true,
  versions: [bytes(32, 5)],
  gone: null,
  reactions: [],
};

type Members = Parameters<typeof writeBody>[0];

const judged = (author: typeof alice, members: Members, target: Target | null = hello) =>
  judgeReference(parseBody(writeBody(members)), bytes(32, 6), author, target);

describe("a message that others refer to", () => {
  it("is edited and deleted by its author's account, and hidden by an admin", () => {
    const edit = editOf(originOf(hello), "안녕", { rev: 1 });
    const edited = judged(bob, edit).target;
    expect(edited && newestOf(edited).c).toEqual(bytes(32, 6));
    const outcomes = [edit, deletionOf(originOf(hello)), hidingOf(originOf(hello))].map((act) => [
      refused(() => judged(bob, act)),
      refused(() => judged(alice, act)),
    ]);
    expect(outcomes).toEqual([
      ["ok", "reference"],
      ["ok", "reference"],
      ["reference", "ok"],
    ]);
  });

  it("keeps reactions until it is gone", () => {
    const liked = judged(alice, reactionTo(newestOf(hello), "👍", { isSet: true })).target;
    expect(liked?.reactions).toHaveLength(1);
    const deleted = judged(bob, deletionOf(originOf(hello)), liked).target;
    expect(deleted?.reactions).toEqual([]);
    expect(whyGone(deleted, { expired: false })).toBe("author");
    expect(whyGone(hello, { expired: false })).toBe("server");
  });

  it("is waited for, and quoted in the words it had", () => {
    expect(judged(bob, deletionOf(originOf(hello)), null).verdict).toBe("keep");
    const { reply } = parseBody(textBody("yes", { reply: originOf(hello) }));
    if (!reply) throw new Error("a reply has a target");
    expect(judgeReply(reply, hello)).toEqual({ verdict: "apply", editedSince: false });
    expect(refused(() => judgeReply({ ...reply, c: bytes(32, 9) }, hello))).toBe("reference");
  });
});
