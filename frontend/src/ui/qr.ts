/** A text as a QR code: drawn as one path, so that nothing is loaded and nothing is parsed. */

import { generate } from "lean-qr";
import { html, type TemplateResult } from "lit";

const QUIET = 4;

/** The code with its quiet zone, dark on white in every theme, for cameras; `label` names it. */
export function qrCode(text: string, label: string): TemplateResult {
  const code = generate(text);
  const dark: string[] = [];
  for (let y = 0; y < code.size; y += 1) {
    for (let x = 0; x < code.size; x += 1) {
      if (code.get(x, y)) dark.push(`M${String(x + QUIET)} ${String(y + QUIET)}h1v1h-1z`);
    }
  }
  const side = String(code.size + 2 * QUIET);
  return html`<svg class="qr" viewBox="0 0 ${side} ${side}" role="img" aria-label=${label} shape-rendering="crispEdges">
    <path d=${dark.join("")} /></svg>`;
}
