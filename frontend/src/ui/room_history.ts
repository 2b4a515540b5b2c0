/** Whether a room keeps its past, in words: asked when it is made, said in its details. */

import { html, nothing, type TemplateResult } from "lit";
import type { RoomSummary } from "../engine/contract.ts";
import { words } from "../i18n/index.ts";

type Kept = Pick<RoomSummary, "keepsHistory" | "historyEnded">;

/** What a new device and a newcomer will see. */
function sentence({ keepsHistory, historyEnded }: Kept): string {
  const t = words().history;
  if (keepsHistory) return t.kept;
  return historyEnded ? t.unkeptSince : t.unkept;
}

/** What stands above the first message. */
export function beginningHint({ keepsHistory, historyEnded }: Kept): string {
  return keepsHistory || historyEnded ? words().room.beginningHint : words().history.beginning;
}

/** The question for a room that is about to be made; `change` hears the answer. */
export function historySwitch(keeps: boolean, change: (keeps: boolean) => void): TemplateResult {
  const t = words().history;
  const changed = (event: Event): void => change((event.target as HTMLInputElement).checked);
  return html`<div class="labelled">
    <label class="switch-row"><span>${t.keep}</span>
      <input type="checkbox" role="switch" class="switch" name="history" aria-describedby="history-hint" .checked=${keeps} @change=${changed} /></label>
    <p class="hint" id="history-hint" aria-live="polite">${sentence({ keepsHistory: keeps, historyEnded: false })}${keeps ? "" : ` ${t.oneWay}`}</p></div>`;
}

/** What a room does, and for whoever may, the way to end it. */
export function historyPart(room: RoomSummary, working: boolean, end: () => unknown): TemplateResult {
  const t = words().history;
  const mayEnd = room.keepsHistory && room.left === null && (room.kind === "direct" || room.isAdmin);
  return html`<h3>${t.title}</h3>
    <p class="hint">${sentence(room)}</p>
    ${mayEnd ? html`<div class="details-actions"><button type="button" class="button small quiet" ?disabled=${working} @click=${end}>${t.end}</button></div>` : nothing}`;
}
