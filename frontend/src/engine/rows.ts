/** The rows of a room's log, before anything is opened. */
import { hex } from "../crypto/encoding";
import { CLASS_MESSAGE, type Pre } from "../crypto/envelope";
import type { Id, Unreadable } from "./contract";
import { idOf } from "./ids";
import type { ItemRow } from "./store/schema";

/** An envelope with the server's stamp; `seq` 0 while it is live. */
export interface Arrived {
  readonly seq: number;
  readonly envelope: Uint8Array;
  readonly acceptedMs: number;
  readonly keyId: number;
  readonly stamp: Uint8Array;
}

/** Give the row of a message before it is opened. */
export function rowOf(roomId: Id, pre: Pre, eid: Uint8Array, arrived: Arrived): ItemRow {
  return {
    roomId,
    key: `message/${hex(eid)}`,
    kind: "message",
    seq: arrived.seq,
    status: "open",
    reason: null,
    eid,
    log: null,
    device: idOf(pre.device),
    user: idOf(pre.user),
    messageId: idOf(pre.msgId),
    epoch: pre.epoch,
    n: pre.n,
    counts: pre.messageClass === CLASS_MESSAGE,
    envelope: arrived.envelope,
    acceptedMs: arrived.acceptedMs,
    keyId: arrived.keyId,
    stamp: arrived.stamp,
    messageKey: null,
    revision: 0,
  };
}

/** A stored row that is not even an envelope: its place is kept, so that the log stays whole. */
export function unparsedRow(
  roomId: Id,
  eid: Uint8Array,
  arrived: Arrived,
  reason: Unreadable,
): ItemRow {
  const none = new Uint8Array(16);
  const pre: Pre = {
    room: none,
    epoch: -1,
    commitHash: none,
    user: none,
    device: none,
    n: -1,
    msgId: eid.slice(0, 16),
    time: 0,
    messageClass: CLASS_MESSAGE,
    expiresAfter: 0,
    attachments: [],
  };
  return { ...rowOf(roomId, pre, eid, arrived), status: "closed", reason };
}

/** Where something of the log stands that is no message. */
export interface Place {
  readonly roomId: Id;
  readonly seq: number;
  readonly eid: Uint8Array;
}

/** Give the row of a commit or a leave. */
export function eventRow({ roomId, seq, eid }: Place, kind: "commit" | "leave" | "again"): ItemRow {
  const key = kind === "again" ? `again/${seq}` : `${kind}/${hex(eid)}`;
  return {
    ...{ roomId, key, kind, seq, status: "open", reason: null, eid },
    ...{ log: null, device: "", user: "", messageId: "", epoch: -1, n: -1, counts: false },
    ...{ envelope: null, acceptedMs: 0, keyId: 0, stamp: new Uint8Array(0), messageKey: null },
    revision: 0,
  };
}

/** A place that repeats what stands elsewhere: it enters the log hash, and nothing is shown. */
export function againRow(place: Place): ItemRow {
  return eventRow(place, "again");
}
