/** What the parts of the leading engine share. */
import type { Api } from "./api";
import type { Id } from "./contract";
import type { KeyLog } from "./key_log";
import type { Keyring } from "./keys";
import type { Lanes } from "./lanes";
import type { People } from "./people";
import type { Platform } from "./platform";
import type { Socket } from "./socket";
import type { Store } from "./store/store";

/** What changed, told to every tab: each reads the store again and renders. */
export interface Change {
  readonly me?: true;
  readonly friends?: true;
  readonly keyLog?: true;
  readonly startingAgain?: true;
  /** Rooms whose row in the list, or timeline, is another now. */
  readonly rooms?: readonly Id[];
}

export interface Core {
  readonly platform: Platform;
  readonly store: Store;
  readonly api: Api;
  readonly socket: Socket;
  readonly keyring: Keyring;
  readonly people: People;
  readonly keyLog: KeyLog;
  readonly lanes: Lanes;
  readonly userId: Id;
  changed(change: Change): void;
  /** The store does not do its work any more: full, or taken away. */
  storageFailed(): void;
}
