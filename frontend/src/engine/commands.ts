/** What a screen may ask of the leading tab: each name of the contract, done once. */
import { encodeBase64url } from "../crypto/encoding";
import { findMember } from "../crypto/roster";
import { encodeStatement, makeLeave } from "../crypto/statements";
import { catchUp } from "./apply";
import { bringBack, openPast } from "./bringing_back";
import { followChain } from "./chain";
import { DUE, type Plan, commitRoom, postDirect, postGroup } from "./commits";
import type { Args, CommandName, Id, Result } from "./contract";
import type { Core } from "./core";
import type { Cursors } from "./cursors";
import { bringOwnList, listDevices, renameDevice, revokeDevice } from "./devices";
import { keepMe, refreshFriends } from "./friends";
import { idBytes } from "./ids";
import type { LinkOther } from "./link_other";
import { directRoomWith } from "./membership";
import type { Outbox } from "./outbox";
import type { Passkeys } from "./passkeys";
import { readRoom, updateRoom } from "./records";
import type { RecoveryBox } from "./recovery";
import { refuse } from "./refusal";
import { beginRenewal, discardRenewal, finishRenewal, showRenewal } from "./renewing";
import { moveHistory } from "./resealing";
import { endingHistory, inviting, promoting, removing, renaming } from "./room_plans";
import { deleteRoom, markRead, refreshRoom, updateInfo } from "./rooms";
import { compareWith, judgeCode, markFriend } from "./verifying";
import { vetoReset } from "./starting_again";
import { giveUp, takeBack } from "./taking_back";
import type { MeJson, RoomJson } from "./wire";

/** Commands that any tab answers by itself, from the store. */
export type LocalCommand =
  | "room_show"
  | "room_close"
  | "timeline_older"
  | "message_send"
  | "draft_save"
  | "draft_load";

/** Commands by which a browser without keys becomes a device. */
export type EntryCommand =
  | "former_entry"
  | "restore"
  | "passkey_offer"
  | "passkey_restore"
  | "link_show"
  | "link_wait"
  | "link_cancel"
  | "reset_begin"
  | "reset_look"
  | "reset_withdraw"
  | "reset_finish";

export type LeaderCommand = Exclude<CommandName, LocalCommand | "forget">;

/** Commands that may be asked again when it is not known whether they were done. */
export const REPEATABLE: ReadonlySet<CommandName> = new Set<CommandName>([
  "former_entry",
  "friend_request_send",
  "friend_request_accept",
  "friend_request_decline",
  "profile_update",
  "room_open_direct",
  "room_end_history",
  "room_rename",
  "room_invite",
  "room_remove_member",
  "room_make_admin",
  "room_leave",
  "room_hide",
  "message_retry",
  "message_discard",
  "room_read",
  "safety_number",
  "safety_judge",
  "friend_mark",
  "device_rename",
  "recovery_show",
  "recovery_test",
  "renewal_show",
  "renewal_finish",
  "renewal_discard",
  "bring_back",
  "devices_list",
  "passkeys_list",
  "passkey_offer",
  "passkey_discard",
  "passkey_rename",
  "key_log_seen",
]);

type HandlersOf<Names extends CommandName> = { [C in Names]: (args: Args<C>) => Promise<Result<C>> };
export type EntryHandlers = HandlersOf<EntryCommand>;
type Handlers = HandlersOf<Exclude<LeaderCommand, EntryCommand>>;

export interface CommandParts {
  readonly core: Core;
  readonly outbox: Outbox;
  readonly cursors: Cursors;
  readonly box: RecoveryBox;
  readonly linking: LinkOther;
  readonly passkeys: Passkeys;
}

function friendHandlers({ core, outbox }: CommandParts) {
  const request = (id: Id) => `/api/friend-requests/${id}`;
  const then = async (done: Promise<unknown>): Promise<null> => {
    await done;
    await refreshFriends(core);
    return null;
  };
  const { api } = core;
  return {
    friend_request_send: ({ email }) => then(api.post("/api/friend-requests", { email })),
    friend_request_accept: ({ id }) => then(api.post(`${request(id)}/accept`)),
    friend_request_decline: ({ id }) => then(api.post(`${request(id)}/decline`)),
    friend_request_withdraw: ({ id }) => then(api.delete(request(id))),
    friend_remove: ({ userId }) => then(api.delete(`/api/friends/${userId}`)),
    profile_update: async ({ nickname, statusMessage }) => {
      const me = await api.patch<MeJson>("/api/me", {
        ...(nickname === undefined ? {} : { nickname }),
        ...(statusMessage === undefined ? {} : { status_message: statusMessage }),
      });
      await keepMe(core, me);
      return null;
    },
    safety_number: ({ userId }) => compareWith(core, userId),
    safety_judge: async ({ userId, code }) => ({ verdict: await judgeCode(core, userId, code) }),
    friend_mark: async (args) => {
      await markFriend(core, outbox, args);
      return null;
    },
    key_log_seen: async () => {
      await core.keyLog.seen();
      return null;
    },
  } satisfies Partial<Handlers>;
}

/** Take a room that the server has just made, or had, into the store. */
async function adopt(core: Core, info: RoomJson): Promise<{ roomId: Id }> {
  const roomId = info.room_id;
  await core.lanes.run(roomId, async () => {
    await updateInfo(core, info);
    await updateRoom(core.store, roomId, (record) => ({ ...record, reopened: true }));
    await followChain(core, roomId);
    await catchUp(core, roomId);
  });
  core.changed({ rooms: [roomId] });
  return { roomId };
}

async function openDirect(
  core: Core,
  { userId, keepsHistory: isKept = true }: Args<"room_open_direct">,
): Promise<{ roomId: Id }> {
  const roomId = await directRoomWith(core, userId);
  const record = roomId === null ? null : (await readRoom(core.store, roomId))?.record;
  const isKnown = record?.view && record.left === null;
  return adopt(core, isKnown ? record.info : await postDirect(core, userId, isKept));
}

async function leave(core: Core, roomId: Id): Promise<void> {
  const room = await readRoom(core.store, roomId);
  const own = room?.record.view && findMember(room.record.view.roster, idBytes(core.userId));
  if (!own) throw refuse("not_found");
  const statement = await makeLeave(core.keyring.device, idBytes(roomId), own.joinedEpoch);
  const body = { statement: encodeBase64url(encodeStatement(statement)) };
  await core.api.post(`/api/rooms/${roomId}/leave`, body);
  await updateRoom(core.store, roomId, (record) => ({ ...record, leaveSent: true }));
  await refreshRoom(core, roomId);
}

async function hide(core: Core, roomId: Id): Promise<void> {
  await core.api.post(`/api/rooms/${roomId}/hide`);
  await updateRoom(core.store, roomId, (record) => ({ ...record, reopened: false }));
  await refreshRoom(core, roomId);
}

async function deleteForAll(core: Core, roomId: Id): Promise<void> {
  await core.api.delete(`/api/rooms/${roomId}`);
  await deleteRoom(core, roomId);
}

function roomHandlers({ core, outbox, cursors }: CommandParts) {
  const inLane = async (roomId: Id, work: () => Promise<void>): Promise<null> => {
    await core.lanes.run(roomId, work);
    return null;
  };
  const commit = (roomId: Id, plan: Plan) =>
    inLane(roomId, () => commitRoom(core, roomId, plan));
  return {
    room_open_direct: (args) => openDirect(core, args),
    room_create_group: async (args) => adopt(core, await postGroup(core, args)),
    room_end_history: ({ roomId }) => commit(roomId, endingHistory(core)),
    room_rename: ({ roomId, title }) => commit(roomId, renaming(title)),
    room_invite: ({ roomId, userIds }) =>
      inLane(roomId, async () => {
        // Who started again is still in the roster, under the account key of before.
        await commitRoom(core, roomId, DUE);
        await commitRoom(core, roomId, inviting(core, userIds));
      }),
    room_remove_member: ({ roomId, userId }) => commit(roomId, removing(userId)),
    room_make_admin: ({ roomId, userId }) => commit(roomId, promoting(userId)),
    room_leave: ({ roomId }) => inLane(roomId, () => leave(core, roomId)),
    room_hide: ({ roomId }) => inLane(roomId, () => hide(core, roomId)),
    room_delete: ({ roomId }) => inLane(roomId, () => deleteForAll(core, roomId)),
    message_retry: async ({ roomId, messageId }) => {
      await outbox.retry(roomId, messageId);
      return null;
    },
    message_take_back: async ({ roomId, messageId }) => ({
      text: await takeBack(core, roomId, messageId),
    }),
    message_discard: async ({ roomId, messageId }) => {
      await giveUp(core, roomId, messageId);
      return null;
    },
    room_read: async ({ roomId, seq }) => {
      await inLane(roomId, () => markRead(core, roomId, seq));
      cursors.schedule(roomId);
      return null;
    },
  } satisfies Partial<Handlers>;
}

/** A room that cannot be reached now is brought up to date before anything is sent there. */
async function bringOwnListEverywhere(core: Core): Promise<void> {
  const rooms = await core.store.tables.getAllKeys("rooms");
  await Promise.allSettled(
    rooms.map((roomId) => core.lanes.run(roomId, () => bringOwnList(core, roomId))),
  );
}

function renewalHandlers({ core, box }: Pick<CommandParts, "core" | "box">) {
  return {
    renewal_begin: async ({ secret }) => {
      await beginRenewal(core, box, secret);
      return null;
    },
    renewal_show: () => showRenewal(core.store),
    renewal_finish: async ({ secret }) => {
      await finishRenewal(core, box, secret);
      // Nobody waits for this: what it does not do now the next connection does.
      void bringOwnListEverywhere(core).then(() => moveHistory(core).catch(() => undefined));
      return null;
    },
    renewal_discard: async () => {
      await discardRenewal(core);
      return null;
    },
  } satisfies Partial<Handlers>;
}

function pastHandlers({ core, box }: Pick<CommandParts, "core" | "box">) {
  return {
    bring_back: async ({ secret }) => {
      await bringBack(core, box, secret);
      // Nobody waits for this: what it does not do now the next connection does.
      void openPast(core).catch(() => undefined);
      return null;
    },
  } satisfies Partial<Handlers>;
}

function deviceHandlers({ core, outbox, box }: CommandParts) {
  return {
    recovery_show: () => box.show(),
    recovery_test: async ({ secret }) => {
      await box.test(secret, core.keyring.device.amkPub);
      core.changed({ me: true });
      return null;
    },
    ...renewalHandlers({ core, box }),
    ...pastHandlers({ core, box }),
    reset_veto: async () => {
      await vetoReset(core);
      core.changed({ startingAgain: true });
      return null;
    },
    devices_list: async () => ({ devices: await listDevices(core) }),
    device_rename: async (args) => {
      await renameDevice(core, outbox, args);
      return null;
    },
    device_revoke: async (args) => {
      await revokeDevice(core, box, args);
      await bringOwnListEverywhere(core);
      return null;
    },
  } satisfies Partial<Handlers>;
}

function passkeyHandlers({ passkeys }: CommandParts) {
  return {
    passkeys_list: async () => ({ passkeys: await passkeys.list() }),
    passkey_begin: ({ secret }) => passkeys.begin(secret),
    passkey_add: async (answer) => {
      await passkeys.add(answer);
      return null;
    },
    passkey_discard: () => {
      passkeys.discard();
      return Promise.resolve(null);
    },
    passkey_rename: async ({ passkeyId, name }) => {
      await passkeys.rename(passkeyId, name);
      return null;
    },
    passkey_remove: async ({ passkeyId }) => {
      await passkeys.remove(passkeyId);
      return null;
    },
  } satisfies Partial<Handlers>;
}

function linkHandlers({ linking }: CommandParts) {
  return {
    link_read: ({ code }) => linking.read(code),
    link_accept: async ({ secret }) => {
      await linking.accept(secret);
      return null;
    },
    link_refuse: async () => {
      await linking.refuse();
      return null;
    },
  } satisfies Partial<Handlers>;
}

/** Give the handler of each command that the leading tab does as a device. */
export function leaderHandlers(parts: CommandParts): Handlers {
  return {
    ...friendHandlers(parts),
    ...roomHandlers(parts),
    ...deviceHandlers(parts),
    ...linkHandlers(parts),
    ...passkeyHandlers(parts),
  };
}

/** Run a command by its name. */
export function runCommand(
  handlers: Partial<Handlers & EntryHandlers>,
  name: LeaderCommand,
  args: Args<CommandName>,
): Promise<unknown> {
  const handler = handlers[name] as (args: Args<CommandName>) => Promise<unknown>;
  return handler(args);
}
