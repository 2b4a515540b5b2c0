/** Times, days and sizes as people read them; dates by Intl in the page's language. */

import type { Language } from "../i18n/index.ts";

const DAY_MS = 86_400_000;
const made = new Map<string, Intl.DateTimeFormat>();

function formatter(language: Language, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${language} ${JSON.stringify(options)}`;
  const known = made.get(key) ?? new Intl.DateTimeFormat(language === "ko" ? "ko-KR" : "en", options);
  made.set(key, known);
  return known;
}

function midnight(ms: number): number {
  return new Date(ms).setHours(0, 0, 0, 0);
}

/** Whole local days from `ms` to `nowMs`; 0 is the same day. Days of 23 and 25 hours count as one. */
function daysAgo(ms: number, nowMs: number): number {
  return Math.round((midnight(nowMs) - midnight(ms)) / DAY_MS);
}

export function isSameDay(a: number, b: number): boolean {
  return midnight(a) === midnight(b);
}

/** "오후 3:05", "3:05 PM". Newer browser data says "PM 3:05" in Korean, which nobody reads aloud. */
export function clockTime(ms: number, language: Language): string {
  const parts = formatter(language, { hour: "numeric", minute: "2-digit", hour12: true }).formatToParts(ms);
  const half = new Date(ms).getHours() < 12 ? "오전" : "오후";
  return parts.map((part) => (language === "ko" && part.type === "dayPeriod" ? half : part.value)).join("");
}

/** "오늘", "어제", else the date with its weekday; the year only when it is another one. */
export function dayName(
  ms: number,
  nowMs: number,
  words: { today: string; yesterday: string },
  language: Language,
): string {
  const days = daysAgo(ms, nowMs);
  if (days === 0) return words.today;
  if (days === 1) return words.yesterday;
  const sameYear = new Date(ms).getFullYear() === new Date(nowMs).getFullYear();
  const date: Intl.DateTimeFormatOptions = { month: "long", day: "numeric", weekday: "long" };
  return formatter(language, sameYear ? date : { ...date, year: "numeric" }).format(ms);
}

/** For a row of a list: the time today, "어제", the day this year, else the date. */
export function shortTime(ms: number, nowMs: number, yesterday: string, language: Language): string {
  const days = daysAgo(ms, nowMs);
  if (days <= 0) return clockTime(ms, language);
  if (days === 1) return yesterday;
  const sameYear = new Date(ms).getFullYear() === new Date(nowMs).getFullYear();
  if (sameYear) return formatter(language, { month: "short", day: "numeric" }).format(ms);
  return formatter(language, { year: "numeric", month: "numeric", day: "numeric" }).format(ms);
}

/** The day and the time, for what is awaited. */
export function moment(ms: number, language: Language): string {
  return formatter(language, { dateStyle: "long", timeStyle: "short" }).format(ms);
}

export function longDate(ms: number, language: Language): string {
  return formatter(language, { dateStyle: "long" }).format(ms);
}

/** "9", "99+": a badge never grows wider than its place. */
export function badgeNumber(count: number): string {
  return count > 999 ? "999+" : String(count);
}

const encoder = new TextEncoder();

export function byteLength(text: string): number {
  return encoder.encode(text).length;
}

/** The first letter of a name as people see letters: a flag or a family is one. */
export function initialOf(name: string, language: Language): string {
  const [first] = new Intl.Segmenter(language, { granularity: "grapheme" }).segment(name.trim());
  return first === undefined ? "?" : first.segment.toLocaleUpperCase(language);
}
