/** Tasks of recordings: ask for one, follow its events, cancel it, list what is in work. */
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import type { CallEventLog } from "../../calls/call-event-log.js";
import type { RecordingTask, RecordingTasks } from "../../calls/recording-tasks.js";
import { toWireAnalysis } from "../../protocol/http/analysis-schema.js";
import { shapeQuerySchema } from "../../protocol/http/model-schema.js";
import { openchsTaskSchema, toOpenchsTask } from "../../protocol/http/openchs-task-shape.js";
import { PROBLEM_RESPONSES } from "../../protocol/http/problem-schema.js";
import {
  activeTasksSchema,
  cancelledSchema,
  eventQuerySchema,
  lastEventHeaderSchema,
  pageQuerySchema,
  taskParametersSchema,
  taskSchema,
} from "../../protocol/http/recording-schema.js";
import { toWireCase } from "../../protocol/wire-case.js";
import type { EventStreams } from "../event-stream.js";
import { authorizedRequest } from "../plugins/access.js";
import { problemOfCode } from "../problem.js";

export interface TaskRoutesOptions {
  readonly tasks: RecordingTasks;
  readonly eventLog: CallEventLog;
  readonly streams: EventStreams;
}

const tags = ["recordings"];
const config = { permission: "task:read" as const };

export async function taskRoutes(app: FastifyInstance, options: TaskRoutesOptions): Promise<void> {
  const { tasks } = options;
  const routes = app.withTypeProvider<ZodTypeProvider>();
  routes.get(
    "/audio/task/:id",
    {
      config,
      schema: {
        ...{ tags, summary: "A task, with its analysis when it is done", params: taskParametersSchema, querystring: shapeQuerySchema },
        response: { 200: z.union([taskSchema, openchsTaskSchema]), ...PROBLEM_RESPONSES },
      },
    },
    async (request) => {
      const task = await tasks.get(authorizedRequest(request, "task:read"), request.params.id);
      return request.query.shape === "openchs" ? toOpenchsTask(task, Date.now()) : toWireTask(task);
    },
  );
  routes.delete(
    "/audio/task/:id",
    {
      config: { permission: "task:cancel" },
      schema: { tags, summary: "Cancel a queued or running task", params: taskParametersSchema, response: { 200: cancelledSchema, ...PROBLEM_RESPONSES } },
    },
    async (request) => ({ task_id: request.params.id, status: await tasks.cancel(authorizedRequest(request, "task:cancel"), request.params.id) }),
  );
  routes.get(
    "/audio/tasks/active",
    {
      config,
      schema: {
        tags,
        summary: "Queued and running tasks, newest first",
        querystring: pageQuerySchema,
        response: { 200: activeTasksSchema, ...PROBLEM_RESPONSES },
      },
    },
    async (request) => {
      const { cursor, limit } = request.query;
      const found = await tasks.listActive(authorizedRequest(request, "task:read"), { limit: limit + 1, ...(cursor === undefined ? {} : { before: cursor }) });
      const page = found.slice(0, limit);
      return { items: page.map((task) => toWireTask({ ...task, stages: [] })), next_cursor: found.length > limit ? (page.at(-1)?.taskId ?? null) : null };
    },
  );
  eventRoute(app, options);
}

function eventRoute(app: FastifyInstance, { eventLog, streams }: TaskRoutesOptions): void {
  app.withTypeProvider<ZodTypeProvider>().get(
    "/audio/task/:id/events",
    {
      config,
      compress: false,
      schema: {
        tags,
        summary: "The events of a task's call, as server-sent events",
        description:
          "Each event has its number in the call as id; a client that lost the connection goes on with the header Last-Event-ID (or ?after=). " +
          "The stream ends with the task. 204: the task has ended and there is nothing new. docs/events.md has the types.",
        params: taskParametersSchema,
        querystring: eventQuerySchema,
        headers: lastEventHeaderSchema,
        response: { 200: z.string().meta({ contentMediaType: "text/event-stream" }), 204: z.null(), ...PROBLEM_RESPONSES },
      },
    },
    async (request, reply) => {
      const reader = authorizedRequest(request, "task:read");
      const afterSeq = request.headers["last-event-id"] ?? request.query.after;
      return streams.send(request, reply, (signal) => eventLog.follow(reader, { taskId: request.params.id, afterSeq, signal }));
    },
  );
}

function toWireTask({ result, errorCode, ...task }: RecordingTask): z.infer<typeof taskSchema> {
  return {
    ...(toWireCase(task) as Omit<z.infer<typeof taskSchema>, "result" | "error">),
    ...(result === undefined ? {} : { result: toWireAnalysis(result) }),
    ...(errorCode === undefined ? {} : { error: problemOfCode(errorCode) }),
  };
}
