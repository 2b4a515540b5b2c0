/** Every file of crypto_client/vectors judges this implementation, as it judges the Python one. */
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { type Vector, runVector } from "../../src/crypto/vector_runner";

const folder = path.resolve(import.meta.dirname, "../../../crypto_client/vectors");

const cases = readdirSync(folder, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".json"))
  .sort()
  .map((name): [string, Vector] => [
    name,
    JSON.parse(readFileSync(path.join(folder, name), "utf8")) as Vector,
  ]);

describe("the vectors", () => {
  it("are at hand: at least a hundred of them", () => {
    expect(cases.length).toBeGreaterThanOrEqual(100);
  });

  it.each(cases)("%s", async (_, vector) => {
    const result = await runVector(vector);
    const promised = Object.fromEntries(
      Object.keys(vector.out).map((name) => [name, result.out[name]]),
    );

    expect(result.outcome).toBe(vector.expect);
    expect(promised).toEqual(vector.out);
  });
});
