/** The six digits that stand on both screens while a device is linked. */

import { html, type TemplateResult } from "lit";

export function compareDigits(digits: string): TemplateResult {
  return html`<p class="link-compare" translate="no">${digits.slice(0, 3)} ${digits.slice(3)}</p>`;
}
