/** How translation models name languages: by a token before or after the text, or not at all. Pure. */
import type { LanguageTag } from "../../../core/language.js";

/** Languages of the helplines by NLLB's names (ISO 639-3 and script). */
const NLLB_NAMES: Readonly<Record<LanguageTag, string>> = {
  sw: "swh_Latn",
  en: "eng_Latn",
  lg: "lug_Latn",
  rw: "kin_Latn",
  rn: "run_Latn",
  so: "som_Latn",
  om: "gaz_Latn",
  am: "amh_Ethi",
  ti: "tir_Ethi",
  luo: "luo_Latn",
  ki: "kik_Latn",
  fr: "fra_Latn",
  ar: "arb_Arab",
  ny: "nya_Latn",
  ln: "lin_Latn",
};

/** Ids of a model's language tokens, by tag: `__sw__` (M2M100), `swh_Latn` (NLLB) and `<2sw>` (MADLAD). */
export function languageTokens(tokenId: (token: string) => number | undefined, tokens: readonly string[]): ReadonlyMap<LanguageTag, number> {
  const named = Object.entries(NLLB_NAMES).map(([tag, token]) => [tag, token] as const);
  const marked = tokens.flatMap((token) => {
    const tag = /^(?:__([a-z]{2,3})__|<2([a-z]{2,3})>)$/u.exec(token);
    return tag === null ? [] : [[tag[1] ?? tag[2] ?? "", token] as const];
  });
  return new Map(
    [...named, ...marked].flatMap(([tag, token]) => {
      const id = tokenId(token);
      return id === undefined ? [] : [[tag, id] as const];
    }),
  );
}
