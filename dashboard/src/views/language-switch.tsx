/** Switches the page between its languages; each is named in itself. */
import type { JSX } from "preact";
import { PAGE_LANGUAGES, WORDS } from "../words/page-language.js";
import { useWords } from "./use-words.js";

export function LanguageSwitch(): JSX.Element {
  const { words, language, choose } = useWords();
  return (
    <fieldset class="language-switch">
      <legend class="unseen">{words.language}</legend>
      {PAGE_LANGUAGES.map((offered) => (
        <button key={offered} type="button" lang={offered} aria-pressed={offered === language} onClick={() => choose(offered)}>
          {WORDS[offered].languageName}
        </button>
      ))}
    </fieldset>
  );
}
