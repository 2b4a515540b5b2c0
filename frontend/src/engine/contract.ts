/**
 * What the screens may ask of the engine and what they get to see.
 *
 * The engine (keys, storage, socket, sync, outbox) lives in a Worker. Screens hold no secrets: they send
 * `Command`s and render `Snapshot`s. Both cross `postMessage`, so everything here is structured-cloneable.
 */

import type { PasskeyCommands } from "./passkey_contract";

export type { Passkey, PasskeyAnswer, PasskeyRequest } from "./passkey_contract";

/** A 16-byte id as a lower-case UUID. */
export type Id = string;

/** Why something was refused; `code` is one of docs/wire.md, or one of the codes below. */
export interface Failure {
  code: string;
  retryAfterMs?: number;
  fields?: Record<string, string[]>;
}

/** Codes that the engine itself gives: no answer from the server, wrong input before asking, storage trouble. */
export type EngineCode =
  | "offline"
  | "timeout"
  | "storage"
  | "unverified"
  | "crypto"
  | "recovery_words" // not six words of the list: `fields.words` names places from 1, or `fields.count`
  | "recovery_code" // `fields.blocks` names places from 1, or `fields.count`; without: the checksum is wrong
  | "recovery_secret" // another secret than the account's
  | "recovery_blob" // what the server keeps sealed is not what the account signed last
  | "recovery_lists" // the server does not show all device lists of the account
  | "passkey_other" // what the server keeps under a passkey is not that one's, or not of this account
  | "passkey_secret" // a passkey that does not open the present recovery key
  | "passkey_gone" // the recovery key was opened too long ago
  | "friend_changed" // another account key than the one that was compared
  | "recovery_gone" // it was written down, and is not in this browser any more
  | "devices_full"
  | "link_code" // a typed code that no screen shows
  | "link_address" // a code that a browser shows at another address of this server
  | "link_gone" // no such offer, or one side has given up
  | "link_expired" // the code's minutes are over
  | "link_untrue"; // what came was not by who showed, or saw, the code

/** Where this browser stands. `app` shows the three tabs; every other value has a page of its own. */
export type Phase =
  | "starting" // opening storage, asking who we are
  | "enrolling" // first visit after sign-up: keys are being made
  | "ready" // everything from local storage is on screen; the network may be away
  | "no_keys_here" // the account has keys, this browser has not: the recovery key brings them
  | "revoked" // another device of this account took this browser off the list
  | "signed_out"
  | "insecure" // opened over an address without secure context
  | "unsupported" // a browser without Web Locks, IndexedDB, Workers or WebAssembly
  | "storage_failed";

export interface Me {
  userId: Id;
  email: string;
  nickname: string;
  statusMessage: string;
  /** Own fingerprint: six groups of five digits. */
  fingerprint: string;
  deviceId: Id;
  /** False until the recovery key was typed again from where its owner wrote it down. */
  hasRecoveryKey: boolean;
  renewing: Renewing;
  past: Past;
}

/**
 * The time before this account was started again: `closed` until its recovery key is given,
 * `opening` room by room; null when there is none, or all of it is here.
 */
export type Past = { state: "closed" } | { state: "opening"; done: number; of: number } | null;

/**
 * How far a new recovery key is: `begun` when it is still to be written down and does not count
 * yet, `moving` while the past of so many rooms is sealed again to it; null when there is none.
 */
export type Renewing = { state: "begun" } | { state: "moving"; done: number; of: number } | null;

/** A device of one's own. */
export interface Device {
  deviceId: Id;
  /** What its owner calls it; empty without a name. */
  name: string;
  createdMs: number;
  /** Null where the server does not tell. */
  lastUsedMs: number | null;
  isThis: boolean;
}

/** What this browser was in the list of devices before it lost its keys. */
export interface FormerEntry {
  deviceId: Id;
  createdMs: number;
}

/** How far a restored browser is: rooms whose past is here, of all. */
export interface Restoring {
  done: number;
  of: number;
}

/**
 * How a friend's account key stands to what this person compared. verified: it was found the same.
 * changed: the server shows another one than before. verified_changed: than the one that was found
 * the same, which somebody has to look at.
 */
export type FriendTrust = "unverified" | "verified" | "changed" | "verified_changed";

/** What two people compare, about the account key that the server shows now. */
export interface Comparison {
  /** Sixty digits over both account keys. */
  number: string;
  /** Thirty digits of each. */
  own: string;
  theirs: string;
  /** The same bytes on both screens, as base64url. */
  code: string;
  accountKey: string;
}

/** What comparing the other screen's code came to. */
export type CodeVerdict = "same" | "different" | "other_people" | "no_code";

/** That somebody with the login starts the own account again, under new keys. */
export interface StartingAgain {
  announcedMs: number;
  /** From when it can be done. */
  dueMs: number;
  /** Whether it was begun in this browser. */
  isMine: boolean;
}

export interface Friend {
  userId: Id;
  email: string;
  nickname: string;
  statusMessage: string;
  sinceMs: number;
  /** False until they have signed in once with a browser: no room can be opened with them yet. */
  hasKeys: boolean;
  trust: FriendTrust;
}

export interface ReceivedRequest {
  id: Id;
  /** Of the sender, who gave it away by asking. */
  email: string;
  nickname: string;
  createdMs: number;
}

export interface SentRequest {
  id: Id;
  email: string;
  createdMs: number;
}

export interface Person {
  userId: Id;
  nickname: string;
}

export interface RoomMember extends Person {
  role: "member" | "admin";
  /** How their account key stands to what was compared; absent for oneself. */
  trust?: FriendTrust;
}

/** One row of the room list. Titles and last lines are opened here, in the browser. */
export interface RoomSummary {
  roomId: Id;
  kind: "direct" | "group";
  /** Group: the opened title. Direct: the other person's nickname. */
  title: string;
  members: RoomMember[];
  /** Null while a member; otherwise this person has left or was removed and reads only what they had. */
  left: "left" | "removed" | null;
  isAdmin: boolean;
  /** Whether a further device of a member gets the past back. */
  keepsHistory: boolean;
  /** It was kept until somebody ended it. */
  historyEnded: boolean;
  unread: number;
  lastText: string;
  lastAtMs: number;
  hasFailed: boolean;
  /** False while the chain does not verify (docs/protocol.md, Joining) or keys are missing: composer is closed. */
  canWrite: boolean;
  trouble: "none" | "getting_keys" | "unconfirmed" | "fork" | "pin_mismatch";
}

export type MessageState =
  | "waiting" // typed, not yet sent (offline or in line)
  | "sending" // on its way
  | "accepted" // the server has it safely
  | "stored" // it has its place in the log
  | "failed"; // refused for good: retry, edit or delete

/** Why an item cannot be read; the texts are in the screens' catalogue. */
export type Unreadable =
  | "getting_key"
  | "before_joining"
  | "damaged"
  | "newer_version"
  | "not_restored"
  | "not_kept" // the room keeps no history, and this device came in later
  | "equivocation";

export interface TimelineItem {
  /** Stable for the life of the item: "device/message" or "seq/…". */
  key: string;
  kind: "text" | "unreadable" | "joined" | "left" | "removed" | "started_again" | "renamed" | "history_off" | "created" | "role" | "device_added" | "device_dropped";
  /** 0 while it has no place yet (own outbox, live). */
  seq: number;
  sender: Person | null;
  mine: boolean;
  /** The server's time of acceptance; for the own outbox the time of typing. */
  atMs: number;
  text: string;
  unreadable: Unreadable | null;
  state: MessageState | null;
  /** Own, and nobody can have got it: it may be taken back and written anew. */
  isChangeable: boolean;
  failure: Failure | null;
  messageId: Id | null;
  /** Members (without the sender) who have not read it yet; null where it is not known. */
  unreadBy: number | null;
  /** For system lines: whom it is about. */
  about: Person[];
}

export interface Timeline {
  roomId: Id;
  items: TimelineItem[];
  /** More can be paged in above. */
  hasOlder: boolean;
  /** seq after which the unread line stands, fixed when the room was opened; null without unread. */
  unreadAfter: number | null;
}

export interface Connection {
  state: "connecting" | "online" | "offline";
  /** Since when it is not online; the ribbon shows after 5 s. */
  sinceMs: number;
  /** Own messages that wait. */
  waiting: number;
}

/**
 * What a person has to know of the key log. refused: it does not verify, nothing new is believed.
 * split: somebody was shown another one. began_again: as after restoring a backup, said once.
 */
export type KeyLogNotice = "none" | "refused" | "split" | "began_again";

/** Sent whole for each part that changed; parts that did not change are absent. */
export interface Snapshot {
  phase?: Phase;
  me?: Me;
  connection?: Connection;
  friends?: { friends: Friend[]; received: ReceivedRequest[]; sent: SentRequest[] };
  rooms?: RoomSummary[];
  /** Null when nothing is being restored. */
  restoring?: Restoring | null;
  keyLog?: KeyLogNotice;
  /** Null when nobody starts this account again. */
  startingAgain?: StartingAgain | null;
  /** The opened room of this tab. */
  timeline?: Timeline;
}

/** What a screen may ask. Each is answered once, with its result or a `Failure`. */
export interface Commands extends PasskeyCommands {
  friend_request_send: { args: { email: string }; result: null };
  friend_request_accept: { args: { id: Id }; result: null };
  friend_request_decline: { args: { id: Id }; result: null };
  friend_request_withdraw: { args: { id: Id }; result: null };
  friend_remove: { args: { userId: Id }; result: null };
  profile_update: { args: { nickname?: string; statusMessage?: string }; result: null };
  /** `keepsHistory` counts where the room is made by this. */
  room_open_direct: { args: { userId: Id; keepsHistory?: boolean }; result: { roomId: Id } };
  room_create_group: { args: { title: string; userIds: Id[]; keepsHistory?: boolean }; result: { roomId: Id } };
  /** Keep no history from now on; there is no way back. */
  room_end_history: { args: { roomId: Id }; result: null };
  room_rename: { args: { roomId: Id; title: string }; result: null };
  room_invite: { args: { roomId: Id; userIds: Id[] }; result: null };
  room_remove_member: { args: { roomId: Id; userId: Id }; result: null };
  room_make_admin: { args: { roomId: Id; userId: Id }; result: null };
  room_leave: { args: { roomId: Id }; result: null };
  /** Delete for oneself. */
  room_hide: { args: { roomId: Id }; result: null };
  /** Delete for everybody (admin of a group). */
  room_delete: { args: { roomId: Id }; result: null };
  /** Show this room in this tab: timelines follow until `room_close`. */
  room_show: { args: { roomId: Id }; result: null };
  room_close: { args: Record<string, never>; result: null };
  timeline_older: { args: { roomId: Id }; result: null };
  message_send: { args: { roomId: Id; text: string }; result: { messageId: Id } };
  message_retry: { args: { roomId: Id; messageId: Id }; result: null };
  /** Write it anew: out of the line, into the draft. `forbidden` on its way, and once it may be stored. */
  message_take_back: { args: { roomId: Id; messageId: Id }; result: { text: string } };
  /** Send it no more. One that may be stored shows when the log has it. */
  message_discard: { args: { roomId: Id; messageId: Id }; result: null };
  /** The person has seen everything up to here. */
  room_read: { args: { roomId: Id; seq: number }; result: null };
  /** Drafts live in the local store, sealed. */
  draft_save: { args: { roomId: Id; text: string }; result: null };
  draft_load: { args: { roomId: Id }; result: { text: string } };
  safety_number: { args: { userId: Id }; result: Comparison };
  /** Compare what the other screen shows. */
  safety_judge: { args: { userId: Id; code: string }; result: { verdict: CodeVerdict } };
  /** Say whether this account key is the friend's, and go on with it. */
  friend_mark: { args: { userId: Id; accountKey: string; isSame: boolean }; result: null };
  /**
   * Say which device this browser was before it lost its keys, null for none; and whether the new
   * one takes its place in the list (phase `no_keys_here`).
   */
  former_entry: { args: { takesPlace: boolean }; result: { former: FormerEntry | null } };
  /** Make this browser a device by the six words or the code (phase `no_keys_here`). */
  restore: { args: { secret: string }; result: null };
  /** Offer this browser to another device of the account (phase `no_keys_here`): a code to show. */
  link_show: { args: Record<string, never>; result: { code: string; compare: string; leftMs: number } };
  /** Wait for news of that offer: `taken` once, then `linked`. */
  link_wait: { args: Record<string, never>; result: { state: "taken" | "linked" } };
  link_cancel: { args: Record<string, never>; result: null };
  /** Read the code that another browser shows. */
  link_read: { args: { code: string }; result: { compare: string; leftMs: number } };
  /** Let that browser in; needs the recovery key. */
  link_accept: { args: { secret: string }; result: null };
  link_refuse: { args: Record<string, never>; result: null };
  /** Announce that this account is started again under keys of this browser (phase `no_keys_here`). */
  reset_begin: { args: { password: string }; result: null };
  /** Ask again whether it still waits. */
  reset_look: { args: Record<string, never>; result: null };
  /** Take it back, in the browser that began it. */
  reset_withdraw: { args: Record<string, never>; result: null };
  /** Start again: the time is over, and this browser becomes the account's only device. */
  reset_finish: { args: Record<string, never>; result: null };
  /** Stop it, from a device of the account. */
  reset_veto: { args: Record<string, never>; result: null };
  /** The six words and the code, to be written down. */
  recovery_show: { args: Record<string, never>; result: { words: string; code: string } };
  /** Open the own account with what was typed; after that this browser keeps no recovery key. */
  recovery_test: { args: { secret: string }; result: null };
  /** Make a new recovery key with the present one; it does not count yet. */
  renewal_begin: { args: { secret: string }; result: null };
  /** The new words and code, to be written down. */
  renewal_show: { args: Record<string, never>; result: { words: string; code: string } };
  /** Typed again from where it was written down: from now on the new key counts, and it alone. */
  renewal_finish: { args: { secret: string }; result: null };
  /** Keep the present key. */
  renewal_discard: { args: Record<string, never>; result: null };
  /** Open the time before the account was started again, with the recovery key of then. */
  bring_back: { args: { secret: string }; result: null };
  devices_list: { args: Record<string, never>; result: { devices: Device[] } };
  /** Name an own device for all of them; an empty name takes it away. */
  device_rename: { args: { deviceId: Id; name: string }; result: null };
  /** Take a device off the own list; needs the recovery key. */
  device_revoke: { args: { deviceId: Id; secret: string }; result: null };
  /** The person has been told that the key log began again. */
  key_log_seen: { args: Record<string, never>; result: null };
  /** Erase keys and everything stored for this account in this browser. Signing out alone keeps them. */
  forget: { args: Record<string, never>; result: null };
}

export type CommandName = keyof Commands;
export type Args<C extends CommandName> = Commands[C]["args"];
export type Result<C extends CommandName> = Commands[C]["result"];

/** How the page starts the engine. */
export interface Boot {
  /** Scheme, host and port of the page. */
  origin: string;
  csrfToken: string;
  userId: Id;
  language: "ko" | "en";
}

/** page → worker */
export type ToEngine =
  | { type: "boot"; boot: Boot }
  | { [C in CommandName]: { type: "command"; id: number; name: C; args: Args<C> } }[CommandName]
  | { type: "visible"; visible: boolean };

/** worker → page */
export type FromEngine =
  | { type: "snapshot"; snapshot: Snapshot }
  | { type: "done"; id: number; result: unknown }
  | { type: "failed"; id: number; failure: Failure };

/** What `ui/` holds: made by `engine/client.ts` over a Worker, or by a test over plain objects. */
export interface Engine {
  command<C extends CommandName>(name: C, args: Args<C>): Promise<Result<C>>;
  /** Called at once with everything known, then with each change. Returns a function that stops it. */
  watch(onSnapshot: (snapshot: Snapshot) => void): () => void;
}
