/** What the in-memory server is asked, by whom, and how it refuses. */
import type { Id } from "../../src/engine/contract";

export class Problem extends Error {
  constructor(
    readonly code: string,
    readonly status: number,
    readonly more: Record<string, unknown> = {},
  ) {
    super(code);
  }
}

export interface Asked {
  user: Id;
  session: Session;
  path: string[];
  query: URLSearchParams;
  body: Record<string, unknown>;
}

/** One browser's login: which device it has proved. */
export interface Session {
  user: Id;
  device: Id | null;
  /** The server ended it: only signing in again helps. */
  isOver?: boolean;
}
