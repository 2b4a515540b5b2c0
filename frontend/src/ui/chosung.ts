/** Finding Korean names the way they are typed: by initials (ㅎㄱㄷ) and by unfinished syllables. */

const FIRST_SYLLABLE = 0xac00;
const LAST_SYLLABLE = 0xd7a3;
const INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ";
const FINALS = [
  "", "ㄱ", "ㄲ", "ㄱㅅ", "ㄴ", "ㄴㅈ", "ㄴㅎ", "ㄷ", "ㄹ", "ㄹㄱ", "ㄹㅁ", "ㄹㅂ", "ㄹㅅ", "ㄹㅌ",
  "ㄹㅍ", "ㄹㅎ", "ㅁ", "ㅂ", "ㅂㅅ", "ㅅ", "ㅆ", "ㅇ", "ㅈ", "ㅊ", "ㅋ", "ㅌ", "ㅍ", "ㅎ",
];

interface Syllable {
  initial: string;
  /** Code of the same syllable without its final consonant. */
  open: number;
  final: string;
}

function syllableOf(char: string): Syllable | null {
  const code = char.codePointAt(0) ?? 0;
  if (code < FIRST_SYLLABLE || code > LAST_SYLLABLE) return null;
  const index = code - FIRST_SYLLABLE;
  return {
    initial: INITIALS[Math.floor(index / 588)] ?? "",
    open: code - (index % 28),
    final: FINALS[index % 28] ?? "",
  };
}

function isInitial(char: string): boolean {
  return INITIALS.includes(char);
}

/** Whether `typed`, the syllable still being typed, may grow into `char` (and, with a final, `next`). */
function mayBecome(typed: Syllable, char: Syllable, next: string | undefined): boolean {
  if (typed.open !== char.open) return false;
  if (char.final.startsWith(typed.final)) return true;
  const carried = typed.final.slice(-1);
  const kept = typed.final.slice(0, -1);
  return char.final === kept && next !== undefined && syllableOf(next)?.initial === carried;
}

function matchesChar(typed: string, char: string, next: string | undefined, isLast: boolean): boolean {
  if (typed === char) return true;
  const syllable = syllableOf(char);
  if (syllable === null) return false;
  if (isInitial(typed)) return syllable.initial === typed;
  const typing = syllableOf(typed);
  return isLast && typing !== null && mayBecome(typing, syllable, next);
}

function folded(text: string): string[] {
  return Array.from(text.normalize("NFC").toLowerCase().replace(/\s+/gu, ""));
}

function startsAt(text: string[], query: string[], start: number): boolean {
  return query.every((typed, index) => {
    const at = start + index;
    const char = text[at];
    return char !== undefined && matchesChar(typed, char, text[at + 1], index === query.length - 1);
  });
}

/** Whether `text` contains `query`, by letters, by Korean initials or by a syllable not yet finished. */
export function contains(text: string, query: string): boolean {
  const wanted = folded(query);
  const chars = folded(text);
  const starts = Math.max(0, chars.length - wanted.length + 1);
  return wanted.length === 0 || Array.from({ length: starts }).some((_, at) => startsAt(chars, wanted, at));
}
