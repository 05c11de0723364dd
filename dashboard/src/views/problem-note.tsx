/** Why something could not be done: in plain words of the page's language, then what the service said (in English). */
import type { JSX } from "preact";
import type { Problem } from "../wire/problem.js";
import { explainProblem } from "../words/page-language.js";
import { useWords } from "./use-words.js";

export function ProblemNote({ problem, isQuiet = false }: { readonly problem: Problem; readonly isQuiet?: boolean }): JSX.Element {
  const { words } = useWords();
  return (
    <div class="problem" role={isQuiet ? undefined : "alert"}>
      <p>{explainProblem(words, problem)}</p>
      {problem.detail === "" ? null : (
        <p class="small">
          {words.problemSays} <span lang="en">{problem.detail}</span>
        </p>
      )}
    </div>
  );
}
