// @vitest-environment happy-dom

import { beforeEach, describe, expect, it } from "vitest";
import { Place } from "../../src/ui/scrolling.ts";

/** A list 1,000 px long in a window of 200 px; happy-dom itself lays nothing out. */
function longList(): HTMLElement {
  const scroller = document.createElement("div");
  let top = 0;
  Object.defineProperties(scroller, {
    clientHeight: { value: 200 },
    scrollHeight: { value: 1_000 },
    scrollTop: { get: () => top, set: (wanted: number) => (top = Math.min(Math.max(0, wanted), 800)) },
  });
  return scroller;
}

describe("a reader at the end of the list", () => {
  let place: Place;
  let list: HTMLElement;

  beforeEach(() => {
    place = new Place();
    list = longList();
    place.restore(list);
    expect(list.scrollTop).toBe(800);
  });

  it("stays there when something is added", () => {
    place.remember(list);
    place.restore(list);

    expect(list.scrollTop).toBe(800);
  });

  it("is not pulled back when a change comes before the browser has told of the scrolling", () => {
    list.scrollTop = 0;

    place.remember(list);
    place.restore(list);

    expect(list.scrollTop).toBe(0);
  });

  it("who asks for the end gets there from anywhere", () => {
    list.scrollTop = 0;
    place.measure(list);

    place.toEnd();
    place.remember(list);
    place.restore(list);

    expect(list.scrollTop).toBe(800);
  });
});
