/** Which part of a long timeline is in the page: at most 300 items, moved in steps of 100. */

export const MOST_ITEMS = 300;
export const STEP = 100;

/** Items `start` (included) to `end` (excluded) are drawn. */
export interface Window {
  start: number;
  end: number;
}

export function atEnd(count: number): Window {
  return { start: Math.max(0, count - MOST_ITEMS), end: count };
}

/** With some items above `index`, so that it can be scrolled to. */
export function around(index: number, count: number): Window {
  const start = Math.max(0, Math.min(index - STEP, count - MOST_ITEMS));
  return { start, end: Math.min(count, start + MOST_ITEMS) };
}

export function movedUp(window: Window): Window {
  const start = Math.max(0, window.start - STEP);
  return { start, end: Math.min(window.end, start + MOST_ITEMS) };
}

export function movedDown(window: Window, count: number): Window {
  const end = Math.min(count, window.end + STEP);
  return { start: Math.max(window.start, end - MOST_ITEMS), end };
}

/**
 * The same items after the list changed: `older` were put in front, and the end is followed when the
 * reader was there (`following`).
 */
export function afterChange(window: Window, older: number, count: number, following: boolean): Window {
  if (following) return atEnd(count);
  const start = Math.min(window.start + older, Math.max(0, count - 1));
  const end = Math.min(count, Math.max(window.end + older, start + Math.min(MOST_ITEMS, count)));
  return { start: Math.max(start, end - MOST_ITEMS), end };
}
