/** What any tab may write by itself: a message into the outbox, a draft. Durable when it resolves. */
import { systemRandom } from "../crypto/primitives";
import type { JsonObject } from "../crypto/strict_json";
import type { Id } from "./contract";
import { idOf } from "./ids";
import type { Platform } from "./platform";
import { refuse } from "./refusal";
import { checkText } from "./sealing";
import type { OutboxRow } from "./store/schema";
import { Changes, type Store } from "./store/store";

/**
 * Put a text into a room's line, in one step with the end of its draft: whenever the tab is
 * closed, it is one or the other. Gives its id, which it keeps for ever.
 */
export async function enqueue(
  store: Store,
  platform: Platform,
  { roomId, text }: { roomId: Id; text: string },
): Promise<Id> {
  checkText(text);
  return putInLine(store, platform, { roomId, words: text, also: new Changes().delete("drafts", roomId) });
}

/** Put a note into an own room's line. */
export async function enqueueNote(
  store: Store,
  platform: Platform,
  { roomId, members }: { roomId: Id; members: JsonObject },
): Promise<void> {
  await putInLine(store, platform, { roomId, words: members, also: new Changes() });
}

async function putInLine(
  store: Store,
  platform: Platform,
  { roomId, words, also }: { roomId: Id; words: string | JsonObject; also: Changes },
): Promise<Id> {
  if (!(await store.tables.get("rooms", roomId))) throw refuse("not_found");
  const messageId = idOf(systemRandom(16));
  const key: [Id, Id] = [roomId, messageId];
  const createdMs = platform.now();
  const rows = await store.tables.getAll("outbox", IDBKeyRange.bound([roomId], [roomId, []]));
  const order = Math.max(createdMs, ...rows.map((row) => row.order + 1));
  const row: OutboxRow = {
    ...{ roomId, messageId, order, createdMs, state: "waiting" as const, failure: null },
    ...{ attempts: [], sealAgain: false, acceptedMs: 0, keyId: 0, stamp: new Uint8Array(0) },
    text: await store.seal("outbox", key, words),
    ...(typeof words === "string" ? {} : { isNote: true as const }),
    revision: 0,
  };
  await store.commit(new Changes().put("outbox", key, row).with(also));
  return messageId;
}

/** Keep a draft, sealed; an empty one is deleted. */
export async function saveDraft(store: Store, roomId: Id, text: string): Promise<void> {
  const changes = new Changes();
  await putDraft(store, changes, roomId, text);
  await store.commit(changes);
}

/** Prepare a draft to be written. */
export async function putDraft(store: Store, changes: Changes, roomId: Id, text: string): Promise<void> {
  if (text === "") {
    changes.delete("drafts", roomId);
    return;
  }
  const sealed = await store.seal("drafts", roomId, text);
  changes.set("drafts", roomId, { roomId, sealed, revision: 1 });
}

/** Give a draft, or the empty string. */
export async function loadDraft(store: Store, roomId: Id): Promise<string> {
  const row = await store.tables.get("drafts", roomId);
  return row ? store.unseal<string>("drafts", roomId, row.sealed) : "";
}
