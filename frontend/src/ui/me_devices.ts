/** 기기 in the tab 나: where the account is at home, what each is called, linking one more and taking one off. */

import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Device, Engine, Me } from "../engine/contract.ts";
import { language, words } from "../i18n/index.ts";
import { failureText, outcomeOf } from "./asking.ts";
import "./device_name.ts";
import { showDialog } from "./dialog.ts";
import { longDate } from "./format.ts";
import { LightElement } from "./light.ts";
import "./link_other.ts";
import { notify } from "./notices.ts";
import "./recovery_input.ts";

/** `<gamrae-me-devices .engine .me>`; asks again whenever `me` is another one. */
@customElement("gamrae-me-devices")
export class MeDevices extends LightElement {
  @property({ attribute: false }) engine!: Engine;
  @property({ attribute: false }) me: Me | null = null;
  @state() private devices: Device[] | null = null;
  @state() private problem = "";

  override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("me") || changed.has("engine")) void this.load();
  }

  override render() {
    const t = words().devices;
    return html`<section class="card" aria-labelledby="devices-title"><h2 id="devices-title">${t.title}</h2>
      ${this.problem === "" ? nothing : html`<p class="problem" role="alert">${this.problem}</p>`}
      ${this.devices === null ? nothing : html`<ul class="devices">${this.devices.map((device) => this.row(device))}</ul>`}
      <p class="hint">${t.text}</p>
      <p class="phase-actions"><button type="button" class="button quiet" @click=${this.link}>${words().link.add}</button></p></section>`;
  }

  private readonly link = (): void => {
    const { engine } = this;
    const content = (done: (value: null) => void) =>
      html`<gamrae-link-other .engine=${engine} .done=${() => done(null)}></gamrae-link-other>`;
    void showDialog(content, { title: words().link.addTitle, kind: "sheet" }).then(() => this.load());
  };

  private row(device: Device): TemplateResult {
    const t = words().devices;
    const since = t.since(longDate(device.createdMs, language()));
    const used = device.lastUsedMs === null ? "" : ` · ${t.used(longDate(device.lastUsedMs, language()))}`;
    const kind = device.isThis ? t.thisOne : t.other;
    const called = device.name === "" ? kind : device.name;
    const rename = html`<button type="button" class="button small quiet" aria-label=${t.renameOf(called)} @click=${() => this.rename(device)}>${t.rename}</button>`;
    const revoke = html`<button type="button" class="button small text-danger" aria-label=${t.revokeOf(since)} @click=${() => this.ask(device, since)}>${t.revoke}</button>`;
    return html`<li class="device"><span class="device-text"><strong><bdi>${called}</bdi></strong>
      <span class="hint">${device.name === "" ? "" : `${kind} · `}${since}${used}</span></span>
      <span class="device-buttons">${rename}${device.isThis ? nothing : revoke}</span></li>`;
  }

  private rename({ deviceId, name }: Device): void {
    const save = (given: string) => outcomeOf(this.engine.command("device_rename", { deviceId, name: given }));
    void showDialog(
      (done) => html`<gamrae-device-name .name=${name} .save=${save} .close=${() => done(null)}></gamrae-device-name>`,
      { title: words().devices.renameTitle, kind: "sheet" },
    ).then(() => this.load());
  }

  private async load(): Promise<void> {
    const outcome = await outcomeOf(this.engine.command("devices_list", {}));
    this.problem = outcome.done ? "" : failureText(outcome.failure);
    if (outcome.done) this.devices = outcome.result.devices;
  }

  private ask({ deviceId }: Device, since: string): void {
    const t = words().devices;
    const { engine } = this;
    const give = (done: (value: null) => void) => async (secret: string) => {
      const outcome = await outcomeOf(engine.command("device_revoke", { deviceId, secret }));
      if (outcome.done) {
        done(null);
        notify(t.revoked);
      }
      return outcome;
    };
    const content = (done: (value: null) => void) => html`<p class="consequence">${t.revokeText(since)}</p>
      <gamrae-recovery-input danger .action=${t.revokeAction} .give=${give(done)}></gamrae-recovery-input>`;
    void showDialog(content, { title: t.revokeTitle, kind: "sheet" }).then(() => this.load());
  }
}
