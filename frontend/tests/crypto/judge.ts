/**
 * Judges cases for tests/crypto_client/test_differential.py, one JSON line each: {op, in, trusting}.
 * `trusting` takes every signature for valid, so that what lies behind signatures is compared too.
 */
import { createInterface } from "node:readline";
import sodium from "libsodium-wrappers-sumo";
import { type Vector, runVector } from "../../src/crypto/vector_runner";

interface Case extends Vector {
  trusting: boolean;
}

await sodium.ready;
const { crypto_sign_verify_detached: verifyDetached } = sodium;
const trust = () => true;

async function judge(line: string): Promise<unknown> {
  const judged = JSON.parse(line) as Case;
  sodium.crypto_sign_verify_detached = judged.trusting ? trust : verifyDetached;
  try {
    return await runVector(judged);
  } catch (error) {
    return { outcome: `crash: ${String(error)}`, out: {} };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await judge(line))}\n`);
}
