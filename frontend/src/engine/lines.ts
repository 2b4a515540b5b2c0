/** System lines: what a verified commit did, in words for the timeline; never from server events. */
import type { Core } from "../crypto/commit";
import { equalBytes } from "../crypto/encoding";
import type { Op } from "../crypto/ops";
import { ROLE_ADMIN } from "../crypto/roster";
import { LEAVE, parseStatement } from "../crypto/statements";
import type { Id } from "./contract";
import { idOf } from "./ids";

export interface SystemLine {
  kind: "created" | "joined" | "left" | "removed" | "renamed" | "role";
  /** Who did it; for `left` the person who left. */
  by: Id;
  about: Id[];
  /** The new title, for `renamed` and `created`. */
  text: string;
  /** When the committer says it was, in ms. */
  atMs: number;
}

type Line = Omit<SystemLine, "atMs">;

function isOwnLeave(op: Extract<Op, { op: "remove" }>): boolean {
  return op.statement.length > 0 && parseStatement(op.statement).kind === LEAVE;
}

function lineOf(op: Op, by: Id, title: string): Line | null {
  switch (op.op) {
    case "create": {
      const others = op.origin.kind === 1 ? op.roster.filter((row) => idOf(row.user) !== by) : [];
      return { kind: "created", by, about: others.map((row) => idOf(row.user)), text: title };
    }
    case "add":
      return { kind: "joined", by, about: [idOf(op.member.user)], text: "" };
    case "remove": {
      const about = idOf(op.user);
      return isOwnLeave(op)
        ? { kind: "left", by: about, about: [about], text: "" }
        : { kind: "removed", by, about: [about], text: "" };
    }
    case "role":
      return { kind: "role", by, about: [idOf(op.user)], text: op.role === ROLE_ADMIN ? "admin" : "member" };
    case "state":
      return { kind: "renamed", by, about: [], text: title };
    case "refresh":
    case "seen":
    case "unknown":
      return null;
  }
}

/** Give the lines of a commit; those who joined together stand in one line. */
export function systemLines(
  ops: readonly Op[],
  { committerUser, time }: Pick<Core, "committerUser" | "time">,
  title: string,
): SystemLine[] {
  const by = idOf(committerUser);
  const lines: SystemLine[] = [];
  for (const op of ops) {
    const line = lineOf(op, by, title);
    const last = lines.at(-1);
    if (line?.kind === "joined" && last?.kind === "joined") last.about.push(...line.about);
    else if (line) lines.push({ ...line, atMs: time });
  }
  return lines;
}

/** Say why the own account is no longer in a roster: by its own statement or by somebody else. */
export function howOneLeft(ops: readonly Op[], user: Uint8Array): "left" | "removed" {
  const own = ops.find((op) => op.op === "remove" && equalBytes(op.user, user));
  return own?.op === "remove" && isOwnLeave(own) ? "left" : "removed";
}

export interface NamedList {
  readonly user: Uint8Array;
  readonly listHash: Uint8Array;
}

/** Name the device lists that operations bring into the roster. */
export function listsNamed(ops: readonly Op[]): NamedList[] {
  return ops.flatMap((op): readonly NamedList[] => {
    if (op.op === "create") return op.roster;
    if (op.op === "add") return [op.member];
    return op.op === "refresh" ? [op] : [];
  });
}
