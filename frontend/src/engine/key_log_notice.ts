/** What a person has to know of the key log; the worst first, a new log once. */
import type { KeyLogNotice } from "./contract";
import { readKeyLog } from "./key_log";
import type { Store } from "./store/store";

export async function keyLogNotice(store: Store): Promise<KeyLogNotice> {
  const { trouble, beganAgain } = await readKeyLog(store);
  if (trouble) return "refused";
  const claims = await store.tables.getAll("claims");
  if (claims.some(({ state }) => state === "split")) return "split";
  return beganAgain ? "began_again" : "none";
}
