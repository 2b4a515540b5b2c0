/** The field that names a device or a passkey, for the eyes of its owner alone. */

import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { words } from "../i18n/index.ts";
import { failureText, type Outcome } from "./asking.ts";
import { LightElement } from "./light.ts";
import { notify } from "./notices.ts";

/** `<gamrae-device-name .name .save .close>`; `save` takes what was typed and answers how it went. */
@customElement("gamrae-device-name")
export class DeviceNameField extends LightElement {
  @property() name = "";
  @property({ attribute: false }) save!: (name: string) => Promise<Outcome<null>>;
  @property({ attribute: false }) close: () => void = () => undefined;
  @state() private problem = "";
  @state() private isSaving = false;

  override render() {
    const t = words().devices;
    return html`<form class="form" @submit=${this.submitted}>
      <label for="device-name">${t.renameLabel}</label>
      <input id="device-name" class="input" maxlength="40" autocomplete="off" autofocus aria-describedby="device-name-hint" .value=${this.name} />
      <p class="hint" id="device-name-hint">${t.renameHint}</p>
      ${this.problem === "" ? nothing : html`<p class="problem" role="alert">${this.problem}</p>`}
      <button type="submit" class="button primary" ?disabled=${this.isSaving}>${t.renameAction}</button>
      <p class="hint" role="status">${this.isSaving ? words().trust.saving : ""}</p>
    </form>`;
  }

  private readonly submitted = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const name = (this.querySelector("input")?.value ?? "").trim();
    if (this.isSaving) return;
    this.isSaving = true;
    const outcome = await this.save(name);
    this.isSaving = false;
    if (outcome.done) {
      notify(words().devices.renamed);
      this.close();
    } else this.problem = failureText(outcome.failure);
  };
}
