/** The passkeys of the in-memory server: sealed recovery keys by the id of their passkey. */
import { decodeBase64url, encodeBase64url, lpSplit } from "../../src/crypto/encoding";
import type { Id } from "../../src/engine/contract";
import { type Asked, Problem } from "./server_asked";

export class ServerPasskeys {
  readonly kept = new Map<Id, Map<Id, string>>();

  of(user: Id): Map<Id, string> {
    const own = this.kept.get(user) ?? new Map<Id, string>();
    this.kept.set(user, own);
    return own;
  }

  readonly handlers: Record<string, (asked: Asked) => unknown> = {
    "GET me/passkeys": ({ user }) => ({
      passkeys: [...this.of(user)].map(([passkey_id, sealed]) => {
        const [context] = lpSplit(decodeBase64url(sealed));
        const credential = encodeBase64url(lpSplit(context!).at(-1)!);
        return { passkey_id, credential, created_ms: 1, last_used_ms: null };
      }),
    }),
    "GET me/passkeys/*": ({ user, path }) => {
      const passkey = this.of(user).get(path[2]!);
      if (passkey === undefined) throw new Problem("not_found", 404);
      return { passkey };
    },
    "PUT me/passkeys/*": ({ user, session, path, body }) => {
      if (session.device === null) throw new Problem("device_required", 403);
      this.of(user).set(path[2]!, body["passkey"] as string);
      return null;
    },
    "DELETE me/passkeys/*": ({ user, path }) => {
      if (!this.of(user).delete(path[2]!)) throw new Problem("not_found", 404);
      return null;
    },
  };
}
