/** What a directory of model files holds, told by its `config.json`, and which of its files are needed to run it. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { AppError } from "../../core/errors.js";
import type { ModelTask } from "../../core/model-task.js";
import { HEADS_FILE, headsOf, SERVICE_LABEL_FILES } from "./head-files.js";
import { DTYPE_SUFFIXES, DTYPES, type Dtype, type InstalledEngine } from "./model-manifest.js";

export interface ModelKind {
  readonly task: ModelTask;
  readonly engine: InstalledEngine;
  readonly dtype: Dtype;
  /** Relative paths, all of them there. */
  readonly files: readonly string[];
}

/** What tells what a model is: read before its other files are copied or fetched, as far as they are there. */
export const TELLING_FILES: readonly string[] = ["config.json", "tokenizer.json", HEADS_FILE, ...Object.keys(SERVICE_LABEL_FILES)];

/** What those files say. */
interface Told {
  readonly type: string;
  readonly architectures: readonly string[];
  /** In lower case. */
  readonly labels: readonly string[];
  readonly heads: ReturnType<typeof headsOf>;
  readonly serviceLabelFiles: readonly string[];
  /** Its tokens name languages, such as `<2sw>`. */
  readonly hasLanguageTokens: boolean;
}

interface KindRule {
  readonly task: ModelTask;
  readonly engine: InstalledEngine;
  readonly settings: readonly string[];
  /** Sets of graphs, of which one must be whole; the first that is there is taken. */
  readonly graphs: readonly (readonly string[])[];
}

const TOKENIZER_FILES = ["tokenizer.json", "tokenizer_config.json"] as const;
const DECODED_GRAPHS = [
  ["encoder_model", "decoder_model_merged"],
  ["encoder_model", "decoder_model", "decoder_with_past_model"],
] as const;
const DECODED_FILES = ["config.json", "generation_config.json", ...TOKENIZER_FILES] as const;
const ENCODED = { settings: ["config.json", ...TOKENIZER_FILES], graphs: [["model"]] } as const;

const configSchema = z.looseObject({
  model_type: z
    .string()
    .nullish()
    .transform((type) => type ?? ""),
  architectures: z
    .array(z.string())
    .nullish()
    .transform((names) => names ?? []),
  id2label: z
    .record(z.string(), z.string())
    .nullish()
    .transform((labels) => Object.values(labels ?? {})),
});

/**
 * @param wanted - how the weights shall be stored; undefined: the best for this machine that is there
 * @throws AppError `MODEL_FILES_INVALID` naming what is missing
 */
export async function recognizeModel(directory: string, wanted: Dtype | undefined): Promise<ModelKind> {
  return recognizeFiles(directory, new Set(await listFiles(directory)), wanted);
}

/** @param directory - holds its telling files at least. @param present - relative paths of what there is or can be had */
export async function recognizeFiles(directory: string, present: ReadonlySet<string>, wanted: Dtype | undefined): Promise<ModelKind> {
  const rule = ruleFor(await readTold(directory));
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

/** A model's own word for what it does comes first: `heads.json` says more than an architecture's name. */
function ruleFor({ type, architectures, labels, heads, serviceLabelFiles, hasLanguageTokens }: Told): KindRule {
  const isFor = (ending: string): boolean => architectures.some((name) => name.endsWith(ending));
  if (heads !== undefined) {
    return { task: heads.task, engine: "text-classification", graphs: ENCODED.graphs, settings: [...ENCODED.settings, HEADS_FILE, ...heads.labelFiles] };
  }
  if (serviceLabelFiles.length > 0) {
    return { task: "classification", engine: "text-classification", graphs: ENCODED.graphs, settings: [...ENCODED.settings, ...serviceLabelFiles] };
  }
  if (type === "whisper") return { task: "speech", engine: "whisper", graphs: DECODED_GRAPHS, settings: [...DECODED_FILES, "preprocessor_config.json"] };
  const isTranslator = ["marian", "m2m_100"].includes(type) || (["t5", "mt5"].includes(type) && hasLanguageTokens);
  if (isTranslator) return { task: "translation", engine: "seq2seq", graphs: DECODED_GRAPHS, settings: DECODED_FILES };
  if (["t5", "mt5", "bart"].includes(type)) return { task: "summary", engine: "seq2seq", graphs: DECODED_GRAPHS, settings: DECODED_FILES };
  if (isFor("ForTokenClassification")) return { task: "entities", engine: "token-classification", ...ENCODED };
  if (isFor("ForQuestionAnswering")) return { task: "question_answering", engine: "question-answering", ...ENCODED };
  const isInference = ["entail", "contra"].every((start) => labels.some((label) => label.startsWith(start)));
  if (isFor("ForSequenceClassification") && isInference) return { task: "classification", engine: "zero-shot", ...ENCODED };
  if (isFor("ForSequenceClassification"))
    throw invalid("Nothing tells what the model's labels mean here: write a heads.json beside its config.json (docs/models.md).");
  throw invalid(
    "The config.json is not that of a model this version can run: Whisper, translation (Marian, M2M100, NLLB, MADLAD), summary (T5, BART), token classification, classification with heads.json, natural language inference, question answering.",
  );
}

async function readTold(directory: string): Promise<Told> {
  const read = (name: string): Promise<string | undefined> => readFile(join(directory, name), "utf8").catch(() => undefined);
  const text = await read("config.json");
  if (text === undefined) throw invalid("There is no readable config.json; give the directory that holds the model's files.");
  const config = configSchema.safeParse(parseJson(text));
  if (!config.success) throw invalid("The config.json is not that of a model.");
  const heads = await read(HEADS_FILE);
  if (heads !== undefined && headsOf(parseJson(heads)) === undefined) throw invalid("Its heads.json is not of the form that docs/models.md shows.");
  const labelFiles = await Promise.all(Object.keys(SERVICE_LABEL_FILES).map(async (name) => ((await read(name)) === undefined ? [] : [name])));
  return {
    type: config.data.model_type,
    architectures: config.data.architectures,
    labels: config.data.id2label.map((label) => label.toLowerCase()),
    heads: heads === undefined ? undefined : headsOf(parseJson(heads)),
    serviceLabelFiles: labelFiles.flat(),
    hasLanguageTokens: /"<2[a-z]{2,3}>"/u.test((await read("tokenizer.json")) ?? ""),
  };
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
