import { ProtocolError } from "../../src/crypto/errors";

/** Give the outcome by which `work` is refused, or "ok"; other errors pass through. */
export function refused(work: () => unknown): string {
  try {
    work();
    return "ok";
  } catch (error) {
    if (error instanceof ProtocolError) return error.outcome;
    throw error;
  }
}

/** The same for work that is not done at once. */
export async function refusedLater(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
    return "ok";
  } catch (error) {
    if (error instanceof ProtocolError) return error.outcome;
    throw error;
  }
}
