/** The list of shortcuts, opened with `?`. */

import { html, type TemplateResult } from "lit";
import { words } from "../i18n/index.ts";
import { showDialog } from "./dialog.ts";

function keys(...names: string[]): TemplateResult {
  return html`<dt>${names.map((each) => html`<kbd>${each}</kbd> `)}</dt>`;
}

export function commandKey(): string {
  return /Mac|iPhone|iPad/u.test(navigator.userAgent) ? "⌘" : "Ctrl";
}

export function showKeyboardHelp(): Promise<null | undefined> {
  const t = words().help;
  return showDialog(
    () => html`<dl class="shortcuts">
      <div>${keys(commandKey(), "K")}<dd>${t.switcher}</dd></div>
      <div>${keys("Alt", "↑", "↓")}<dd>${t.rooms}</dd></div>
      <div>${keys("Enter")}<dd>${t.send}</dd></div>
      <div>${keys("Shift", "Enter")}<dd>${t.newline}</dd></div>
      <div>${keys("Esc")}<dd>${t.escape}</dd></div>
      <div>${keys("F6")}<dd>${t.landmarks}</dd></div>
      <div>${keys("?")}<dd>${t.help}</dd></div>
    </dl>`,
    { title: t.title, kind: "sheet" },
  );
}
