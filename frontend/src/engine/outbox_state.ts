/**
 * The life of an outgoing message, without effects (reliability: waiting → sending → accepted →
 * stored, or failed). The same id always; the same bytes while their epoch is the head.
 */
import type { Failure, MessageState } from "./contract";
import type { Attempt, OutboxRow } from "./store/schema";
import type { Stamp } from "./wire";

const RESEND_MS = [30_000, 60_000, 120_000, 300_000, 600_000];

/** Codes after which sealing again, in a newer epoch, is the answer. */
const SEAL_AGAIN = new Set(["stale_epoch", "counter_reused", "epoch_unusable"]);
/** Codes after which the message is stored already, or the same bytes may be sent later. */
const LATER = new Set([
  "busy",
  "unavailable",
  "rate_limited",
  "commit_pending",
  "stale_head",
  "offline",
  "timeout",
  "device_required",
  "device_proof",
  "not_signed_in",
  "storage",
  "id_reused",
]);
/** Codes that tell nothing of the bytes that left: they may be accepted all the same. */
const NO_ANSWER = new Set(["busy", "unavailable", "offline", "timeout", "storage", "crypto", "unverified"]);

/** What has to happen with a message now. */
export type Step =
  /** These exact bytes go out. */
  | { do: "send"; attempt: Attempt }
  /** A commit first: the last sealing was refused and its epoch is still the head. */
  | { do: "commit" }
  | { do: "seal" };

/** When a message that is accepted and not stored is sent again, counted from the last time. */
export function resendDelay(times: number): number {
  return RESEND_MS[Math.min(times, RESEND_MS.length - 1)] ?? 600_000;
}

/** Say whether a message still has to be brought to the server. */
export function isOutstanding(state: MessageState): boolean {
  return state === "waiting" || state === "sending";
}

/**
 * Decide what comes next. An accepted message is asked about with its last bytes, whatever the
 * head is: sealing it again makes sense only when the server says `stale_epoch`.
 */
export function nextStep(
  row: Pick<OutboxRow, "state" | "attempts" | "sealAgain">,
  head: { epoch: number; isSameCommit(attempt: Attempt): boolean },
): Step {
  const last = row.attempts.at(-1);
  if (!last) return { do: "seal" };
  const isHead = last.epoch === head.epoch && head.isSameCommit(last);
  if (row.sealAgain) return isHead ? { do: "commit" } : { do: "seal" };
  return isHead || row.state === "accepted" ? { do: "send", attempt: last } : { do: "seal" };
}

/** A new sealing: from here on its counter is used up, whether or not it ever leaves. */
export function sealed(row: OutboxRow, attempt: Attempt): OutboxRow {
  const attempts = [...row.attempts, attempt];
  return { ...row, attempts, state: "sending", sealAgain: false, failure: null };
}

/** The server has it safely. */
export function accepted(row: OutboxRow, stamp: Omit<Stamp, "stamp"> & { stamp: Uint8Array }): OutboxRow {
  const { accepted_ms: acceptedMs, key_id: keyId } = stamp;
  const next = { ...row, acceptedMs, keyId, stamp: stamp.stamp, failure: null };
  return { ...next, state: "accepted", sealAgain: false };
}

/** Say whether a refusal is the server's answer to what was asked. */
export function isAnswer(code: string): boolean {
  return !NO_ANSWER.has(code);
}

/** Say whether some sealing of a message may be in the log now, or one day. */
export function mayBeStored({ attempts }: Pick<OutboxRow, "attempts">): boolean {
  return attempts.some((attempt) => !attempt.isRefused);
}

/**
 * Say whether a message may still be written anew: nobody can have got it, and it is not on its
 * way. What may be stored keeps its words, or two people would read two of them.
 */
export function isChangeable(row: Pick<OutboxRow, "state" | "attempts">): boolean {
  return (row.state === "failed" || row.state === "waiting") && !mayBeStored(row);
}

/** The last sealing leaves once more, after the server had refused it. */
export function unrefused(row: OutboxRow): OutboxRow {
  return withLast(row, (attempt) => ({ ...attempt, isRefused: false }));
}

/** The server refused the last sealing, which it was asked about only once. */
export function surelyRefused(row: OutboxRow): OutboxRow {
  return withLast(row, (attempt) => ({ ...attempt, isRefused: true }));
}

function withLast(row: OutboxRow, how: (attempt: Attempt) => Attempt): OutboxRow {
  const last = row.attempts.at(-1);
  return last ? { ...row, attempts: [...row.attempts.slice(0, -1), how(last)] } : row;
}

/** The server said no, or nothing. */
export function refused(row: OutboxRow, failure: Failure): OutboxRow {
  if (row.isGivenUp) return row;
  if (SEAL_AGAIN.has(failure.code)) return { ...row, state: "waiting", sealAgain: true };
  if (LATER.has(failure.code)) return row.state === "accepted" ? row : { ...row, state: "waiting" };
  return { ...row, state: "failed", failure };
}

/** Say whether a refusal is one after which the line has to wait. */
export function isForLater(code: string): boolean {
  return LATER.has(code);
}

/** A person asks to try again. */
export function retried(row: OutboxRow): OutboxRow {
  const isFailed = row.state === "failed" && !row.isGivenUp;
  return isFailed ? { ...row, state: "waiting", failure: null } : row;
}

/** A person stops trying. What may be stored stays known, without its words, until the log shows it. */
export function givenUp(row: OutboxRow): OutboxRow {
  return { ...row, state: "failed", isGivenUp: true };
}
