/** What fast-check draws of a room's life, and how it is lived through. */
import fc from "fast-check";
import { Model } from "./model";

const VERBS = [
  ...(["send", "rotate", "add", "remove", "leave", "link", "revoke"] as const),
  ...(["race", "deliver", "repeat", "drop", "keep", "restart"] as const),
];

export type Script = readonly (readonly [verb: (typeof VERBS)[number], one: number, other: number])[];

const number = fc.nat({ max: 29 });

/** Sequences of steps; half of them are about messages. */
export const SCRIPTS: fc.Arbitrary<Script> = fc.array(
  fc.tuple(fc.constantFrom(...VERBS, "send", "send", "deliver", "deliver"), number, number),
  { minLength: 15, maxLength: 30, size: "max" },
);

/** Do one step after the other, and see that what must hold does. */
export async function live(script: Script): Promise<Model> {
  const model = await Model.begin();
  for (const [verb, one, other] of script) {
    await model[verb](one, other);
    model.check();
  }
  await model.finish();
  return model;
}
