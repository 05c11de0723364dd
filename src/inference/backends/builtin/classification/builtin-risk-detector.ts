/**
 * The builtin `risk` engine: cue phrases per kind and level, read with denial, time and question, and a linear model over them
 * and the words; judged by recall.
 */
import type { ModelEngine } from "../../../model-engine.js";
import type { RiskInput, RiskOutput } from "../../../risk-detector.js";
import { checkSegments, describeBuiltin } from "../builtin-engine.js";
import type { BuiltinAssets } from "../load-builtin-assets.js";
import { readCall } from "../text/call-reading.js";
import { ScopeReader } from "../text/scope-reader.js";
import { RiskFinder } from "./risk-finder.js";
import { RiskScan } from "./risk-scan.js";

export class BuiltinRiskDetector implements ModelEngine<"risk"> {
  readonly description;
  readonly #assets: BuiltinAssets;
  readonly #scopes: ScopeReader;
  readonly #finder: RiskFinder;

  constructor(assets: BuiltinAssets, revision: string) {
    this.description = describeBuiltin("risk", revision);
    this.#assets = assets;
    this.#scopes = new ScopeReader(assets.scopes);
    this.#finder = new RiskFinder(assets, this.#scopes, new RiskScan(assets, this.#scopes));
  }

  async run(input: RiskInput, { signal }: { readonly signal: AbortSignal }): Promise<RiskOutput> {
    checkSegments(input.segments);
    const call = readCall(input.segments, { numbers: this.#assets.numbers, scopes: this.#scopes }, signal);
    return { risks: this.#finder.find(call, signal) };
  }
}
