/** System lines: what a verified commit did, in words for the timeline; never from server events. */
import type { Core } from "../crypto/commit";
import { entryOf, parseDeviceList } from "../crypto/device_list";
import { equalBytes, hex } from "../crypto/encoding";
import type { Trust } from "../crypto/epoch";
import type { Op } from "../crypto/ops";
import { ROLE_ADMIN, type Roster, findMember } from "../crypto/roster";
import { LEAVE, isStartedAgain, parseStatement } from "../crypto/statements";
import type { Id } from "./contract";
import { idOf } from "./ids";

export interface SystemLine {
  kind:
    | "created"
    | "joined"
    | "left"
    | "removed"
    | "started_again"
    | "renamed"
    | "history_off"
    | "role"
    | "device_added"
    | "device_dropped";
  /** Who did it; for `left` the person who left. */
  by: Id;
  about: Id[];
  /** The new title, for `renamed` and `created`. */
  text: string;
  /** When the committer says it was, in ms. */
  atMs: number;
}

type Line = Omit<SystemLine, "atMs">;

/** The room before a commit, and the device lists that are at hand. */
export interface Before {
  readonly roster: Roster;
  readonly trust: Pick<Trust, "lists">;
}

/** What a commit makes of the room's state; titles are null where they are not known. */
export interface Said {
  readonly title: string | null;
  readonly formerTitle: string | null;
  readonly endsHistory: boolean;
}

function wayOut({ statement }: Extract<Op, { op: "remove" }>): "left" | "started_again" | "removed" {
  if (statement.length === 0) return "removed";
  const given = parseStatement(statement);
  if (isStartedAgain(given)) return "started_again";
  return given.kind === LEAVE ? "left" : "removed";
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
      const kind = wayOut(op);
      return { kind, by: kind === "removed" ? by : about, about: [about], text: "" };
    }
    case "role":
      return { kind: "role", by, about: [idOf(op.user)], text: op.role === ROLE_ADMIN ? "admin" : "member" };
    case "state":
    case "refresh":
    case "seen":
    case "unknown":
      return null;
  }
}

/** A state operation sets a title, or ends the keeping of history, or both. */
function stateLines(by: Id, { title, formerTitle, endsHistory }: Said): Line[] {
  const renamed: Line = { kind: "renamed", by, about: [], text: title ?? "" };
  if (!endsHistory) return [renamed];
  const areBoth = title !== null && formerTitle !== null && title !== formerTitle;
  return [{ kind: "history_off", by, about: [], text: "" }, ...(areBoth ? [renamed] : [])];
}

/**
 * What a newer list of a member says: whose devices they are is the member's own statement,
 * whoever committed it. Null where one of the lists is not at hand.
 */
function deviceLines(op: Extract<Op, { op: "refresh" }>, { roster, trust }: Before): Line[] {
  const by = idOf(op.user);
  const row = findMember(roster, op.user);
  const [before, after] = [row?.listHash, op.listHash].map((hash) => hash && trust.lists.get(hex(hash)));
  if (!before || !after) return [];
  const [old, next] = [parseDeviceList(before.data), parseDeviceList(after.data)];
  const isAdded = next.entries.some(({ device }) => !entryOf(old, device));
  const isDropped = old.entries.some(({ device }) => !entryOf(next, device));
  const line = (kind: Line["kind"]): Line => ({ kind, by, about: [by], text: "" });
  return [...(isAdded ? [line("device_added")] : []), ...(isDropped ? [line("device_dropped")] : [])];
}

/** Give the lines of a commit; those who joined together stand in one line. */
export function systemLines(
  ops: readonly Op[],
  { committerUser, time }: Pick<Core, "committerUser" | "time">,
  { before, said }: { before: Before; said: Said },
): SystemLine[] {
  const by = idOf(committerUser);
  const lines: SystemLine[] = [];
  for (const op of ops) {
    const line = lineOf(op, by, said.title ?? "");
    const last = lines.at(-1);
    if (line?.kind === "joined" && last?.kind === "joined") last.about.push(...line.about);
    else if (line) lines.push({ ...line, atMs: time });
    const more = op.op === "state" ? stateLines(by, said) : [];
    if (op.op === "refresh") more.push(...deviceLines(op, before));
    lines.push(...more.map((one) => ({ ...one, atMs: time })));
  }
  return lines;
}

/** Say why the own account is no longer in a roster: by its own statement or by somebody else. */
export function howOneLeft(ops: readonly Op[], user: Uint8Array): "left" | "removed" {
  const own = ops.find((op) => op.op === "remove" && equalBytes(op.user, user));
  return own?.op === "remove" && wayOut(own) === "left" ? "left" : "removed";
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
