/** The words on the screens, in the language of the page. A key that one language lacks is a type error. */

import { en } from "./en.ts";
import { ko } from "./ko.ts";

export type Language = "ko" | "en";

/** Korean is written first, so its keys are the keys; functions keep their parameters. */
export type Catalogue = {
  readonly [Section in keyof typeof ko]: {
    readonly [Key in keyof (typeof ko)[Section]]: (typeof ko)[Section][Key] extends string
      ? string
      : (typeof ko)[Section][Key];
  };
};

const catalogues: Record<Language, Catalogue> = { ko, en };

let spoken: Language = "ko";

/** Chooses the language of everything drawn from now on; the page does it once, before it draws. */
export function speak(language: Language): void {
  spoken = language;
}

export function language(): Language {
  return spoken;
}

export function words(): Catalogue {
  return catalogues[spoken];
}

export function catalogueOf(which: Language): Catalogue {
  return catalogues[which];
}

/** The language that a page names: Korean unless it says English. */
export function languageNamed(name: string | undefined): Language {
  return name?.toLowerCase().startsWith("en") === true ? "en" : "ko";
}
