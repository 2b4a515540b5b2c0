/**
 * Taking an own message out of the line. What nobody can have got goes without a trace, and its
 * used counters are declared void; what may be stored is never changed, only given up.
 */
import { Batch } from "./batch";
import type { Id } from "./contract";
import type { Core } from "./core";
import { givenUp, isChangeable } from "./outbox_state";
import { loadDraft, putDraft } from "./queue";
import { type ReadRoom, readRoom } from "./records";
import { refuse } from "./refusal";
import type { OutboxRow } from "./store/schema";
import { Changes } from "./store/store";

async function inLine(core: Core, roomId: Id, messageId: Id): Promise<[ReadRoom, OutboxRow] | null> {
  const room = await readRoom(core.store, roomId);
  const row = await core.store.tables.get("outbox", [roomId, messageId]);
  return room && row && !row.isGivenUp ? [room, row] : null;
}

/**
 * Take a message out of the line to be written anew, and give its text. In the same step the text
 * goes before what the room's draft says, so that no closed tab can lose it. `forbidden` while it
 * is on its way, and for ever once it may be stored.
 */
export function takeBack(core: Core, roomId: Id, messageId: Id): Promise<string> {
  return core.lanes.run(roomId, async () => {
    const found = await inLine(core, roomId, messageId);
    if (!found) throw refuse("not_found");
    const [room, row] = found;
    if (!isChangeable(row)) throw refuse("forbidden");
    const { store } = core;
    const text = await store.unseal<string>("outbox", [roomId, messageId], row.text);
    const draft = await loadDraft(store, roomId);
    const changes = new Changes();
    await putDraft(store, changes, roomId, draft === "" ? text : `${text}\n${draft}`);
    const batch = new Batch(store, room);
    batch.finishWaiting(row, null);
    batch.also(changes);
    await batch.save();
    core.changed({ rooms: [roomId] });
    return text;
  });
}

/** Send a message no more; nothing to do when it is not in the line. `forbidden` while it is on its way. */
export function giveUp(core: Core, roomId: Id, messageId: Id): Promise<void> {
  return core.lanes.run(roomId, async () => {
    const found = await inLine(core, roomId, messageId);
    if (!found) return;
    const [room, row] = found;
    const batch = new Batch(core.store, room);
    if (isChangeable(row)) batch.finishWaiting(row, null);
    else if (row.state !== "failed") throw refuse("forbidden");
    else {
      const text = await core.store.seal("outbox", [roomId, messageId], "");
      batch.putWaiting(givenUp({ ...row, text }));
    }
    await batch.save();
    core.changed({ rooms: [roomId] });
  });
}
