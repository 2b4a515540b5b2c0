/** Short messages at the edge of the page: said once, politely, and gone after some seconds. */

import { html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import type { Failure } from "../engine/contract.ts";
import { failureText } from "./asking.ts";
import { LightElement } from "./light.ts";

const EVENT = "gamrae-notice";
const SHOWN_MS = 5_000;

export function notify(text: string): void {
  document.dispatchEvent(new CustomEvent(EVENT, { detail: text }));
}

export function notifyFailure(failure: Failure): void {
  notify(failureText(failure));
}

@customElement("gamrae-notices")
export class Notices extends LightElement {
  @state() private text = "";
  private isShown = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.popover = "manual";
    document.addEventListener(EVENT, this.show);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener(EVENT, this.show);
    clearTimeout(this.timer);
  }

  override render() {
    return html`<p role="status">${this.text === "" ? nothing : html`<span class="toast">${this.text}</span>`}</p>`;
  }

  private readonly show = (event: Event): void => {
    if (event instanceof CustomEvent) this.text = String(event.detail);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.hide(), SHOWN_MS);
    // Shown anew each time, so that it stands above a dialog that was opened meanwhile.
    if (this.isShown) this.hidePopover();
    this.isShown = true;
    this.showPopover();
  };

  private hide(): void {
    this.text = "";
    this.isShown = false;
    this.hidePopover();
  }
}
