/** Asks for an API key and tries it before anything else is shown. The key never gets into an address or a form that is sent. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { createHttpClient, type HttpClient } from "../wire/http-client.js";
import type { Problem } from "../wire/problem.js";
import { ProblemNote } from "./problem-note.js";
import { useWords } from "./use-words.js";

export interface SignInResult {
  readonly apiKey: string;
  readonly isRemembered: boolean;
}

interface Props {
  /** What to say first: why the person has to sign in again. */
  readonly notice: string | undefined;
  readonly onSignedIn: (result: SignInResult) => void;
}

export function SignIn({ notice, onSignedIn }: Props): JSX.Element {
  const { words } = useWords();
  const [apiKey, setApiKey] = useState("");
  const [isRemembered, setIsRemembered] = useState(false);
  const [isChecking, setIsChecking] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const [isMissing, setIsMissing] = useState(false);

  async function check(): Promise<void> {
    const key = apiKey.trim();
    setProblem(undefined);
    setIsMissing(key === "");
    if (key === "" || isChecking) return;
    setIsChecking(true);
    const client: HttpClient = createHttpClient({ apiKey: key, onUnauthorized: () => undefined });
    const answer = await client.getJson("/api/v1/calls?limit=1");
    setIsChecking(false);
    if (answer.ok) onSignedIn({ apiKey: key, isRemembered });
    else setProblem(answer.problem);
  }

  return (
    <main class="sign-in" id="main">
      <form
        class="card"
        onSubmit={(event) => {
          event.preventDefault();
          void check();
        }}
      >
        <h1>{words.signInTitle}</h1>
        {notice === undefined ? null : <p role="status">{notice}</p>}
        <p>{words.signInIntro}</p>
        <label for="api-key">{words.keyLabel}</label>
        <input
          id="api-key"
          type="password"
          autocomplete="off"
          spellcheck={false}
          value={apiKey}
          aria-invalid={isMissing || problem !== undefined}
          aria-describedby="sign-in-problem"
          onInput={(event) => setApiKey(event.currentTarget.value)}
        />
        <label class="check">
          <input type="checkbox" checked={isRemembered} aria-describedby="remember-hint" onChange={(event) => setIsRemembered(event.currentTarget.checked)} />
          <span>{words.remember}</span>
        </label>
        <p class="small" id="remember-hint">
          {words.rememberHint}
        </p>
        <div id="sign-in-problem">
          {isMissing ? (
            <p class="problem" role="alert">
              {words.keyMissing}
            </p>
          ) : null}
          {problem === undefined ? null : <ProblemNote problem={problem} />}
        </div>
        <button type="submit" class="primary" aria-disabled={isChecking}>
          {isChecking ? words.loading : words.signIn}
        </button>
      </form>
    </main>
  );
}
