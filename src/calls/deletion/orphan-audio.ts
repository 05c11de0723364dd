/** Removes audio that neither a call nor a model task refers to: a crash between storing the audio and committing the call leaves them. */
import type { AudioStore } from "../../storage/audio-store.js";
import type { CallRepository } from "../../storage/repositories/call-repository.js";
import type { ModelTaskRepository } from "../../storage/repositories/model-task-repository.js";

/** Run at start, before uploads are taken. @returns how many were removed. */
export async function removeOrphanAudio(dependencies: {
  readonly audioStore: AudioStore;
  readonly calls: CallRepository;
  readonly modelTasks: ModelTaskRepository;
}): Promise<number> {
  let removed = 0;
  for (const audioKey of await dependencies.audioStore.list()) {
    if ((await dependencies.calls.findRecording(audioKey)) !== undefined || (await dependencies.modelTasks.usesAudio(audioKey))) continue;
    await dependencies.audioStore.remove(audioKey);
    removed++;
  }
  return removed;
}
