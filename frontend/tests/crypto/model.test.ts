import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SCRIPTS, live } from "./model_script";
import { replay } from "./model_reader";

const RUNS = Number(process.env["MODEL_RUNS"] ?? 12);

describe("a room's life in any order", () => {
  it("keeps what must hold, and comes to the same when it is lived again", async () => {
    const property = fc.asyncProperty(SCRIPTS, async (script) => {
      const trace = (await live(script)).finishedTrace();
      expect(await replay(trace)).toEqual(trace.steps.map(({ came }) => came));
    });
    await fc.assert(property, { numRuns: RUNS });
  }, 60_000 + RUNS * 5_000);
});
