/** Turns anything thrown into a problem document; nothing of the cause gets out. */
import { STATUS_CODES } from "node:http";
import { ERROR_CATALOGUE } from "../core/error-catalogue.js";
import { AppError, type ErrorCode, toAppError } from "../core/errors.js";
import type { Problem } from "../protocol/http/problem-schema.js";
import { ERROR_STATUS } from "./error-status.js";

/** The problem document of an error code on its own, e.g. of a job that failed. */
export function problemOfCode(code: ErrorCode): Problem {
  const { meaning, remedy } = ERROR_CATALOGUE[code];
  return toProblem(new AppError(code, `${meaning} ${remedy}`));
}

export function toProblem(error: AppError): Problem {
  const status = ERROR_STATUS[error.code];
  return {
    type: `urn:openchs-ai:error:${error.code}`,
    title: STATUS_CODES[status] ?? "Error",
    status,
    detail: error.safeMessage,
    code: error.code,
    ...(Object.keys(error.details).length === 0 ? {} : { details: error.details as NonNullable<Problem["details"]> }),
  };
}

/** What Fastify and its plugins throw, in our codes. */
export function fromFrameworkError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  const { validation, validationContext, statusCode, code } = thrown as {
    validation?: readonly { readonly instancePath?: string; readonly message?: string }[];
    validationContext?: string;
    statusCode?: number;
    code?: string;
  };
  if (validation !== undefined) {
    const fields = validation.map(
      ({ instancePath = "", message = "is wrong" }) => `${validationContext ?? "request"}${instancePath.replaceAll("/", ".")}: ${message}`,
    );
    return new AppError("GATEWAY_BAD_REQUEST", "The request does not have the form this path takes; 'details' names the fields.", {
      details: { fields },
      cause: thrown,
    });
  }
  if (statusCode === 415 || code === "FST_INVALID_MULTIPART_CONTENT_TYPE") {
    return new AppError("GATEWAY_UNSUPPORTED_MEDIA_TYPE", "This path does not take a body of this type; /docs says which it takes.", { cause: thrown });
  }
  if (statusCode === 413) return new AppError("GATEWAY_BODY_TOO_LARGE", "The request is larger than this path takes.", { cause: thrown });
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new AppError("GATEWAY_BAD_REQUEST", "The request can't be read: it is malformed or was cut off.", { cause: thrown });
  }
  return toAppError(thrown);
}
