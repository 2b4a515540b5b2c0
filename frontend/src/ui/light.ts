/** Elements of ours draw into the page itself, so that one style sheet, labels and find-in-page reach them. */

import { LitElement } from "lit";

export class LightElement extends LitElement {
  protected override createRenderRoot(): HTMLElement {
    return this;
  }
}
