/** Lives through drawn rooms for tests/crypto_client/test_model.py, and writes their traces down. */
import fc from "fast-check";
import { SCRIPTS, live } from "./model_script";

const runs = Number(process.argv[2]);
for (const script of fc.sample(SCRIPTS, runs)) {
  const model = await live(script);
  process.stdout.write(`${JSON.stringify(model.finishedTrace())}\n`);
}
