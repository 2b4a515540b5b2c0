/** One quiet line at the top when something takes longer: no socket for 5 s, or a start of over 1 s. */

import { html, nothing, type PropertyValues } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Connection, Phase } from "../engine/contract.ts";
import { words } from "../i18n/index.ts";
import { LightElement } from "./light.ts";

const CONNECTING_MS = 5_000;
const STARTING_MS = 1_000;

/** `<gamrae-ribbon .connection .phase>` */
@customElement("gamrae-ribbon")
export class Ribbon extends LightElement {
  @property({ attribute: false }) connection: Connection | null = null;
  @property({ attribute: false }) phase: Phase = "starting";
  @state() private due = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.timer);
  }

  override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("connection") && !changed.has("phase")) return;
    clearTimeout(this.timer);
    const wait = this.waitMs();
    this.due = wait !== null && wait <= 0;
    if (wait !== null && wait > 0) this.timer = setTimeout(() => (this.due = true), wait);
  }

  override render() {
    return html`<div role="status" class="ribbon-place">${this.due ? html`<p class="ribbon">${this.text()}</p>` : nothing}</div>`;
  }

  /** How long until there is something to say; null when all is well. */
  private waitMs(): number | null {
    if (this.phase !== "ready") return STARTING_MS;
    if (this.connection === null || this.connection.state === "online") return null;
    return this.connection.sinceMs + CONNECTING_MS - Date.now();
  }

  private text(): string {
    const { phase, connection } = words();
    if (this.phase === "starting") return phase.startingSlow;
    if (this.phase === "enrolling") return phase.enrollingSlow;
    const line = this.connection?.state === "offline" ? connection.offline : connection.connecting;
    const waiting = this.connection?.waiting ?? 0;
    return waiting > 0 ? `${line} · ${connection.waiting(waiting)}` : line;
  }
}
