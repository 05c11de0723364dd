/**
 * Uploads as forms: files are handed on as they come in, text fields are kept, and what was received is given back when
 * the form turns out wrong. A place is held for each upload, and one in which nothing arrives is cut.
 */
import { finished, PassThrough, type Readable } from "node:stream";
import type { FastifyRequest } from "fastify";
import type { z } from "zod";
import { AppError, toAppError } from "../core/errors.js";
import type { Metrics } from "../observability/metrics.js";

export interface UploadPlacesOptions {
  readonly metrics: Metrics;
  readonly uploadsAtOnce: number;
  readonly uploadIdleTimeoutMs: number;
}

/** Places for uploads, shared by every path that takes one. */
export interface UploadPlaces {
  /** Runs `receive` in a place. @throws AppError `GATEWAY_UPLOADS_BUSY` when all are taken */
  hold<T>(request: FastifyRequest, receive: () => Promise<T>): Promise<T>;
}

/** All of them free. */
export function createUploadPlaces({ metrics, uploadsAtOnce, uploadIdleTimeoutMs }: UploadPlacesOptions): UploadPlaces {
  let running = 0;
  return {
    async hold(request, receive) {
      if (running >= uploadsAtOnce) {
        metrics.rateLimited.inc({ reason: "uploads" });
        const details = { retryAfterSeconds: 5 };
        throw new AppError("GATEWAY_UPLOADS_BUSY", "Too many uploads are running; try again when Retry-After says.", { retryable: true, details });
      }
      running++;
      const { socket } = request.raw;
      const cut = (): void => void socket.destroy();
      socket.setTimeout(uploadIdleTimeoutMs).once("timeout", cut);
      try {
        return await receive();
      } finally {
        socket.setTimeout(0).off("timeout", cut);
        running--;
      }
    },
  };
}

/** Text fields by name, as they were sent. */
export type FormFields = Readonly<Record<string, unknown>>;

export interface FormReceiver<Received> {
  readonly fileFields: readonly string[];
  readonly maxBytes: number;
  /** `fields`: those that came before the file. `fileName` is a hint of the sender's and may hold anything. */
  receive(content: Readable, fields: FormFields, fileName: string): Promise<Received>;
  discard(received: Received): Promise<void>;
}

/** Form fields and part headers on top of the audio. */
const FORM_OVERHEAD_BYTES = 65_536;

/**
 * Reads a form with one file.
 *
 * @throws AppError `GATEWAY_BAD_REQUEST`, `GATEWAY_UNSUPPORTED_MEDIA_TYPE`, `AUDIO_TOO_LARGE`, and what `receive` throws
 */
export async function readOneFile<Received>(
  request: FastifyRequest,
  receiver: FormReceiver<Received>,
): Promise<{ readonly received: Received; readonly fields: FormFields }> {
  if (Number(request.headers["content-length"] ?? 0) > receiver.maxBytes + FORM_OVERHEAD_BYTES) throw tooLarge(receiver.maxBytes);
  const [fileField = "file"] = receiver.fileFields;
  const oneFile = new AppError("GATEWAY_BAD_REQUEST", `Send one file, in the field named ${fileField}.`);
  const fields: Record<string, unknown> = {};
  let received: Received | undefined;
  try {
    for await (const part of formParts(request, fileField)) {
      if (part.type === "field") fields[part.fieldname] = part.value;
      else if (receiver.fileFields.includes(part.fieldname) && received === undefined) received = await receiver.receive(part.file, fields, part.filename);
      else throw oneFile;
    }
    if (received === undefined) throw new AppError("GATEWAY_BAD_REQUEST", `The form has no file: send the recording in the field named ${fileField}.`);
    return { received, fields };
  } catch (error) {
    if (received !== undefined) await receiver.discard(received);
    throw toFormError(error);
  }
}

/** One file of many: received, or refused on its own. */
export type FileOutcome<Received> = { readonly fileName: string } & ({ readonly received: Received } | { readonly error: AppError });

/**
 * Reads a form with many files; one that is refused is read past and the next one taken.
 *
 * @throws AppError `GATEWAY_BAD_REQUEST`, `GATEWAY_UNSUPPORTED_MEDIA_TYPE`; what was received is discarded then
 */
export async function readManyFiles<Received>(
  request: FastifyRequest,
  receiver: FormReceiver<Received>,
): Promise<{ readonly files: readonly FileOutcome<Received>[]; readonly fields: FormFields }> {
  const [fileField = "file"] = receiver.fileFields;
  const fields: Record<string, unknown> = {};
  const files: FileOutcome<Received>[] = [];
  try {
    for await (const part of formParts(request, fileField)) {
      if (part.type === "field") fields[part.fieldname] = part.value;
      else files.push({ fileName: part.filename, ...(await receiveOrRefuse(receiver, part, fields)) });
    }
    if (files.length === 0) throw new AppError("GATEWAY_BAD_REQUEST", `The form has no file: send each recording in a field named ${fileField}.`);
    return { files, fields };
  } catch (error) {
    for (const file of files) if ("received" in file) await receiver.discard(file.received);
    throw toFormError(error);
  }
}

async function receiveOrRefuse<Received>(
  receiver: FormReceiver<Received>,
  part: { readonly fieldname: string; readonly filename: string; readonly file: Readable },
  fields: FormFields,
): Promise<{ readonly received: Received } | { readonly error: AppError }> {
  const content = readableToTheEnd(part.file);
  try {
    if (!receiver.fileFields.includes(part.fieldname)) {
      throw new AppError("GATEWAY_BAD_REQUEST", `A file came in a field of another name than ${receiver.fileFields.join(" or ")}.`);
    }
    return { received: await receiver.receive(content, fields, part.filename) };
  } catch (error) {
    const refusal = toAppError(error);
    // The disk or the connection, and not this file: nothing after it would fare better.
    if (refusal.retryable || refusal.code === "INTERNAL") throw error;
    content.destroy();
    return { error: refusal };
  }
}

/** The rest of a part nobody wants is read all the same: the next part comes after it. */
function readableToTheEnd(file: Readable): PassThrough {
  const content = new PassThrough();
  finished(file, { writable: false }, (error) => {
    if (error !== null && error !== undefined) content.destroy(error);
  });
  content.once("close", () => file.unpipe(content).resume());
  return file.pipe(content);
}

function formParts(request: FastifyRequest, fileField: string) {
  if (!request.isMultipart()) {
    throw new AppError("GATEWAY_UNSUPPORTED_MEDIA_TYPE", `This path takes multipart/form-data with a file field named ${fileField}.`);
  }
  return request.parts();
}

function tooLarge(maxBytes: number): AppError {
  return new AppError(
    "AUDIO_TOO_LARGE",
    `The upload is larger than the ${Math.round(maxBytes / 1_048_576)} MB allowed; send a shorter or compressed recording.`,
  );
}

/** What the form's parser throws is the client's doing: malformed, cut off, or gone. */
function toFormError(error: unknown): unknown {
  const isOurs = error instanceof AppError || (error as NodeJS.ErrnoException).syscall !== undefined;
  return isOurs ? error : new AppError("GATEWAY_BAD_REQUEST", "The form can't be read: it is malformed, has too many parts, or was cut off.", { cause: error });
}

/** @throws AppError `GATEWAY_BAD_REQUEST` naming the fields that are wrong, never their values. */
export function parseFields<Schema extends z.ZodType>(schema: Schema, fields: FormFields): z.infer<Schema> {
  const parsed = schema.safeParse(fields);
  if (parsed.success) return parsed.data;
  const wrong = [...new Set(parsed.error.issues.map(({ path }) => String(path[0] ?? "form")))];
  throw new AppError("GATEWAY_BAD_REQUEST", "A form field is wrong; 'details' names it.", { details: { fields: wrong } });
}
