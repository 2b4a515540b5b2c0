/** The part of the contract that is about passkeys (docs/protocol.md §5.7); see contract.ts. */
import type { Id } from "./contract";

/** A passkey that opens the recovery key of one's own. */
export interface Passkey {
  passkeyId: Id;
  /** What its owner calls it; empty without a name. */
  name: string;
  createdMs: number;
  /** When it last opened the account, or was meant to; null when never. */
  lastUsedMs: number | null;
}

/** What a page asks authenticators: only pages can. */
export interface PasskeyRequest {
  user: Uint8Array;
  salt: Uint8Array;
  /** The credentials of the account. */
  credentials: Uint8Array[];
}

/** What one answered. `prf` is a secret like the recovery key: whoever passes it on wipes it. */
export interface PasskeyAnswer {
  credential: Uint8Array;
  prf: Uint8Array;
}

export interface PasskeyCommands {
  passkeys_list: { args: Record<string, never>; result: { passkeys: Passkey[] } };
  /** Open the present recovery key for a passkey that is about to be made. */
  passkey_begin: { args: { secret: string }; result: PasskeyRequest };
  /** Keep the passkey that was made. */
  passkey_add: { args: PasskeyAnswer; result: null };
  /** Forget the recovery key again: no passkey was made. */
  passkey_discard: { args: Record<string, never>; result: null };
  /** Name a passkey for all own devices; an empty name takes it away. */
  passkey_rename: { args: { passkeyId: Id; name: string }; result: null };
  passkey_remove: { args: { passkeyId: Id }; result: null };
  /** Which passkeys can make this browser a device (phase `no_keys_here`). */
  passkey_offer: { args: Record<string, never>; result: PasskeyRequest };
  /** Make this browser a device by one of them (phase `no_keys_here`). */
  passkey_restore: { args: PasskeyAnswer; result: null };
}
