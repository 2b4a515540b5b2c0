/** The operations of vectors on what messages do to each other; see vector_runner.ts. */
import { parseBody } from "./body";
import { type Target, judgeReference, judgeReply } from "./references";
import type { Operation } from "./vector_operations";
import { type Bytes, type Of, raw, text } from "./vector_values";

interface TargetIn extends Of<"device" | "msg_id" | "user"> {
  is_message: boolean;
  versions: Bytes[];
  gone: Target["gone"];
  reactions: [Bytes, string, Bytes][];
}

function readTarget(v: TargetIn | null): Target | null {
  if (v === null) return null;
  return {
    device: raw(v.device),
    msgId: raw(v.msg_id),
    user: raw(v.user),
    isMessage: v.is_message,
    versions: v.versions.map((c) => raw(c)),
    gone: v.gone,
    reactions: v.reactions.map(([user, emoji, c]) => ({ user: raw(user), emoji, c: raw(c) })),
  };
}

function writeTarget(target: Target | null): TargetIn | null {
  if (target === null) return null;
  const { isMessage, gone } = target;
  return {
    device: text(target.device),
    msg_id: text(target.msgId),
    user: text(target.user),
    is_message: isMessage,
    versions: target.versions.map(text),
    gone,
    reactions: target.reactions.map(({ user, emoji, c }) => [text(user), emoji, text(c)]),
  };
}

interface ReferenceIn extends Of<"body" | "c"> {
  author: { user: Bytes; role: number };
  target: TargetIn | null;
}

export const REFERENCE_OPERATIONS: Readonly<Record<string, Operation>> = {
  reference: (v: ReferenceIn) => {
    const body = parseBody(raw(v.body));
    if (!body.target) return { verdict: "nothing", target: null };
    const author = { user: raw(v.author.user), role: v.author.role };
    const judged = judgeReference(body, raw(v.c), author, readTarget(v.target));
    return { verdict: judged.verdict, target: writeTarget(judged.target) };
  },
  reply: (v: Of<"body"> & { target: TargetIn | null }) => {
    const { reply } = parseBody(raw(v.body));
    if (!reply) return { verdict: "nothing", edited_since: false };
    const { verdict, editedSince } = judgeReply(reply, readTarget(v.target));
    return { verdict, edited_since: editedSince };
  },
};
