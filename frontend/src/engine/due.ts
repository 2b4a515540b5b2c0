/**
 * What a room waits for somebody to commit: signed leaves, newer device lists. Everything is
 * judged by what this device verified itself (docs/protocol.md §7.2).
 */
import { memberRow } from "../crypto/committing";
import { decodeBase64url, equalBytes, hex } from "../crypto/encoding";
import { type RoomView, type Trust, sendersOf, usersToRefresh } from "../crypto/epoch";
import { ProtocolError } from "../crypto/errors";
import type { Op, Remove } from "../crypto/ops";
import { KIND_DIRECT, type Member, findMember, hasAdmin } from "../crypto/roster";
import {
  LEAVE,
  SERVER_REMOVE,
  isServersWord,
  parseStatement,
  verifyStatement,
} from "../crypto/statements";
import type { Core } from "./core";
import { idBytes } from "./ids";
import type { RoomJson } from "./wire";

/**
 * Say why a member goes: by a statement of their own, or by the server's signed word. Any other
 * would make every commit `op_forbidden`, for everybody: null.
 */
function wayOut(view: RoomView, row: Member, data: string, trust: Trust): "leave" | "server" | null {
  try {
    const statement = parseStatement(decodeBase64url(data));
    const subject = { ...row, room: view.room };
    if (statement.kind === SERVER_REMOVE) {
      return isServersWord(statement, subject, trust.serverKeys) ? "server" : null;
    }
    const { kind, signerUser, signerDevice } = statement;
    const sender = sendersOf(view.roster, trust).get(hex(signerDevice));
    if (kind !== LEAVE || !sender) return null;
    if (!equalBytes(signerUser, row.user) || !equalBytes(sender.user, row.user)) return null;
    verifyStatement(statement, subject, sender.entry.dskPub);
    return "leave";
  } catch (error) {
    if (error instanceof ProtocolError) return null;
    throw error;
  }
}

/** Give the removals of those who leave, or whose account was started again; never of ourselves. */
export async function leavesDue(core: Core, view: RoomView, info: RoomJson): Promise<Remove[]> {
  if (info.leaving.length === 0 || view.clear.kind === KIND_DIRECT) return [];
  const trust = await core.people.trust();
  const ops: Remove[] = [];
  let roster = view.roster;
  for (const leaving of info.leaving) {
    const row = findMember(roster, idBytes(leaving.user_id));
    if (!row || leaving.user_id === core.userId) continue;
    const why = wayOut(view, row, leaving.statement, trust);
    if (!why) continue;
    const rest = roster.filter((other) => other !== row);
    // The last admin hands the role on first; a commit that leaves none is refused by everybody.
    if (why === "leave" && hasAdmin(roster) && !hasAdmin(rest)) continue;
    roster = rest;
    const { user, amkPub, joinedEpoch } = row;
    const statement = decodeBase64url(leaving.statement);
    ops.push({ op: "remove", user, amkPub, joinedEpoch, statement });
  }
  return ops;
}

async function refreshesDue(core: Core, view: RoomView): Promise<Op[]> {
  const users = usersToRefresh(view, await core.people.known(view));
  return Promise.all(
    users.map(async (user): Promise<Op> => {
      const row = memberRow(await core.people.newestList(user), { joinedEpoch: 0 });
      return { op: "refresh", user, listVersion: row.listVersion, listHash: row.listHash };
    }),
  );
}

/** Give all operations that are due. */
export async function dueOps(core: Core, view: RoomView, info: RoomJson): Promise<Op[]> {
  return [...(await leavesDue(core, view, info)), ...(await refreshesDue(core, view))];
}
