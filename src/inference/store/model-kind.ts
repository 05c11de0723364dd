/** What a directory of model files holds, told by its `config.json`, and which of its files are needed to run it. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { AppError } from "../../core/errors.js";
import type { ModelTask } from "../../core/model-task.js";
import { DTYPE_SUFFIXES, DTYPES, type Dtype, type InstalledEngine } from "./model-manifest.js";

export interface ModelKind {
  readonly task: ModelTask;
  readonly engine: InstalledEngine;
  readonly dtype: Dtype;
  /** Relative paths, all of them there. */
  readonly files: readonly string[];
}

interface KindRule {
  readonly task: ModelTask;
  readonly engine: InstalledEngine;
  readonly settings: readonly string[];
  /** Sets of graphs, of which one must be whole; the first that is there is taken. */
  readonly graphs: readonly (readonly string[])[];
  readonly matches: (config: { readonly model_type: string; readonly architectures: readonly string[] }) => boolean;
}

const TOKENIZER_FILES = ["tokenizer.json", "tokenizer_config.json"] as const;

const RULES: readonly KindRule[] = [
  {
    ...{ task: "speech", engine: "whisper" },
    settings: ["config.json", "generation_config.json", "preprocessor_config.json", ...TOKENIZER_FILES],
    graphs: [
      ["encoder_model", "decoder_model_merged"],
      ["encoder_model", "decoder_model", "decoder_with_past_model"],
    ],
    matches: ({ model_type }) => model_type === "whisper",
  },
  {
    ...{ task: "translation", engine: "seq2seq" },
    settings: ["config.json", "generation_config.json", ...TOKENIZER_FILES],
    graphs: [
      ["encoder_model", "decoder_model_merged"],
      ["encoder_model", "decoder_model", "decoder_with_past_model"],
    ],
    matches: ({ model_type }) => ["marian", "m2m_100", "t5", "mt5"].includes(model_type),
  },
  {
    ...{ task: "entities", engine: "token-classification" },
    settings: ["config.json", ...TOKENIZER_FILES],
    graphs: [["model"]],
    matches: ({ architectures }) => architectures.some((name) => name.endsWith("ForTokenClassification")),
  },
];

const configSchema = z.looseObject({
  model_type: z
    .string()
    .nullish()
    .transform((type) => type ?? ""),
  architectures: z
    .array(z.string())
    .nullish()
    .transform((names) => names ?? []),
});

/**
 * @param wanted - how the weights shall be stored; undefined: the best for this machine that is there
 * @throws AppError `MODEL_FILES_INVALID` naming what is missing
 */
export async function recognizeModel(directory: string, wanted: Dtype | undefined): Promise<ModelKind> {
  return recognizeFiles(directory, new Set(await listFiles(directory)), wanted);
}

/** @param directory - holds `config.json` at least. @param present - relative paths of what there is or can be had */
export async function recognizeFiles(directory: string, present: ReadonlySet<string>, wanted: Dtype | undefined): Promise<ModelKind> {
  const rule = await findRule(directory);
  const missing = rule.settings.filter((name) => !present.has(name));
  if (missing.length > 0) throw invalid(`The directory lacks ${missing.join(", ")}; copy the whole model.`);
  for (const dtype of wanted === undefined ? DTYPES : [wanted]) {
    const graphs = rule.graphs
      .map((names) => names.map((name) => `onnx/${name}${DTYPE_SUFFIXES[dtype]}.onnx`))
      .find((paths) => paths.every((path) => present.has(path)));
    if (graphs === undefined) continue;
    const weights = [...present].filter((path) => graphs.some((graph) => path.startsWith(`${graph}_data`)));
    return { task: rule.task, engine: rule.engine, dtype, files: [...rule.settings, ...graphs, ...weights] };
  }
  const asked = wanted === undefined ? `${DTYPES.join(", ")}` : wanted;
  const [names = []] = rule.graphs;
  throw invalid(`The directory has no whole set of graphs of type ${asked} under onnx/ (such as ${names.map((name) => `${name}.onnx`).join(" and ")}).`);
}

async function findRule(directory: string): Promise<KindRule> {
  const text = await readFile(join(directory, "config.json"), "utf8").catch(() => {
    throw invalid("There is no readable config.json; give the directory that holds the model's files.");
  });
  const config = configSchema.safeParse(parseJson(text));
  const rule = config.success ? RULES.find(({ matches }) => matches(config.data)) : undefined;
  if (rule === undefined)
    throw invalid("The config.json is not that of a model this version can run: Whisper, translation (Marian, M2M100, NLLB, MADLAD), or token classification.");
  return rule;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Of the directory itself and its `onnx/`; links count as what they lead to. */
async function listFiles(directory: string): Promise<readonly string[]> {
  const top = await readdir(directory).catch(() => []);
  const graphs = await readdir(join(directory, "onnx")).catch(() => []);
  return [...top, ...graphs.map((name) => `onnx/${name}`)];
}

function invalid(message: string): AppError {
  return new AppError("MODEL_FILES_INVALID", message);
}
