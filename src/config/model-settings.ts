/** The settings of models: where they come from, what they run on, and who else is asked. */
import { CHAT_TASKS, MODEL_TASKS } from "../core/model-task.js";
import type { SettingDefinition } from "./setting-definition.js";

/** By variable; a part of `SETTINGS`. */
export const MODEL_SETTINGS: Readonly<Record<string, SettingDefinition>> = {
  MODELS_DIR: {
    path: "inference.modelsDirectory",
    rule: "a directory path",
    purpose: "Where installed models lie; `openchs-ai models` puts them there. Default: `models` under DATA_DIR.",
  },
  MODEL_PROCESSES: { path: "inference.processes", defaultText: "0", rule: "0 to 64", purpose: "Model processes; 0 means one per core." },
  MODEL_DEVICE: {
    path: "inference.device",
    defaultText: "auto",
    rule: "auto, cpu or cuda",
    purpose:
      "What installed models run on: `auto` takes an NVIDIA GPU when onnxruntime was installed with CUDA. A GPU that fails leaves the work to the processor.",
  },
  MODEL_MEMORY_MB: {
    path: "inference.memoryMb",
    defaultText: "0",
    rule: "0 to 10000000",
    purpose:
      "Memory that installed models may take in one model process; one that has no room leaves the work to the next engine. 0: as much as the machine has.",
  },
  MODEL_IDLE_MS: {
    path: "inference.idleMs",
    defaultText: "1800000",
    rule: "0 to 604800000",
    purpose: "An installed model without work for so long is let go until it is needed again. 0: it stays.",
  },
  MODEL_PRELOAD: {
    path: "inference.preload",
    defaultText: "speech",
    rule: `of ${MODEL_TASKS.join(", ")}, separated by commas`,
    purpose: "Tasks whose model is loaded when the service starts, so that the first call does not wait for it.",
  },
  MODEL_MAX_WAITING: {
    path: "inference.maxWaiting",
    defaultText: "1000",
    rule: "1 to 100000",
    purpose: "Model requests that may wait before more are refused.",
  },
  REMOTE_SPEECH_URL: {
    path: "remote.speechUrl",
    rule: "a URL",
    purpose:
      "A server with OpenAI's /audio/transcriptions on the helpline's own network, such as `http://10.0.0.5:8000/v1`: it hears calls before any installed engine does. Their sound goes there. Unset: none.",
  },
  REMOTE_SPEECH_MODEL: { path: "remote.speechModel", defaultText: "whisper-1", rule: "a name", purpose: "The model that server is asked for." },
  REMOTE_CHAT_URL: {
    path: "remote.chatUrl",
    rule: "a URL",
    purpose:
      "A server with OpenAI's /chat/completions and JSON schemas on the helpline's own network (vLLM, llama.cpp, Ollama): it reads calls that have ended before any installed engine does. Their text goes there. Unset: none.",
  },
  REMOTE_CHAT_MODEL: { path: "remote.chatModel", defaultText: "default", rule: "a name", purpose: "The model that server is asked for." },
  REMOTE_CHAT_TASKS: {
    path: "remote.chatTasks",
    defaultText: "translation,classification,summary,quality,question_answering",
    rule: `of ${CHAT_TASKS.join(", ")}, separated by commas`,
    purpose: "What that server does.",
  },
  REMOTE_CHAT_TIMEOUT_MS: {
    path: "remote.chatTimeoutMs",
    defaultText: "35000",
    rule: "100 to 38000",
    purpose: "How long one of its answers may take; three are tried within the two minutes that a part of an analysis may take.",
  },
  REMOTE_CHAT_MAX_CHARACTERS: {
    path: "remote.chatMaxCharacters",
    defaultText: "24000",
    rule: "500 to 10000000",
    purpose: "Longer calls are left to the next engine: as many as the server's context holds, at about four characters a token.",
  },
  REMOTE_API_KEY_FILE: { path: "remote.apiKeyFile", rule: "a file path", purpose: "Key for these servers, if they want one." },
  REMOTE_TIMEOUT_MS: {
    path: "remote.timeoutMs",
    defaultText: "20000",
    rule: "100 to 600000",
    purpose: "How long one of its answers may take; three are tried.",
  },
  HF_ENDPOINT: {
    path: "hub.endpoint",
    defaultText: "https://huggingface.co",
    rule: "a URL",
    purpose: "The hub, or a mirror of it, that `openchs-ai models pull` asks. Nothing else ever does.",
  },
  HF_TOKEN: { path: "hub.token", rule: "a token of the hub", purpose: "For models that are gated or private. Goes to the hub only." },
  HF_HUB_OFFLINE: { path: "hub.isOffline", defaultText: "0", rule: "0 or 1", purpose: "1: `models pull` refuses to use the network." },
  WHISPER_WINDOW_MARGIN: {
    path: "inference.whisperWindowMargin",
    defaultText: "128",
    rule: "0 to 1500",
    purpose:
      "Silence after the speech of a live Whisper window, in steps of 20 ms: less is faster, too little repeats words; 1500 makes every window 30 s. Recordings always get 30 s.",
  },
  WHISPER_PREVIOUS_TEXT: {
    path: "inference.whisperPreviousText",
    defaultText: "true",
    rule: "true or false",
    purpose: "Utterances of a recording are heard with what was said before them, unless that was doubtful. Live windows never are.",
  },
  GLOSSARY_FILE: {
    path: "inference.glossaryFile",
    rule: "a file path",
    purpose: "Words that Whisper shall expect, one a line, the most important first: places, organisations, names of your own. About 30 have room.",
  },
  TAXONOMY: {
    path: "cases.taxonomy",
    defaultText: "openchs",
    rule: "openchs, kenya, tanzania, or the path of a JSON file",
    purpose:
      "The categories and interventions cases are sorted by: the builtin list, the Kenyan or Tanzanian statutory one, or your own (data/README.md says how one is written).",
  },
  CASE_FORM_FILE: {
    path: "cases.formFile",
    rule: "a file path",
    purpose: "Questions that are asked of every call, in place of `data/questions/case-form.json`, which shows how they are written.",
  },
  SPEECH_ENGINE: {
    path: "inference.speechEngine",
    defaultText: "auto",
    rule: "auto or an installed engine",
    purpose: "Which speech engine to use; `auto` takes the best installed.",
  },
};
