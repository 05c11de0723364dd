/** The whole page: signed in or not, in one language. Signing out leaves nothing of a call behind. */
import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { forgetKey, rememberedKey, rememberedLanguage, rememberKey, rememberLanguage } from "../control/key-keeper.js";
import { choosePageLanguage, type PageLanguage, WORDS } from "../words/page-language.js";
import { Desk } from "./desk.js";
import { PageHeader } from "./page-header.js";
import { SignIn, type SignInResult } from "./sign-in.js";
import { type Wording, WordsContext } from "./use-words.js";

type Session = { readonly apiKey: string } | { readonly apiKey: undefined; readonly notice: "signed-out" | "ended" | undefined };

export function App(): JSX.Element {
  const [language, setLanguage] = useState<PageLanguage>(() => choosePageLanguage([rememberedLanguage() ?? "", ...navigator.languages]));
  const [session, setSession] = useState<Session>(() => {
    const apiKey = rememberedKey();
    return apiKey === undefined ? { apiKey, notice: undefined } : { apiKey };
  });
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  const wording = useMemo<Wording>(
    () => ({
      language,
      words: WORDS[language],
      choose: (chosen) => {
        rememberLanguage(chosen);
        setLanguage(chosen);
      },
    }),
    [language],
  );

  function signIn({ apiKey, isRemembered }: SignInResult): void {
    if (isRemembered) rememberKey(apiKey);
    setSession({ apiKey });
  }

  function leave(notice: "signed-out" | "ended"): void {
    forgetKey();
    setSession({ apiKey: undefined, notice });
  }

  const { words } = wording;
  return (
    <WordsContext.Provider value={wording}>
      {session.apiKey === undefined ? (
        <>
          <PageHeader />
          <SignIn notice={session.notice === undefined ? undefined : session.notice === "ended" ? words.sessionEnded : words.signedOut} onSignedIn={signIn} />
        </>
      ) : (
        <Desk key={session.apiKey} apiKey={session.apiKey} onLeave={leave} />
      )}
    </WordsContext.Provider>
  );
}
