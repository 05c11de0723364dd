/** Questions to single models with their answers, all sealed under a key of the task's own. */
import type { AskableTask, ModelAnswer, ModelQuestion } from "../../core/model-answer.js";
import type { CallSealer, SealedText, SealerFactory } from "../../security/sealing/sealed-text.js";
import type { AppDatabase } from "../database.js";
import type { ModelTaskTable } from "../schema.js";
import { executorOf, type UnitOfWork } from "../unit-of-work.js";

export interface ModelTaskRecord {
  readonly taskId: string;
  readonly modelTask: AskableTask;
  /** Who asked; nobody else gets the answer. */
  readonly actorId: string;
  readonly question: ModelQuestion;
  readonly answer: ModelAnswer | null;
  /** Of a speech task: where its sound lies, and as what. */
  readonly audio: { readonly audioKey: string; readonly container: string } | null;
  readonly createdAtMs: number;
}

export interface NewModelTask extends Omit<ModelTaskRecord, "answer" | "modelTask"> {
  /** 32 bytes; sound of the task is encrypted under it too. */
  readonly key: Buffer;
}

export interface ModelTaskRepository {
  insertTask(task: NewModelTask, unitOfWork: UnitOfWork): Promise<void>;
  /** With the key its sound is encrypted under. */
  findTask(taskId: string): Promise<{ readonly task: ModelTaskRecord; readonly audioKeyBytes: Buffer } | undefined>;
  /** The sound is of no more use once there is an answer: it is forgotten here and may be removed. */
  saveAnswer(taskId: string, answer: ModelAnswer): Promise<void>;
  /** The task will have no answer: its sound is forgotten. @returns the sound's key in the audio store, if there was any */
  forgetAudio(taskId: string): Promise<string | null>;
  /** True while a task refers to it. */
  usesAudio(audioKey: string): Promise<boolean>;
  /** At most `limit`, oldest first. */
  listOlderThan(atMs: number, limit: number): Promise<readonly { readonly taskId: string; readonly audioKey: string | null }[]>;
  removeTasks(taskIds: readonly string[], unitOfWork: UnitOfWork): Promise<void>;
}

/** Questions and answers are sealed; which model was asked, by which key, and when, is not. */
export function createModelTaskRepository(options: { readonly database: AppDatabase; readonly sealers: SealerFactory }): ModelTaskRepository {
  const { database, sealers } = options;
  return {
    async insertTask({ taskId, actorId, question, audio, createdAtMs, key }, unitOfWork) {
      const wrappedKey = sealers.wrap(taskId, key);
      await executorOf(database, unitOfWork)
        .insertInto("model_task")
        .values({
          task_id: taskId,
          model_task: question.modelTask,
          actor_id: actorId,
          wrapped_key: wrappedKey,
          question_sealed: sealers.open(taskId, wrappedKey).seal("question", JSON.stringify(question)),
          answer_sealed: null,
          audio_key: audio?.audioKey ?? null,
          container: audio?.container ?? null,
          created_at_ms: createdAtMs,
        })
        .execute();
    },
    async findTask(taskId) {
      const row = await database.sql.selectFrom("model_task").selectAll().where("task_id", "=", taskId).executeTakeFirst();
      if (row === undefined) return undefined;
      const sealer = sealers.open(taskId, row.wrapped_key);
      return { task: toTask(row, sealer), audioKeyBytes: sealer.audioKey };
    },
    async saveAnswer(taskId, answer) {
      const row = await database.sql.selectFrom("model_task").select("wrapped_key").where("task_id", "=", taskId).executeTakeFirst();
      if (row === undefined) return;
      const answer_sealed: SealedText = sealers.open(taskId, row.wrapped_key).seal("answer", JSON.stringify(answer));
      await database.sql.updateTable("model_task").set({ answer_sealed, audio_key: null, container: null }).where("task_id", "=", taskId).execute();
    },
    async forgetAudio(taskId) {
      const row = await database.sql.selectFrom("model_task").select("audio_key").where("task_id", "=", taskId).executeTakeFirst();
      await database.sql.updateTable("model_task").set({ audio_key: null, container: null }).where("task_id", "=", taskId).execute();
      return row?.audio_key ?? null;
    },
    async usesAudio(audioKey) {
      return (await database.sql.selectFrom("model_task").select("task_id").where("audio_key", "=", audioKey).executeTakeFirst()) !== undefined;
    },
    async listOlderThan(atMs, limit) {
      const rows = await database.sql
        .selectFrom("model_task")
        .select(["task_id", "audio_key"])
        .where("created_at_ms", "<", atMs)
        .orderBy("created_at_ms")
        .orderBy("task_id")
        .limit(limit)
        .execute();
      return rows.map((row) => ({ taskId: row.task_id, audioKey: row.audio_key }));
    },
    async removeTasks(taskIds, unitOfWork) {
      if (taskIds.length === 0) return;
      await executorOf(database, unitOfWork)
        .deleteFrom("model_task")
        .where("task_id", "in", [...taskIds])
        .execute();
    },
  };
}

function toTask(row: ModelTaskTable, sealer: CallSealer): ModelTaskRecord {
  return {
    taskId: row.task_id,
    modelTask: row.model_task as AskableTask,
    actorId: row.actor_id,
    question: JSON.parse(sealer.open("question", row.question_sealed)) as ModelQuestion,
    answer: row.answer_sealed === null ? null : (JSON.parse(sealer.open("answer", row.answer_sealed)) as ModelAnswer),
    audio: row.audio_key === null || row.container === null ? null : { audioKey: row.audio_key, container: row.container },
    createdAtMs: row.created_at_ms,
  };
}
