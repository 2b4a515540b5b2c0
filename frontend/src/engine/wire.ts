/** The answers of the REST interface that the engine reads (docs/wire.md §3). */
import type { Id } from "./contract";

export interface MeJson {
  user_id: Id;
  email: string;
  nickname: string;
  status_message: string;
  account_key: string | null;
  list_version: number;
  recovery_version: number;
  device_id: Id | null;
}

/** A passkey of one's own; `credential` is what authenticators know it by. */
export interface PasskeyJson {
  passkey_id: Id;
  credential: string;
  created_ms: number;
  last_used_ms: number | null;
}

/** What the box of a link says to the browser that opened it. */
export interface LinkJson {
  is_taken: boolean;
  answer: string | null;
  left_ms: number;
}

/** What the device gets that takes an offer. */
export interface TakenJson {
  offer: string;
  left_ms: number;
}

export interface FriendJson {
  user_id: Id;
  email: string;
  nickname: string;
  status_message: string;
  since_ms: number;
  has_keys: boolean;
}

export interface FriendsJson {
  friends: FriendJson[];
  received: { friend_request_id: Id; email: string; nickname: string; created_ms: number }[];
  sent: { friend_request_id: Id; email: string; created_ms: number }[];
}

export interface MemberJson {
  user_id: Id;
  nickname: string;
  role: "member" | "admin";
  joined_epoch: number;
}

export interface CursorJson {
  user_id: Id;
  delivered_to: number;
  read_to: number;
}

export interface RoomJson {
  room_id: Id;
  kind: "direct" | "group";
  genesis: string;
  head_epoch: number;
  head_hash: string;
  head_seq: number;
  stale: boolean;
  created_ms: number;
  me: { role: "member" | "admin"; joined_epoch: number; last_epoch: number | null; hidden_to: number };
  members: MemberJson[];
  leaving: { user_id: Id; joined_epoch: number; statement: string }[];
  cursors: CursorJson[];
}

export interface CommitJson {
  epoch: number;
  hash: string;
  core: string;
  tag: string;
  sig: string;
  ops: string;
  state: string;
  committer_user: Id;
  committer_device: Id;
}

export interface UserKeysJson {
  user_id: Id;
  account_key: string;
  lists: { version: number; device_list: string; list_sig: string }[];
  prekeys: { device_id: Id; seq: number; prekey: string; prekey_sig: string }[];
  /** The account keys that resets have ended, the first one first, with all lists under them. */
  former?: FormerKeyJson[];
}

export interface FormerKeyJson {
  account_key: string;
  reset: string;
  reset_sig: string;
  lists: { version: number; device_list: string; list_sig: string }[];
}

/** The reset of the own account that waits. */
export interface ResetJson {
  reset_id: string;
  reset: string;
  reset_sig: string;
  state: "waiting" | "due";
  announced_ms: number;
  due_ms: number;
  lapses_ms: number;
}

export interface SignedHeadJson {
  head: string;
  head_sig: string;
}

export interface KeyLogHeadJson extends SignedHeadJson {
  logs: { log: string; log_sig: string }[];
}

export interface KeyLogPageJson extends SignedHeadJson {
  leaves: string[];
  more: boolean;
}

/** The server's acceptance stamp (docs/protocol.md §8.5), kept with each message. */
export interface Stamp {
  accepted_ms: number;
  key_id: number;
  stamp: string;
}

export interface MessageItem extends Stamp {
  seq: number;
  kind: "message";
  envelope: string;
}

export type LogItem =
  | MessageItem
  | { seq: number; kind: "commit"; epoch: number; hash: string }
  | { seq: number; kind: "leave"; event: string };

export interface LogPage {
  room_id: Id;
  after: number;
  upto: number;
  head: number;
  items: LogItem[];
  more?: boolean;
}

export interface RecoveryJson {
  recovery_blob: string;
  recovery_sig: string;
  carries: { bk_version: number; carry: string }[];
}

/** The sealed blob of an account key that a reset has ended. */
export interface FormerRecoveryJson extends RecoveryJson {
  account_key: string;
}

export interface BackupKeyJson {
  bk_version: number;
  bk_pub: string;
}

export interface DeviceJson {
  device_id: Id;
  created_ms: number;
  last_used_ms: number;
  current: boolean;
}

export interface HistoryRecordJson {
  epoch: number;
  commit_hash: string;
  bk_version: number;
  writer_device: Id;
  record: string;
  sig: string;
}
