import fc from "fast-check";
import { expect, it } from "vitest";
import { World } from "./cast";
import { Model } from "./outbox_model";

const RUNS = Number(process.env["OUTBOX_RUNS"] ?? 5);

const VERBS = [
  ...(["type", "type", "jot", "sayDraft", "retry", "edit", "remove"] as const),
  ...(["openTab", "closeTab", "reload", "cut", "mend", "loseRequest", "loseAnswer"] as const),
  ...(["refuse", "takeAgain", "hold", "archive", "commit", "wait", "doubt", "remove"] as const),
];

const SCRIPTS = fc.array(fc.tuple(fc.constantFrom(...VERBS), fc.nat({ max: 9 })), {
  ...{ minLength: 10, maxLength: 25, size: "max" },
});

it(
  "whatever happens to tabs, network and server, what was typed arrives once and in its order",
  async () => {
    const property = fc.asyncProperty(SCRIPTS, async (script) => {
      const world = new World();
      try {
        const [alice, bob] = await world.friends("alice", "bob");
        const model = await Model.begin(world, alice!, bob!);
        for (const [verb, number] of script) {
          await model[verb](number);
          await model.check();
        }
        await model.finish();
      } finally {
        await world.end();
      }
    });
    await fc.assert(property, { numRuns: RUNS });
    expect.hasAssertions();
  },
  60_000 + RUNS * 20_000,
);
