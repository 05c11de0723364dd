/** Health and model listings on the wire. */
import { z } from "zod";
import { MODEL_TASKS } from "../../core/model-task.js";

export const livenessSchema = z.object({ status: z.literal("ok") });

const checkSchema = z.object({ name: z.string(), status: z.enum(["ok", "degraded", "failed"]), detail: z.string() });

export const readinessSchema = z.object({ status: z.enum(["ready", "not_ready"]), checks: z.array(checkSchema) });

export const detailedHealthSchema = z.object({
  status: z.enum(["ok", "degraded", "failed"]),
  version: z.string(),
  uptime_ms: z.int(),
  checks: z.array(checkSchema),
});

export const engineSchema = z.object({
  task: z.enum(MODEL_TASKS),
  engine: z.string(),
  revision: z.string(),
  languages: z.array(z.string()),
  low_quality: z.boolean(),
  in_use: z.boolean().describe("the one that auto takes"),
});

export const modelsSchema = z.object({
  items: z.array(engineSchema),
  missing: z.array(z.enum(MODEL_TASKS)).describe("tasks no installed engine does"),
});

export const workersHealthSchema = z.object({
  status: z.enum(["ok", "degraded", "failed"]),
  model_processes: z.int().describe("of this process"),
  model_requests_waiting: z.int().describe("of this process"),
  job_consumers: z.int().describe("queues served by workers that run, here or elsewhere"),
  workers: z.object({ running: z.int(), draining: z.int(), stuck: z.int(), lost: z.int(), stopped: z.int() }),
});

export const resourcesSchema = z.object({
  cpu_cores: z.int(),
  memory_total_bytes: z.int(),
  memory_free_bytes: z.int(),
  process_memory_bytes: z.int(),
  model_processes_memory_bytes: z.int(),
  gpus: z.array(z.string()).describe("found, used or not"),
  model_device: z.enum(["cpu", "cuda"]).describe("what installed models run on"),
  data_directory_free_bytes: z.int(),
  event_loop_delay_p99_ms: z.number(),
});
