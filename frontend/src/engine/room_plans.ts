/** What people want of a room, as commits: asked again on each new head until the server takes one. */
import { withoutHistory } from "../crypto/commit";
import { memberRow } from "../crypto/committing";
import { keepsHistory } from "../crypto/epoch";
import type { Op } from "../crypto/ops";
import { KIND_DIRECT, ROLE_ADMIN, findMember } from "../crypto/roster";
import type { Plan } from "./commits";
import type { Id } from "./contract";
import type { Core } from "./core";
import { idBytes } from "./ids";
import { refuse } from "./refusal";

/** Let people in who are not there yet. */
export function inviting(core: Core, userIds: readonly Id[]): Plan {
  return {
    newcomers: userIds,
    ops: async (view) => {
      const missing = userIds.filter((id) => !findMember(view.roster, idBytes(id)));
      if (missing.length === 0) return null;
      return Promise.all(
        missing.map(async (id): Promise<Op> => {
          const list = await core.people.newestList(idBytes(id));
          return { op: "add", member: memberRow(list, { joinedEpoch: view.epoch + 1 }) };
        }),
      );
    },
  };
}

/** Take somebody out, as an admin. */
export function removing(userId: Id): Plan {
  return {
    ops: (view) => {
      const row = findMember(view.roster, idBytes(userId));
      if (!row) return Promise.resolve(null);
      const { user, amkPub, joinedEpoch } = row;
      const statement = new Uint8Array(0);
      return Promise.resolve([{ op: "remove", user, amkPub, joinedEpoch, statement }]);
    },
  };
}

/** Make a member an admin; `not_found` for who is none. */
export function promoting(userId: Id): Plan {
  const user = idBytes(userId);
  return {
    ops: (view) => {
      const row = findMember(view.roster, user);
      if (!row) return Promise.reject(refuse("not_found"));
      if (row.role === ROLE_ADMIN) return Promise.resolve(null);
      return Promise.resolve([{ op: "role", user, role: ROLE_ADMIN }]);
    },
  };
}

/** Give the room another title. */
export function renaming(title: string): Plan {
  return {
    state: () => ({ title }),
    ops: (view) => Promise.resolve(view.title === title ? null : [{ op: "state" }]),
  };
}

/** Keep no history from here on; `forbidden` unless an admin, or in a direct room either, asks. */
export function endingHistory(core: Core): Plan {
  const own = idBytes(core.userId);
  return {
    state: ({ clear }) => ({ clear: withoutHistory(clear) }),
    ops: (view) => {
      const isAdmin = findMember(view.roster, own)?.role === ROLE_ADMIN;
      if (view.clear.kind !== KIND_DIRECT && !isAdmin) return Promise.reject(refuse("forbidden"));
      return Promise.resolve(keepsHistory(view) ? [{ op: "state" }] : null);
    },
  };
}
