/** What a client does when the server's head is not its own (docs/protocol.md §7.5). */
import { equalBytes } from "./encoding";
import type { RoomView } from "./epoch";
import { ProtocolError } from "./errors";

/** `same`, `fetch` what is newer, or `restore` these epochs to the server. */
export interface HeadVerdict {
  readonly verdict: "same" | "fetch" | "restore";
  readonly epochs: readonly number[];
}

/** A server's head of a room. */
export interface ServedHead {
  readonly epoch: number;
  readonly commitHash: Uint8Array;
}

/**
 * Compare a server's head (null: it has no such room) with the own view.
 *
 * Refuses `fork` when the server's head is no ancestor of the own one, or is older than the
 * commits that this client still knows: a person has to look.
 */
export function judgeHead(view: RoomView, served: ServedHead | null): HeadVerdict {
  if (served === null) return restore(view, -1);
  const { epoch, commitHash } = served;
  if (epoch > view.epoch) return { verdict: "fetch", epochs: [] };
  const known = view.recent.get(epoch);
  if (!known || !equalBytes(known, commitHash)) {
    throw new ProtocolError("fork", "a head that is not on the own chain");
  }
  return epoch === view.epoch ? { verdict: "same", epochs: [] } : restore(view, epoch);
}

function restore(view: RoomView, after: number): HeadVerdict {
  const epochs = Array.from({ length: view.epoch - after }, (_, at) => after + 1 + at);
  if (epochs.some((epoch) => !view.recent.has(epoch))) {
    throw new ProtocolError("fork", "the server lost more than this client knows");
  }
  return { verdict: "restore", epochs };
}
