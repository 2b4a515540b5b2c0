/** Where the reader is in a scrolling list, so that whatever is added or taken away moves nothing. */

const NEAR_END_PX = 100;
const NEAR_TOP_PX = 400;

interface Anchor {
  key: string;
  /** Distance from the top of the scroller to the top of the item. */
  offset: number;
}

function offsetIn(scroller: HTMLElement, element: Element): number {
  return element.getBoundingClientRect().top - scroller.getBoundingClientRect().top;
}

/** The first item that can be seen, at least in part. */
function firstVisible(scroller: HTMLElement): Anchor | null {
  for (const element of scroller.querySelectorAll<HTMLElement>("[data-key]")) {
    const box = element.getBoundingClientRect();
    const offset = offsetIn(scroller, element);
    if (offset + box.height > 0) return { key: element.dataset["key"] ?? "", offset };
  }
  return null;
}

export class Place {
  /** True for a reader within 100 px of the end: new messages scroll into view. */
  following = true;
  private anchor: Anchor | null = null;

  toEnd(): void {
    this.following = true;
    this.anchor = null;
  }

  /** Puts the item of this key at a third of the height with the next `restore`. */
  toKey(key: string): void {
    this.following = false;
    this.anchor = { key, offset: Number.NaN };
  }

  measure(scroller: HTMLElement): void {
    this.following = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_END_PX;
  }

  /** Stays at what is seen now, even at the end. */
  keep(scroller: HTMLElement): void {
    this.following = false;
    this.anchor = firstVisible(scroller);
  }

  isNearTop(scroller: HTMLElement): boolean {
    return scroller.scrollTop < NEAR_TOP_PX;
  }

  /** To be called before the list changes. */
  remember(scroller: HTMLElement): void {
    if (!this.following) this.anchor = firstVisible(scroller);
  }

  /** To be called after the list has changed. */
  restore(scroller: HTMLElement): void {
    if (this.following) {
      scroller.scrollTop = scroller.scrollHeight;
      return;
    }
    const anchor = this.anchor;
    const element = anchor === null ? null : scroller.querySelector(`[data-key="${CSS.escape(anchor.key)}"]`);
    if (anchor === null || element === null) return;
    const wanted = Number.isNaN(anchor.offset) ? scroller.clientHeight / 3 : anchor.offset;
    scroller.scrollTop += offsetIn(scroller, element) - wanted;
    if (Number.isNaN(anchor.offset)) this.measure(scroller);
  }
}
