/**
 * Making commits (docs/protocol.md §7.2): the newest head, lists and prekeys, then one try after
 * the other until the server takes it. Every function here runs in the room's lane.
 */
import { type ClearState, type Commit, defaultState, withoutHistory } from "../crypto/commit";
import {
  type Committer,
  type NewState,
  createDirect,
  createGroup,
  createOwnRoom,
  makeCommit,
} from "../crypto/committing";
import { encodeBase64url, equalBytes, fromHex, hex } from "../crypto/encoding";
import type { RoomView } from "../crypto/epoch";
import { type Op, parseOps } from "../crypto/ops";
import type { EpochState } from "../crypto/ratchet";
import { KIND_DIRECT, KIND_GROUP, roomOf } from "../crypto/roster";
import { catchUp } from "./apply";
import { followChain } from "./chain";
import type { Args, Id } from "./contract";
import type { Core } from "./core";
import { dueOps } from "./due";
import { NO_FLOORS, floorsOf, highest } from "./floors";
import { idBytes, idOf } from "./ids";
import { readNotes } from "./notes";
import { pause } from "./platform";
import { type RoomRecord, readEpoch, readRoom } from "./records";
import { Refusal, refuse } from "./refusal";
import { fetchInfo, sameRoom, updateInfo } from "./rooms";
import type { RoomJson } from "./wire";

const ATTEMPTS = 7;
const RACE_DELAY_MS = 2_000;

/** What a commit is for; asked again on each new head. Null: nothing is left to do. */
export interface Plan {
  ops(view: RoomView): Promise<readonly Op[] | null>;
  state?(view: RoomView): NewState;
  /** People who come in by it: their lists and prekeys are fetched too. */
  readonly newcomers?: readonly Id[];
  /** Without anything that is due there is no commit. */
  readonly isOnlyForDue?: boolean;
}

/** A new secret and nothing else, besides what is due anyway. */
export const ROTATION: Plan = { ops: () => Promise.resolve([]) };

/** What is due, or nothing. */
export const DUE: Plan = { ...ROTATION, isOnlyForDue: true };

function pathOf(roomId: Id): string {
  return `/api/rooms/${roomId}`;
}

function travelling(commit: Commit): Record<string, unknown> {
  const { core, tag, sig, ops, state, prekeys, wraps } = commit;
  const parts = Object.entries({ core, tag, sig, ops, state, prekeys });
  return {
    commit: Object.fromEntries(parts.map(([name, data]) => [name, encodeBase64url(data)])),
    wraps: [...wraps].map(([device, wrap]) => ({
      device_id: idOf(fromHex(device)),
      wrap: encodeBase64url(wrap),
    })),
  };
}

async function committer(
  core: Core,
  { members, newcomers }: { members: readonly Id[]; newcomers: readonly Id[] },
  { floors, closing = null }: { floors: ReadonlyMap<string, number>; closing?: EpochState | null },
): Promise<Committer> {
  const everybody = [...new Set([...members, ...newcomers])];
  const prekeys = await core.people.refreshAll(everybody, newcomers);
  const { lists, read } = await core.people.trust();
  const now = core.platform.now();
  const seqFloor = highest(floors, await core.people.prekeyFloors());
  await core.people.rememberPrekeys(prekeys, now);
  await demandComparedKeys(core, newcomers);
  return { keys: core.keyring.device, lists, read, prekeys, now, seqFloor, closing };
}

/**
 * Refuse, with `friend_changed`, to begin anything with another account key than the one that was
 * compared: a restored browser meets a friend anew, and knows the mark before it knows the key.
 */
async function demandComparedKeys(core: Core, userIds: readonly Id[]): Promise<void> {
  const notes = await readNotes(core.store);
  for (const user of userIds.map(idBytes)) {
    const compared = notes.verifiedKey(user);
    const amkPub = (await core.people.account(user))?.amkPub;
    if (compared && amkPub && !equalBytes(compared, amkPub)) throw refuse("friend_changed");
  }
}

function subject(op: Op): string {
  if (op.op === "add") return hex(op.member.user);
  return op.op === "remove" || op.op === "role" || op.op === "refresh" ? hex(op.user) : "";
}

/** Add what is due to what was asked, one operation an account: what was asked comes first. */
function merged(asked: readonly Op[], due: readonly Op[]): Op[] {
  const ops = [...asked];
  const taken = new Set(asked.map(subject));
  for (const op of due) {
    if (taken.has(subject(op))) continue;
    taken.add(subject(op));
    ops.push(op);
  }
  return ops;
}

async function usableRoom(core: Core, roomId: Id): Promise<{ record: RoomRecord; view: RoomView }> {
  const room = await readRoom(core.store, roomId);
  if (!room) throw refuse("not_found");
  const { record } = room;
  if (record.left !== null || record.leaveSent || !record.view) throw refuse("forbidden");
  if (record.trouble === "fork" || record.trouble === "unconfirmed") throw refuse("unverified");
  if (record.trouble === "pin_mismatch") throw refuse("unverified");
  return { record, view: record.view };
}

async function attempt(core: Core, roomId: Id, plan: Plan): Promise<boolean> {
  await followChain(core, roomId);
  await catchUp(core, roomId);
  const { record, view } = await usableRoom(core, roomId);
  // How far a dropped device wrote is known only where the whole log was read: else no end is set.
  const isRead = (record.olderTo ?? 0) === 0;
  const closing = isRead ? ((await readEpoch(core.store, roomId, view.epoch))?.state ?? null) : null;
  const members = view.roster.map((row) => idOf(row.user));
  const people = { members, newcomers: plan.newcomers ?? [] };
  const by = await committer(core, people, { closing, floors: await floorsOf(core, record) });
  const asked = await plan.ops(view);
  if (asked === null) return false;
  const due = await dueOps(core, view, record.info);
  if (plan.isOnlyForDue && due.length === 0) return false;
  const commit = await makeCommit(view, merged(asked, due), by, plan.state?.(view));
  const { commit: parts, wraps } = travelling(commit);
  await core.api.post(`${pathOf(roomId)}/commits`, { ...(parts as object), wraps });
  return true;
}

/**
 * Commit until it is done: after a lost race all is made again on the new head, after a random
 * wait that doubles. The own commit counts only when the server gives it back.
 */
export async function commitRoom(core: Core, roomId: Id, plan: Plan): Promise<void> {
  for (let lost = 0; ; lost += 1) {
    try {
      if (!(await attempt(core, roomId, plan))) return;
      break;
    } catch (error) {
      const isRace =
        error instanceof Refusal &&
        (error.code === "stale_head" || error.code === "commit_pending");
      if (!isRace || lost + 1 >= ATTEMPTS) throw error;
    }
    await pause(core.platform, core.platform.random() * RACE_DELAY_MS * 2 ** lost);
  }
  await updateInfo(core, await fetchInfo(core, roomId));
  await followChain(core, roomId);
}

function newState(kind: number, keepsHistory: boolean): ClearState {
  const clear = defaultState(kind);
  return keepsHistory ? clear : withoutHistory(clear);
}

/** Begin the direct room with a person; gives its id, also when it exists already. */
export async function postDirect(
  core: Core,
  userId: Id,
  keepsHistory: boolean,
): Promise<RoomJson> {
  const by = await committer(core, { members: [core.userId], newcomers: [userId] }, { floors: NO_FLOORS });
  const own = await core.people.newestList(idBytes(core.userId));
  const other = await core.people.newestList(idBytes(userId));
  const clear = newState(KIND_DIRECT, keepsHistory);
  return postRoom(core, await createDirect(by, own, other, clear));
}

/** Begin a group with a title and these people besides oneself. */
export async function postGroup(
  core: Core,
  { title, userIds, keepsHistory = true }: Args<"room_create_group">,
): Promise<RoomJson> {
  const everybody = [...new Set([core.userId, ...userIds])];
  const by = await committer(core, { members: [core.userId], newcomers: userIds }, { floors: NO_FLOORS });
  const lists = everybody.map((id) => core.people.newestList(idBytes(id)));
  const clear = newState(KIND_GROUP, keepsHistory);
  return postRoom(core, await createGroup(by, await Promise.all(lists), { title, clear }));
}

/** Begin an own room. */
export async function postOwnRoom(core: Core): Promise<RoomJson> {
  const people = { members: [core.userId], newcomers: [] };
  const by = await committer(core, people, { floors: NO_FLOORS });
  return postRoom(core, await createOwnRoom(by, await core.people.newestList(idBytes(core.userId))));
}

/** Post the same bytes again while the queue takes nothing: a room is begun once, however often. */
async function postPatiently(core: Core, body: Record<string, unknown>): Promise<RoomJson> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await core.api.post<RoomJson>("/api/rooms", body);
    } catch (error) {
      const isAway = error instanceof Refusal && ["busy", "unavailable"].includes(error.code);
      if (!isAway || tries === ATTEMPTS) throw error;
      await pause(core.platform, error.failure.retryAfterMs ?? RACE_DELAY_MS);
    }
  }
}

/**
 * Post a room's first commit. Its id follows from the origin (docs/protocol.md §6.1): an answer
 * with another one would lead what is typed to other people, and is refused as `unverified`.
 */
async function postRoom(core: Core, commit: Commit): Promise<RoomJson> {
  const [create] = parseOps(commit.ops);
  if (create?.op !== "create") throw new Error("a room begins with one create");
  const genesis = encodeBase64url(create.origin.data);
  const roomId = idOf(roomOf(create.origin));
  try {
    const body = { genesis, ...travelling(commit) };
    return sameRoom(await postPatiently(core, body), roomId);
  } catch (error) {
    const exists = error instanceof Refusal && error.code === "room_exists";
    if (!exists || error.roomId === undefined) throw error;
    if (error.roomId !== roomId) throw refuse("unverified");
    return fetchInfo(core, roomId);
  }
}
