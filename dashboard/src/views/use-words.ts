/** The page's words in the chosen language, for every view. */
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { type PageLanguage, WORDS } from "../words/page-language.js";
import type { Words } from "../words/words-en.js";

export interface Wording {
  readonly language: PageLanguage;
  readonly words: Words;
  readonly choose: (language: PageLanguage) => void;
}

export const WordsContext = createContext<Wording>({ language: "en", words: WORDS.en, choose: () => undefined });

export function useWords(): Wording {
  return useContext(WordsContext);
}
