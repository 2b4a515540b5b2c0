/**
 * When the Enter key sends: one Enter, one message, whole, with every input method.
 *
 * Hangul is composed without a list of candidates, so Enter means "send" there even while a syllable
 * is open; in Japanese and Chinese it only takes the candidate. Browsers disagree on the order of
 * events (Chrome: keydown, compositionend, sometimes a second keydown; Safari: compositionend, then
 * keydown 229; Firefox: keydown, compositionend, input), so a wish is remembered and answered once.
 */

/** The parts of a keyboard event that matter; a `KeyboardEvent` fits. */
export interface KeyInput {
  key: string;
  code: string;
  keyCode: number;
  isComposing: boolean;
  shiftKey: boolean;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
  timeStamp: number;
}

/** `default`: leave it to the browser. `swallow`: prevent its default. `send`: prevent it and send now. */
export type KeyAnswer = "default" | "swallow" | "send";

// One press of a key reports its last keydown well within this time of the first.
const ONE_PRESS_MS = 500;
const HANGUL = /[\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff]$/u;

function isEnter(event: KeyInput): boolean {
  return event.key === "Enter" || event.code === "Enter" || event.code === "NumpadEnter";
}

function isModified(event: KeyInput): boolean {
  return event.shiftKey || event.ctrlKey || event.altKey || event.metaKey;
}

/** Feeds on the events of one text field and says when its text is to be sent. */
export class EnterKey {
  private wished = false;
  private committed: { text: string; atMs: number } | null = null;
  private answeredAtMs = Number.NEGATIVE_INFINITY;

  keydown(event: KeyInput): KeyAnswer {
    if (!isEnter(event)) {
      this.wished = false;
      if (!event.isComposing && event.keyCode !== 229) this.committed = null;
      return "default";
    }
    if (isModified(event)) return "default";
    if (event.isComposing) return this.wish();
    if (event.timeStamp - this.answeredAtMs < ONE_PRESS_MS) return "swallow";
    if (event.keyCode === 229) return this.keydownAfterCommit(event);
    return this.answer(event.timeStamp);
  }

  /** True when the text is to be sent: the open syllable is whole now and Enter had been pressed. */
  compositionend(event: { data: string; timeStamp: number }): boolean {
    const sends = this.wished && HANGUL.test(event.data);
    this.wished = false;
    this.committed = { text: event.data, atMs: event.timeStamp };
    if (sends) this.answer(event.timeStamp);
    return sends;
  }

  /** True when a line break about to be inserted belongs to a press of Enter that has sent already. */
  breaksLineAfterSend(event: { inputType: string; timeStamp: number }): boolean {
    const isBreak = event.inputType === "insertLineBreak" || event.inputType === "insertParagraph";
    return isBreak && event.timeStamp - this.answeredAtMs < ONE_PRESS_MS;
  }

  keyup(event: Pick<KeyInput, "key" | "code">): void {
    if (event.key === "Enter" || event.code === "Enter" || event.code === "NumpadEnter") {
      this.answeredAtMs = Number.NEGATIVE_INFINITY;
    }
  }

  private wish(): KeyAnswer {
    this.wished = true;
    return "default";
  }

  /** Safari reports the Enter that ended a composition after its end. */
  private keydownAfterCommit(event: KeyInput): KeyAnswer {
    const committed = this.committed;
    this.committed = null;
    if (committed === null || event.timeStamp - committed.atMs > ONE_PRESS_MS) return "default";
    return HANGUL.test(committed.text) ? this.answer(event.timeStamp) : "default";
  }

  private answer(atMs: number): KeyAnswer {
    this.answeredAtMs = atMs;
    return "send";
  }
}
