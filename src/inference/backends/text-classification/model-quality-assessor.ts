/** The `quality` engine on an installed model: an item of the rubric is met or not by its own score; items it does not know are left to the rules. */
import type { Evidence } from "../../../core/evidence.js";
import { toEvidence } from "../../../core/evidence.js";
import type { LanguageTag } from "../../../core/language.js";
import type { QualityHead, QualityItem } from "../../../core/quality-score.js";
import type { ModelEngine } from "../../model-engine.js";
import { joinReadable, type ReadableSegment, readableText } from "../../readable-text.js";
import { LazyModel, type ModelFilesOptions } from "../onnx/lazy-model.js";
import { TextTokenizer } from "../onnx/text-tokenizer.js";
import { carryingEvidence } from "./carrying-segments.js";
import { HeadModel, meanLogits, type ReadPart, sigmoid } from "./head-model.js";
import type { HeadSettings, HeadsSettings } from "./head-settings.js";

export interface ModelQualityOptions extends ModelFilesOptions {
  readonly id: string;
  readonly revision: string;
  readonly languages: readonly LanguageTag[];
  /** Says what the model does not, and gives the rubric in force. */
  readonly rules: ModelEngine<"quality">;
}

/** Reads the tokenizer; the weights are loaded when first used. @throws AppError `MODEL_FILES_INVALID` */
export async function createModelQualityAssessor(options: ModelQualityOptions, settings: HeadsSettings): Promise<ModelEngine<"quality">> {
  const { id, revision, languages, rules } = options;
  const tokenizer = await TextTokenizer.read(options.directory);
  const lazy = new LazyModel(() => HeadModel.open(options, tokenizer, settings), options);
  return {
    description: {
      modelTask: "quality",
      engine: `text-classification:${id}`,
      revision: `${revision}+${rules.description.revision}`,
      capabilities: { languages, lowQuality: false },
    },
    async run({ segments, translation }, { signal }) {
      const readable = readableText(segments, languages, translation);
      const ruled = await rules.run({ segments }, { signal });
      const judged = judgedSegments(readable);
      if (judged.length === 0) return ruled;
      const texts = [joinReadable(readable), ...judged.map(({ text }) => text)];
      const [whole = [], ...alone] = await lazy.use((model) => model.read(texts, signal));
      const judge = (head: string, item: QualityItem): QualityItem => judgeItem(settings, { head, item: item.item, whole, alone, judged }) ?? item;
      const heads = ruled.quality.heads.map(({ head, items }): QualityHead => ({ head, items: items.map((item) => judge(head, item)) }));
      return { quality: { heads } };
    },
    load: () => lazy.use(async () => {}),
    close: () => lazy.close(),
  };
}

/** The counsellor is judged; of a recording of one channel, whoever speaks. */
function judgedSegments(readable: readonly ReadableSegment[]): readonly ReadableSegment[] {
  const byCounsellor = readable.filter(({ segment }) => segment.channel === "agent");
  return byCounsellor.length > 0 ? byCounsellor : readable.filter(({ segment }) => segment.channel === "mixed");
}

interface JudgedItem {
  readonly head: string;
  readonly item: string;
  readonly whole: readonly ReadPart[];
  /** Of each judged segment by itself. */
  readonly alone: readonly (readonly ReadPart[])[];
  readonly judged: readonly ReadableSegment[];
}

/** Undefined when the model does not know the item. */
function judgeItem({ heads }: HeadsSettings, { head, item, whole, alone, judged }: JudgedItem): QualityItem | undefined {
  const at = heads.findIndex((one) => one.head === head && one.labels.includes(item));
  const settings = heads[at];
  if (settings === undefined) return undefined;
  const column = settings.labels.indexOf(item);
  const scoreOf = (parts: readonly ReadPart[]): number => sigmoid(meanLogits(parts)[at]?.[column] ?? 0, settings.temperature);
  const score = scoreOf(countingParts(settings, whole, scoreOf));
  if (Math.max(score, 1 - score) < settings.threshold) return { item, mark: "not_enough_evidence", score: 0, evidence: [] };
  if (score >= 0.5) return { item, mark: "met", score, evidence: carryingEvidence(judged, alone.map(scoreOf)) };
  return { item, mark: "not_met", score: 1 - score, evidence: lookedForIn(settings, judged) };
}

function countingParts({ judged_on: place }: HeadSettings, parts: readonly ReadPart[], scoreOf: (parts: readonly ReadPart[]) => number): readonly ReadPart[] {
  if (place === "start") return parts.slice(0, 1);
  if (place === "end") return parts.slice(-1);
  if (place === "whole") return parts;
  return [...parts].sort((one, other) => scoreOf([other]) - scoreOf([one])).slice(0, 1);
}

/** What was left unsaid has no words of its own: where it should have stood is shown. */
function lookedForIn({ judged_on: place }: HeadSettings, judged: readonly ReadableSegment[]): readonly Evidence[] {
  const longest = [...judged].sort((one, other) => other.text.length - one.text.length);
  const [shown] = place === "start" ? judged : place === "end" ? judged.slice(-1) : longest;
  return shown === undefined || shown.segment.text === "" ? [] : [toEvidence(shown.segment, 0, shown.segment.text.length)];
}
