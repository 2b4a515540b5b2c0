/** Puts the app on a page over a fake engine, and looks at it the way a person does. */

import type { Snapshot } from "../../src/engine/contract.ts";
import { speak, type Language } from "../../src/i18n/index.ts";
import { App } from "../../src/ui/app.ts";
import { alice, bob, carol, FakeEngine, friend, gardenId, me, room } from "./fake_engine.ts";

export const everything: Snapshot = {
  phase: "ready",
  me,
  connection: { state: "online", sinceMs: 0, waiting: 0 },
  friends: { friends: [friend(bob), friend(carol)], received: [], sent: [] },
  rooms: [room()],
};

export const gardenPath = `/rooms/${gardenId}`;

// happy-dom has no top layer.
const popovers = { showPopover: () => undefined, hidePopover: () => undefined };
if (!("showPopover" in HTMLElement.prototype)) Object.assign(HTMLElement.prototype, popovers);

/** Waits until everything that is drawn now has drawn what it is about to draw. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 4; turn += 1) {
    await new Promise((resolve) => setTimeout(resolve));
  }
}

/** A new page at `path`; what was open before is gone. */
export async function openPage(path: string, engine: FakeEngine, language: Language = "ko"): Promise<App> {
  document.body.replaceChildren();
  speak(language);
  history.replaceState(null, "", path);
  const app = new App();
  app.userId = alice.userId;
  app.engine = engine;
  document.body.append(app);
  await settled();
  return app;
}

// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- like querySelector: the test knows what it looks for
export function find<E extends Element = HTMLElement>(selector: string): E {
  const found = document.querySelector<E>(selector);
  if (found === null) throw new Error(`nothing on the page matches ${selector}`);
  return found;
}

export function visibleText(): string {
  return document.body.textContent.replace(/\s+/g, " ");
}

export function button(name: string): HTMLElement {
  const all = [...document.querySelectorAll<HTMLElement>("button, a")];
  // The newest dialog is on top.
  const found = all.findLast((each) => each.getAttribute("aria-label") === name || each.textContent.trim() === name);
  if (found === undefined) throw new Error(`there is no button called ${name}`);
  return found;
}

export async function press(name: string): Promise<void> {
  button(name).click();
  await settled();
}

export async function type(selector: string, text: string): Promise<void> {
  const field = find<HTMLInputElement | HTMLTextAreaElement>(selector);
  field.value = text;
  field.dispatchEvent(new InputEvent("input", { bubbles: true }));
  await settled();
}

/** The end of a composition; happy-dom has no event of this kind that carries its text. */
export function compositionEnd(data: string): Event {
  return Object.assign(new Event("compositionend", { bubbles: true }), { data });
}
