/** What a request comes to: a value, or the problem that stood in the way. */
import type { Problem } from "./problem.js";

export type Answer<Value> = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly problem: Problem };
