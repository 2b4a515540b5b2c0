/** What the keys of the whole page do; letters only when nobody is typing. */

import type { Id } from "../engine/contract.ts";

export type Shortcut = "switcher" | "help" | "escape" | "previous_room" | "next_room" | "next_landmark" | "previous_landmark";

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input, textarea, select, [contenteditable]");
}

/** The shortcut of a key press, or null; never one in the middle of a composed syllable. */
export function shortcutOf(event: KeyboardEvent): Shortcut | null {
  if (event.isComposing || event.defaultPrevented) return null;
  const command = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
  // By position as well: with a Korean layout the key K types ㅏ.
  if (command && (event.code === "KeyK" || event.key.toLowerCase() === "k")) return "switcher";
  if (command && event.key === "/") return "help";
  if (event.altKey && !event.ctrlKey && !event.metaKey && event.key === "ArrowUp") return "previous_room";
  if (event.altKey && !event.ctrlKey && !event.metaKey && event.key === "ArrowDown") return "next_room";
  if (event.key === "F6") return event.shiftKey ? "previous_landmark" : "next_landmark";
  if (event.key === "Escape") return "escape";
  return event.key === "?" && !isTyping(event.target) ? "help" : null;
}

/** The room before or after the open one in the list; the first or last where none is open. */
export function neighbour(ids: readonly Id[], current: Id | null, step: 1 | -1): Id | undefined {
  const at = current === null ? -1 : ids.indexOf(current);
  if (at === -1) return step === 1 ? ids[0] : ids.at(-1);
  return ids[at + step];
}

function canTakeFocus(element: HTMLElement): boolean {
  return element.getClientRects().length > 0;
}

const FOCUSABLE = "textarea, [tabindex='0'], a[href], button:not([disabled]), input, [tabindex='-1']";

/** Moves the focus into the next region of the page: tabs, list, messages, field, details. */
export function focusLandmark(root: ParentNode, step: 1 | -1): void {
  const landmarks = [...root.querySelectorAll<HTMLElement>("[data-landmark]")].filter(canTakeFocus);
  const at = landmarks.findIndex((landmark) => landmark.contains(document.activeElement));
  const next = landmarks.at(at === -1 && step === -1 ? -1 : (at + step) % landmarks.length);
  next?.querySelector<HTMLElement>(FOCUSABLE)?.focus();
}
