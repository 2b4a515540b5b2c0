/** What the tabs of one account tell each other over a BroadcastChannel. */
import type { Args, CommandName, Connection, Failure, Id, Phase } from "./contract";
import type { Change } from "./core";

export type TabMessage =
  /** The leader says how it stands: after a change, or because somebody asked. */
  | {
      type: "state";
      leader: string;
      phase: Phase;
      connection: Omit<Connection, "waiting"> | null;
    }
  | { type: "who" }
  | { type: "changed"; change: Change }
  | { type: "command"; from: string; id: number; name: CommandName; args: Args<CommandName> }
  | { type: "done"; to: string; id: number; result: unknown }
  | { type: "failed"; to: string; id: number; failure: Failure }
  /** A tab wrote into the outbox of a room. */
  | { type: "queued"; roomId: Id }
  | { type: "woken" }
  /** Everything of this account was deleted from this browser. */
  | { type: "forgotten" };
