/** The question before signing out: whether this browser keeps its keys. */

import { html, nothing } from "lit";
import { words } from "../i18n/index.ts";
import { showDialog } from "./dialog.ts";

export type Leaving = "keep" | "erase";

/** Keeping is offered first; erasing only to somebody who can come back with the recovery key. */
export function askToSignOut(mayErase: boolean, waitingText: string): Promise<Leaving | undefined> {
  const t = words().me;
  return showDialog<Leaving>(
    (done) => html`<p class="consequence">${t.signOutText}</p>
      ${mayErase ? html`<p class="consequence">${t.signOutErase}${waitingText}</p>` : nothing}
      <div class="dialog-buttons">
        ${mayErase ? html`<button type="button" class="button text-danger" @click=${() => done("erase")}>${t.eraseAction}</button>` : nothing}
        <button type="button" class="button primary" autofocus @click=${() => done("keep")}>${t.signOut}</button>
      </div>`,
    { title: t.signOutTitle, kind: "question" },
  );
}
