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

// More than one, because a row that stands for several (a day, a run) may lose its key to an older item.
const ANCHORS = 8;

/** The first items that can be seen, at least in part. */
function firstVisible(scroller: HTMLElement): Anchor[] {
  const found: Anchor[] = [];
  for (const element of scroller.querySelectorAll<HTMLElement>("[data-key]")) {
    const offset = offsetIn(scroller, element);
    if (offset + element.offsetHeight > 0) found.push({ key: element.dataset["key"] ?? "", offset });
    if (found.length === ANCHORS) break;
  }
  // Separators last: they may be drawn again at another place.
  return found.sort((a, b) => Number(isSeparator(a.key)) - Number(isSeparator(b.key)));
}

function isSeparator(key: string): boolean {
  return key === "unread" || key.startsWith("day ");
}

function withKey(scroller: HTMLElement, key: string): Element | null {
  return scroller.querySelector(`[data-key="${CSS.escape(key)}"]`);
}

export class Place {
  /** True for a reader within 100 px of the end: new messages scroll into view. */
  following = true;
  private anchors: Anchor[] = [];
  /** Where `restore` last put a reader who follows the end. */
  private restedAt = 0;

  toEnd(): void {
    this.following = true;
    this.anchors = [];
    this.restedAt = 0;
  }

  /** Puts the item of this key at a third of the height with the next `restore`. */
  toKey(key: string): void {
    this.following = false;
    this.anchors = [{ key, offset: Number.NaN }];
  }

  measure(scroller: HTMLElement): void {
    this.following = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_END_PX;
  }

  /** Stays at what is seen now, even at the end. */
  keep(scroller: HTMLElement): void {
    this.following = false;
    this.anchors = firstVisible(scroller);
  }

  isNearTop(scroller: HTMLElement): boolean {
    return scroller.scrollTop < NEAR_TOP_PX;
  }

  /** To be called before the list changes. */
  remember(scroller: HTMLElement): void {
    // A scroll event comes a frame late: who has just left the end must not be pulled back to it.
    if (this.following && scroller.scrollTop < this.restedAt) this.measure(scroller);
    if (!this.following) this.anchors = firstVisible(scroller);
  }

  /** To be called after the list has changed. */
  restore(scroller: HTMLElement): void {
    if (this.following) {
      scroller.scrollTop = scroller.scrollHeight;
      this.restedAt = scroller.scrollTop;
      return;
    }
    const anchor = this.anchors.find(({ key }) => withKey(scroller, key) !== null);
    const element = anchor === undefined ? null : withKey(scroller, anchor.key);
    if (anchor === undefined || element === null) return;
    const wanted = Number.isNaN(anchor.offset) ? scroller.clientHeight / 3 : anchor.offset;
    scroller.scrollTop += offsetIn(scroller, element) - wanted;
    if (Number.isNaN(anchor.offset)) this.measure(scroller);
  }
}
