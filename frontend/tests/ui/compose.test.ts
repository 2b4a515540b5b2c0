/** Recorded event traces of input methods: each says how often a message goes out, and with which text. */

import { describe, expect, test } from "vitest";
import { EnterKey, type KeyInput } from "../../src/ui/compose.ts";

type Step =
  | { on: "keydown"; at: number; key?: string; code?: string; keyCode?: number; composing?: boolean; shift?: boolean }
  | { on: "keyup"; at: number; key?: string; code?: string }
  | { on: "compositionend"; at: number; data: string }
  | { on: "text"; value: string }
  | { on: "beforeinput"; at: number; inputType: string };

interface Played {
  sent: string[];
  linesBroken: number;
  answers: string[];
}

function keyOf(step: Extract<Step, { on: "keydown" }>): KeyInput {
  return {
    key: step.key ?? "Enter",
    code: step.code ?? "Enter",
    keyCode: step.keyCode ?? 13,
    isComposing: step.composing ?? false,
    shiftKey: step.shift ?? false,
    ctrlKey: false,
    altKey: false,
    metaKey: false,
    timeStamp: step.at,
  };
}

/** Plays a trace the way the composer feeds the machine: sending takes the text and empties the field. */
function play(steps: Step[]): Played {
  const machine = new EnterKey();
  const played: Played = { sent: [], linesBroken: 0, answers: [] };
  let field = "";
  const send = (): void => {
    if (field !== "") played.sent.push(field);
    field = "";
  };
  for (const step of steps) {
    if (step.on === "text") field = step.value;
    if (step.on === "keydown") {
      const answer = machine.keydown(keyOf(step));
      played.answers.push(answer);
      if (answer === "send") send();
    }
    if (step.on === "keyup") machine.keyup({ key: step.key ?? "Enter", code: step.code ?? "Enter" });
    if (step.on === "compositionend" && machine.compositionend({ data: step.data, timeStamp: step.at })) send();
    if (step.on === "beforeinput" && !machine.breaksLineAfterSend({ inputType: step.inputType, timeStamp: step.at })) {
      played.linesBroken += 1;
    }
  }
  return played;
}

const open: Step = { on: "text", value: "안녕" };
const composingEnter = (at: number, key = "Enter"): Step => ({
  on: "keydown", at, key, keyCode: 229, composing: true,
});

const korean: Record<string, Step[]> = {
  "Chrome on a Mac: Enter comes twice, and a line break with it": [
    open,
    composingEnter(1000),
    { on: "compositionend", at: 1001, data: "녕" },
    { on: "keydown", at: 1002 },
    { on: "beforeinput", at: 1003, inputType: "insertLineBreak" },
    { on: "keyup", at: 1080 },
  ],
  "Chrome on Windows: the key is called Process": [
    open,
    composingEnter(1000, "Process"),
    { on: "compositionend", at: 1004, data: "녕" },
    { on: "keydown", at: 1005 },
    { on: "keyup", at: 1090 },
  ],
  "Chrome on Linux: Enter comes once": [
    open,
    composingEnter(1000, "Process"),
    { on: "compositionend", at: 1002, data: "녕" },
    { on: "keyup", at: 1090 },
  ],
  "Firefox: input follows the end of the composition": [
    open,
    composingEnter(1000, "Process"),
    { on: "compositionend", at: 1001, data: "녕" },
    { on: "text", value: "" },
    { on: "keyup", at: 1077 },
  ],
  "Safari: the composition ends before the key goes down": [
    open,
    { on: "compositionend", at: 1000, data: "녕" },
    { on: "keydown", at: 1001, keyCode: 229 },
    { on: "beforeinput", at: 1002, inputType: "insertLineBreak" },
    { on: "keyup", at: 1080 },
  ],
};

describe("one Enter sends a Korean message once and whole", () => {
  test.each(Object.entries(korean))("%s", (_name, steps) => {
    const played = play(steps);

    expect(played.sent).toEqual(["안녕"]);
    expect(played.linesBroken).toBe(0);
  });
});

const candidates: Record<string, Step[]> = {
  "Japanese in Chrome": [
    { on: "text", value: "日本" },
    composingEnter(1000, "Process"),
    { on: "compositionend", at: 1001, data: "日本" },
    { on: "keyup", at: 1090 },
  ],
  "Japanese kana in Firefox": [
    { on: "text", value: "こんにちは" },
    composingEnter(1000),
    { on: "compositionend", at: 1001, data: "こんにちは" },
    { on: "keyup", at: 1090 },
  ],
  "Japanese in Safari": [
    { on: "text", value: "日本" },
    { on: "compositionend", at: 1000, data: "日本" },
    { on: "keydown", at: 1001, keyCode: 229 },
    { on: "keyup", at: 1090 },
  ],
  "Chinese letters taken as they are": [
    { on: "text", value: "nihao" },
    composingEnter(1000, "Process"),
    { on: "compositionend", at: 1001, data: "nihao" },
    { on: "keyup", at: 1090 },
  ],
  "Hangul turned into Hanja": [
    { on: "text", value: "韓國" },
    composingEnter(1000, "Process"),
    { on: "compositionend", at: 1001, data: "韓國" },
    { on: "keyup", at: 1090 },
  ],
};

describe("Enter on a list of candidates only takes the candidate", () => {
  test.each(Object.entries(candidates))("%s", (_name, steps) => {
    expect(play(steps).sent).toEqual([]);
  });

  test.each(Object.entries(candidates))("%s: the next Enter sends", (_name, steps) => {
    const next: Step[] = [...steps, { on: "keydown", at: 2000 }, { on: "keyup", at: 2060 }];

    expect(play(next).sent).toHaveLength(1);
  });
});

describe("without a composition", () => {
  test("Enter sends English at once", () => {
    const played = play([{ on: "text", value: "hello" }, { on: "keydown", at: 10 }, { on: "keyup", at: 50 }]);

    expect(played.sent).toEqual(["hello"]);
    expect(played.answers).toEqual(["send"]);
  });

  test("Shift and Enter breaks the line, also inside a Korean syllable", () => {
    const played = play([
      open,
      { on: "keydown", at: 10, keyCode: 229, composing: true, shift: true },
      { on: "compositionend", at: 11, data: "녕" },
      { on: "beforeinput", at: 12, inputType: "insertLineBreak" },
    ]);

    expect(played.sent).toEqual([]);
    expect(played.linesBroken).toBe(1);
  });

  test("two quick messages are two messages", () => {
    const played = play([
      { on: "text", value: "하나" },
      composingEnter(1000),
      { on: "compositionend", at: 1001, data: "나" },
      { on: "keyup", at: 1040 },
      { on: "text", value: "two" },
      { on: "keydown", at: 1200 },
      { on: "keyup", at: 1240 },
    ]);

    expect(played.sent).toEqual(["하나", "two"]);
  });

  test("a held Enter sends one message", () => {
    const held: Step[] = [0, 30, 60, 90].map((after) => ({ on: "keydown", at: 1000 + after }));

    expect(play([{ on: "text", value: "x" }, ...held]).answers).toEqual(["send", "swallow", "swallow", "swallow"]);
  });

  test("a wish is forgotten when typing goes on", () => {
    const played = play([
      open,
      composingEnter(1000),
      { on: "keydown", at: 1100, key: "ㅎ", code: "KeyG", keyCode: 229, composing: true },
      { on: "compositionend", at: 1200, data: "녕" },
    ]);

    expect(played.sent).toEqual([]);
  });

  test("clicking away from an open syllable sends nothing", () => {
    expect(play([open, { on: "compositionend", at: 1000, data: "녕" }]).sent).toEqual([]);
  });
});
