/** Icons of our own, drawn as lines in the colour of the text; never the only name of a control. */

import { html, svg, type SVGTemplateResult, type TemplateResult } from "lit";

const drawings = {
  friends: svg`<circle cx="9" cy="8" r="3.5"/><path d="M2.5 20c.6-3.6 3.2-5.5 6.5-5.5s5.9 1.9 6.5 5.5"/><path d="M16 4.8a3.5 3.5 0 0 1 0 6.4M18 14.9c2 .7 3.2 2.5 3.5 5.1"/>`,
  chats: svg`<path d="M12 4c5 0 9 3.2 9 7.3s-4 7.3-9 7.3c-.9 0-1.8-.1-2.6-.3L5 20.5l.7-3.7C4 15.5 3 13.5 3 11.3 3 7.2 7 4 12 4Z"/>`,
  me: svg`<circle cx="12" cy="8" r="4"/><path d="M4.5 20.5c.7-4 3.7-6 7.5-6s6.8 2 7.5 6"/>`,
  add: svg`<path d="M12 5v14M5 12h14"/>`,
  addFriend: svg`<circle cx="9.5" cy="8" r="3.5"/><path d="M3 20c.6-3.6 3.2-5.5 6.5-5.5 1.6 0 3 .4 4.1 1.3"/><path d="M18 13.5v6M15 16.5h6"/>`,
  back: svg`<path d="M15 5l-7 7 7 7"/>`,
  close: svg`<path d="M6 6l12 12M18 6L6 18"/>`,
  more: svg`<circle cx="12" cy="5.5" r="1.2"/><circle cx="12" cy="12" r="1.2"/><circle cx="12" cy="18.5" r="1.2"/>`,
  info: svg`<circle cx="12" cy="12" r="8.5"/><path d="M12 11v5M12 7.8v.1"/>`,
  search: svg`<circle cx="11" cy="11" r="6"/><path d="M15.5 15.5L20 20"/>`,
  send: svg`<path d="M4.5 12L20 4.5 15 20l-3.5-6.5L4.5 12Z"/>`,
  down: svg`<path d="M6 9.5l6 6 6-6"/>`,
  clock: svg`<circle cx="12" cy="12" r="8"/><path d="M12 7.5V12l3 2"/>`,
  tick: svg`<path d="M5 12.5l4.5 4.5L19 7.5"/>`,
  ticks: svg`<path d="M2.5 12.5L7 17l8.5-9M10.5 15.5L12 17l9-9.5"/>`,
  alert: svg`<circle cx="12" cy="12" r="8.5"/><path d="M12 7.5v5.5M12 16.2v.1"/>`,
  edit: svg`<path d="M5 19l.8-3.8L16 5l3 3L8.8 18.2 5 19Z"/>`,
  next: svg`<path d="M9 5l7 7-7 7"/>`,
} satisfies Record<string, SVGTemplateResult>;

export type IconName = keyof typeof drawings;

export function icon(name: IconName): TemplateResult {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">${drawings[name]}</svg>`;
}
