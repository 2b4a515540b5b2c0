/** What a person has to know of the key log: a line while it lasts; a new log is said once. */

import { html, nothing, type PropertyValues } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { Engine, KeyLogNotice } from "../engine/contract.ts";
import { words } from "../i18n/index.ts";
import { LightElement } from "./light.ts";
import { notify } from "./notices.ts";

/** `<gamrae-key-log .engine .notice>` */
@customElement("gamrae-key-log")
export class KeyLogLine extends LightElement {
  @property({ attribute: false }) engine: Engine | null = null;
  @property({ attribute: false }) notice: KeyLogNotice = "none";

  override updated(changed: PropertyValues<this>): void {
    if (!changed.has("notice") || this.notice !== "began_again") return;
    notify(words().keyLog.beganAgain);
    this.engine?.command("key_log_seen", {}).catch(() => undefined);
  }

  override render() {
    const isWrong = this.notice === "refused" || this.notice === "split";
    return html`<div role="alert" class="ribbon-place">${isWrong ? html`<p class="ribbon">${words().keyLog.twoLists}</p>` : nothing}</div>`;
  }
}
