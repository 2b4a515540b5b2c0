/** Opening an archived message again, from its envelope and its kept key (docs/protocol.md §8.2). */
import { type Body, parseBody } from "../../crypto/body";
import { KEY_SIZE, MESSAGE_BUCKETS, SIGNATURE_SIZE, lpFields, unpad } from "../../crypto/encoding";
import { parseEnvelope } from "../../crypto/envelope";
import { aeadOpen } from "../../crypto/primitives";
import type { ItemRow } from "./schema";
import type { Store } from "./store";

/** Give the key of a message that this device opened, or null. */
export async function keyOfItem(store: Store, row: ItemRow): Promise<Uint8Array | null> {
  if (!row.messageKey) return null;
  return store.unseal<Uint8Array>("items", [row.roomId, row.key], row.messageKey);
}

/** Open an envelope that passed every check before; `key` is its archived message key. */
export function reopen(envelope: Uint8Array, key: Uint8Array): Body {
  const { header, nonce, ciphertext } = parseEnvelope(envelope);
  const inner = aeadOpen(key, nonce, ciphertext, header.data);
  const [, padded] = lpFields(inner, [KEY_SIZE, null, SIGNATURE_SIZE]);
  return parseBody(unpad(padded, MESSAGE_BUCKETS));
}

/** Say whether a message was opened here, its key let go since or not. */
export function wasOpened({ messageKey, words }: Pick<ItemRow, "messageKey" | "words">): boolean {
  return Boolean(messageKey ?? words);
}

/** Open the body of an item; null when it was never opened here. */
export async function bodyOfItem(store: Store, row: ItemRow): Promise<Body | null> {
  if (row.words) return parseBody(await store.unseal<Uint8Array>("items", [row.roomId, row.key], row.words));
  const key = await keyOfItem(store, row);
  return key && row.envelope ? reopen(row.envelope, key) : null;
}
