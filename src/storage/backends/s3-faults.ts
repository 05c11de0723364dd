/** What went wrong with an object store, in our words: no key, no address, nothing that the server said goes into them. */
import { AppError } from "../../core/errors.js";

interface Fault {
  readonly name?: string;
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

const CREDENTIALS = ["InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken", "InvalidClientTokenId", "XAdminUserNotFound"];
const OTHER_REGION = ["PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"];
const UNTRUSTED = /CERT|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/u;

const faultOf = (error: unknown): Fault => (typeof error === "object" && error !== null ? error : {});

/** There is no such object; a bucket that is missing is another fault. */
export function isMissingObject(error: unknown): boolean {
  const { name, $metadata } = faultOf(error);
  return name === "NoSuchKey" || (name === "NotFound" && $metadata?.httpStatusCode === 404);
}

/** The object ends before the range that was asked for begins. */
export function isRangePastEnd(error: unknown): boolean {
  const { name, $metadata } = faultOf(error);
  return name === "InvalidRange" || $metadata?.httpStatusCode === 416;
}

/** @returns a `STORAGE_*` error; `retryable` where waiting may help */
export function toObjectStoreError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const { name = "", code = "", $metadata } = faultOf(error);
  const status = $metadata?.httpStatusCode;
  const lasting = (message: string): AppError => new AppError("STORAGE_UNAVAILABLE", message, { cause: error });
  if (status === 507 || /QuotaExceeded|StorageFull|InsufficientStorage/u.test(name))
    return new AppError("STORAGE_FULL", "The object store is full: free space there or raise its quota, then try again.", { retryable: true, cause: error });
  if (name === "NoSuchBucket") return lasting("The bucket of AUDIO_STORE_URL does not exist: make it, or correct the URL.");
  if (CREDENTIALS.includes(name))
    return lasting("The object store does not know the credentials: check S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY (or its _FILE).");
  if (name === "RequestTimeTooSkewed") return lasting("The object store refuses us because the clocks differ: set the time of this machine or of the store.");
  if (OTHER_REGION.includes(name) || status === 301) return lasting("The bucket is in another region: check S3_REGION and S3_ENDPOINT.");
  if (status === 401 || status === 403)
    return lasting(
      "The object store refuses access: allow this key to list the bucket and to get, put and delete objects under the prefix of AUDIO_STORE_URL.",
    );
  if (UNTRUSTED.test(code)) return lasting("The certificate of the object store is not trusted: name its authority in NODE_EXTRA_CA_CERTS, or mend it.");
  if (status === undefined || status >= 500 || status === 408 || status === 429)
    return new AppError(
      "STORAGE_UNAVAILABLE",
      "The object store does not answer or can't do this now: check that S3_ENDPOINT can be reached, then try again.",
      {
        retryable: true,
        cause: error,
      },
    );
  return lasting("The object store refused the request: check that it speaks S3 and what its own log says.");
}
