/** The refusals of HRK/1: one outcome name for each, as in docs/protocol.md §1.4. */

/** Every outcome name that a refusal can have in this version. */
export const OUTCOMES = [
  "parse",
  "suite",
  "reference",
  "epoch_gap",
  "fork",
  "roster",
  "committer",
  "op_forbidden",
  "pin_mismatch",
  "list_rollback",
  "list_fork",
  "prekey",
  "signature",
  "epoch_unusable",
  "aead",
  "commitment",
  "body",
  "equivocation",
  "counter",
  "cut",
  "recovery",
  "link",
  "dispute",
  "file",
  "log_fork",
  "kt",
  "report",
] as const;

/** The one name of a refusal. */
export type Outcome = (typeof OUTCOMES)[number];

/** Something did not verify; `outcome` is its one name in docs, vectors and both clients. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";

  /**
   * @param outcome its name in docs/protocol.md §1.4
   * @param message for people who debug; never holds a secret
   * @param listHash with `reference`: the hash of the device list that is needed, when one is
   */
  constructor(
    readonly outcome: Outcome,
    message: string,
    readonly listHash?: Uint8Array,
  ) {
    super(message);
  }
}

/** Run `work`, and let every refusal inside it count as `outcome`; other errors pass through. */
export function refusedAs<T>(outcome: Outcome, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof ProtocolError) throw new ProtocolError(outcome, error.message);
    throw error;
  }
}
