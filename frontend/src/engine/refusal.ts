/** What the engine throws when something was refused; the page gets its `Failure`. */
import { ProtocolError } from "../crypto/errors";
import type { Failure } from "./contract";

/** The codes after which the same request may be repeated (docs/wire.md §2), and our own. */
const RETRYABLE = new Set([
  "busy",
  "unavailable",
  "rate_limited",
  "commit_pending",
  "offline",
  "timeout",
]);

/** A refusal with its stable code; `roomId` comes with `room_exists`. */
export class Refusal extends Error implements Failure {
  override readonly name = "Refusal";

  constructor(
    readonly failure: Failure,
    readonly roomId?: string,
  ) {
    super(failure.code);
  }

  get code(): string {
    return this.failure.code;
  }

  get fields(): Record<string, string[]> {
    return this.failure.fields ?? {};
  }

  get retryable(): boolean {
    return RETRYABLE.has(this.failure.code);
  }
}

/** Make a refusal of one code. */
export function refuse(code: string, retryAfterMs?: number): Refusal {
  return new Refusal(retryAfterMs === undefined ? { code } : { code, retryAfterMs });
}

/** Give what a screen may know of any error: its code, never its inner text. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Refusal) return error.failure;
  if (error instanceof ProtocolError) return { code: "unverified" };
  const isStorage = error instanceof DOMException && error.name !== "OperationError";
  return { code: isStorage ? "storage" : "crypto" };
}
