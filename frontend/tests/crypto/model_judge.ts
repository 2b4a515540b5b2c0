/** Replays traces for tests/crypto_client/test_model.py: a JSON line each, and as many answers. */
import { createInterface } from "node:readline";
import { ready } from "../../src/crypto/primitives";
import { type Trace, replay } from "./model_reader";

await ready;
for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await replay(JSON.parse(line) as Trace))}\n`);
}
