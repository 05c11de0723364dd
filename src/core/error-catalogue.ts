/**
 * Every error code of the product, what it means and what to do about it. Codes are stable and prefixed by the room
 * that throws them; docs/errors.md is made from this table.
 */

export const ERROR_CATALOGUE = {
  AUDIO_UNSUPPORTED_FORMAT: {
    meaning: "The file is not audio that can be read here, or has more than two channels.",
    remedy: "Send WAV, FLAC, MP3, OGG/Opus, M4A, WebM or AMR with one or two channels.",
  },
  AUDIO_EMPTY: {
    meaning: "The recording has no bytes or no samples.",
    remedy: "Check the export; record again.",
  },
  AUDIO_CORRUPT: {
    meaning: "The recording holds no readable audio.",
    remedy: "Export it again and retry.",
  },
  AUDIO_TOO_LARGE: {
    meaning: "The recording is larger or longer than allowed.",
    remedy: "Split or compress it, or raise AUDIO_MAX_BYTES or AUDIO_MAX_DURATION_MS.",
  },
  AUDIO_DECODER_MISSING: {
    meaning: "This format needs ffmpeg, which is not installed.",
    remedy: "Run: apt-get install ffmpeg",
  },
  AUDIO_DECODE_TIMEOUT: {
    meaning: "Decoding took too long and was stopped.",
    remedy: "The file may be damaged; export it again, or raise AUDIO_DECODE_TIMEOUT_MS.",
  },
  AUDIO_FILE_NOT_FOUND: {
    meaning: "The recording is not there any more.",
    remedy: "Nothing; it was deleted, or the audio store was changed by hand.",
  },
  AUTH_CREDENTIALS_MISSING: {
    meaning: "The request has no credentials.",
    remedy: "Send Authorization: Bearer with an API key or a token.",
  },
  AUTH_CREDENTIALS_INVALID: {
    meaning: "The API key is unknown, revoked or mistyped, or the token is not valid.",
    remedy: "Make a key with: openchs-ai keys create; or sign in again.",
  },
  AUTH_KEYS_UNAVAILABLE: {
    meaning: "The keys that tokens are verified with can't be had.",
    remedy: "Check JWT_JWKS_FILE or that the address of JWT_JWKS_URL answers; API keys work meanwhile.",
  },
  AUTH_PERMISSION_DENIED: {
    meaning: "The key's role may not do this.",
    remedy: "Use a key of another role; docs/operations.md has the table.",
  },
  AUDIT_SINK_UNAVAILABLE: {
    meaning: "The audit log can't be written, so the action was refused.",
    remedy: "Check the data directory's disk.",
  },
  AUDIT_CHAIN_BROKEN: {
    meaning: "An audit record was changed, removed or added outside the service.",
    remedy: "Compare with a backup; find out who can write the database.",
  },
  CALL_NOT_FOUND: {
    meaning: "There is no such call.",
    remedy: "Check the id.",
  },
  CALL_BATCH_NOT_FOUND: {
    meaning: "There is no such batch.",
    remedy: "Check the id.",
  },
  CALL_BATCH_REFUSED: {
    meaning: "No file of the batch could be taken in.",
    remedy: "'details' has the code of each file, in order.",
  },
  CALL_NOT_ANALYSED: {
    meaning: "The call has no finished analysis, or not yet.",
    remedy: "Wait for its task; if that has failed, its error says why.",
  },
  CALL_NOT_TRANSCRIBED: {
    meaning: "The call has no transcript, or not yet.",
    remedy: "Wait for its analysis; if that has ended, its stages say why there is none.",
  },
  CALL_ON_LEGAL_HOLD: {
    meaning: "The call is on legal hold and can't be deleted.",
    remedy: "Lift the hold first; who set it is in the audit log.",
  },
  CALL_SEARCH_OFF: {
    meaning: "What was said can't be searched here: text search is turned off.",
    remedy: "Filter the list of calls instead, or have the service started with TEXT_SEARCH=true.",
  },
  CALL_SEARCH_UNCLEAR: {
    meaning: "The search has no word, or one that is not searched for.",
    remedy: "Search for whole words of 3 to 64 letters and leave shorter ones out; a * behind 3 to 6 letters takes every word that begins so.",
  },
  CALL_TEXTS_DELETED: {
    meaning: "What was said in this call was deleted, by a retention policy or on request.",
    remedy: "Nothing can bring it back but a backup; the receipts under /api/v1/deletions tell when and why.",
  },
  CALL_RECEIPT_NOT_FOUND: {
    meaning: "There is no receipt of a deletion with this id.",
    remedy: "Look the receipts of a call up with GET /api/v1/deletions?call_id=ID.",
  },
  CALL_NOT_LIVE: {
    meaning: "The call is not in progress, or not in a state for this.",
    remedy: "Look at its state with GET /api/v1/calls/active.",
  },
  CALL_IN_WORK: {
    meaning: "The call runs or is being analysed.",
    remedy: "Wait until its status is completed, failed or cancelled.",
  },
  CALL_LEGS_CONFLICT: {
    meaning: "A leg has run as a call of its own for too long to become another call's.",
    remedy: "Announce legs within half a minute of their start, or give them UUIDs that differ in the last digit only (1 caller, 2 counsellor).",
  },
  CALL_RISK_NOT_RAISED: {
    meaning: "No risk of this kind was raised on the call.",
    remedy: "Acknowledge what the call's risk.raised events told.",
  },
  CALL_IDEMPOTENCY_KEY_REUSED: {
    meaning: "The idempotency key was used for another recording.",
    remedy: "Use a new key for each recording, and the same one only to repeat an upload.",
  },
  CALL_ID_CONFLICT: {
    meaning: "A call with this call_id exists.",
    remedy: "Leave call_id out, or send another.",
  },
  CONFIG_INVALID: {
    meaning: "A setting breaks its rule.",
    remedy: "Read docs/config.md; the message names the setting.",
  },
  CONFIG_DATA_DIRECTORY_IN_USE: {
    meaning: "Another service uses the data directory.",
    remedy: "Stop it, or give this one its own with --data-dir.",
  },
  CONFIG_PORT_IN_USE: {
    meaning: "The port is taken.",
    remedy: "Stop what uses it, or choose another with --port.",
  },
  EVALUATION_DATA_INVALID: {
    meaning: "The labelled data can't be read, or do not hold what the task is measured by.",
    remedy: "Mend the line that is named; data/labelled/GUIDELINES.md says how records look.",
  },
  FEEDBACK_ITEM_UNKNOWN: {
    meaning: "The analysis has no item of this name.",
    remedy: "docs/feedback.md says how items are named; take names from the analysis.",
  },
  FEEDBACK_LABEL_UNKNOWN: {
    meaning: "The item can't be corrected like this.",
    remedy: "'details' lists the labels it can have; segments, summaries and translations are corrected in words.",
  },
  GATEWAY_BAD_REQUEST: {
    meaning: "The request does not have the form this path takes.",
    remedy: "Read the details field and /docs.",
  },
  GATEWAY_BODY_TOO_LARGE: {
    meaning: "The request's body is larger than the path takes.",
    remedy: "Send less at once.",
  },
  GATEWAY_NOT_FOUND: {
    meaning: "There is nothing at this path.",
    remedy: "Read /docs.",
  },
  GATEWAY_UNSUPPORTED_MEDIA_TYPE: {
    meaning: "The body is of a type this path does not take.",
    remedy: "Uploads are multipart/form-data with a file field named audio.",
  },
  GATEWAY_RATE_LIMITED: {
    meaning: "The key made too many requests.",
    remedy: "Wait as long as Retry-After says.",
  },
  GATEWAY_RANGE_NOT_SATISFIABLE: {
    meaning: "The recording has no bytes in the range asked for.",
    remedy: "Ask for a range within its length, which Content-Range tells.",
  },
  GATEWAY_STREAMS_BUSY: {
    meaning: "Too many event streams are open.",
    remedy: "Wait as long as Retry-After says, poll the task instead, or raise EVENT_STREAMS_AT_ONCE.",
  },
  GATEWAY_UPLOADS_BUSY: {
    meaning: "Too many uploads run at once.",
    remedy: "Try again when Retry-After says.",
  },
  INTERNAL: {
    meaning: "Something went wrong inside.",
    remedy: "Look for the error's class and place in the log and report it.",
  },
  MODEL_NOT_READY: {
    meaning: "No installed engine can do this, for this language.",
    remedy: "Install one; the message and openchs-ai doctor say which.",
  },
  MODEL_ENGINE_UNKNOWN: {
    meaning: "The engine named is not installed.",
    remedy: "openchs-ai doctor lists the installed ones.",
  },
  MODEL_FILES_INVALID: {
    meaning: "The files of an installed model are missing, broken, or not what they say.",
    remedy: "openchs-ai models verify names them; import or pull the model again.",
  },
  MODEL_REMOTE_UNAVAILABLE: {
    meaning: "The model server on the helpline's network can't be reached, is late, or fails.",
    remedy: "Look at that server. With the engine auto, the next one does the work meanwhile.",
  },
  MODEL_REMOTE_INVALID: {
    meaning: "The model server refuses the request, or answers in another form than was asked for.",
    remedy: "Check REMOTE_SPEECH_MODEL, the key, and what the server can do. Nothing of the answer was used.",
  },
  MODEL_HUB_UNREACHABLE: {
    meaning: "The model hub can't be reached, or answers with an error of its own.",
    remedy: "Try again later: a pull goes on where it broke off. Or set HF_ENDPOINT to a mirror.",
  },
  MODEL_HUB_REFUSED: {
    meaning: "The model hub refuses: no such model or revision, no access, or no hub at all.",
    remedy: "Do what the message says.",
  },
  MODEL_DOWNLOAD_CORRUPT: {
    meaning: "A file came with another content than the hub promises.",
    remedy: "Try again, or use another mirror; nothing of the file was kept.",
  },
  MODEL_BUNDLE_UNTRUSTED: {
    meaning: "A bundle of models is not signed by whom you trust, or was changed on its way.",
    remedy: "Compare the fingerprint with whoever made it; nothing of the bundle was installed.",
  },
  MODEL_EXISTS: {
    meaning: "A model with this id is installed already.",
    remedy: "Replace it with --replace, or import under another --id.",
  },
  MODEL_NOT_INSTALLED: {
    meaning: "No installed model has this id.",
    remedy: "openchs-ai models list shows the installed ones.",
  },
  MODEL_INPUT_INVALID: {
    meaning: "The engine can't take this input.",
    remedy: "Check text and language.",
  },
  MODEL_PROCESS_FAILED: {
    meaning: "A model process ended unexpectedly and is replaced.",
    remedy: "Nothing at first: the work is tried again. If it repeats, look at the machine's memory.",
  },
  MODEL_DEADLINE_EXCEEDED: {
    meaning: "A model did not answer in time.",
    remedy: "Nothing at first: the work is tried again.",
  },
  MODEL_CANCELLED: {
    meaning: "A model request was cancelled.",
    remedy: "Nothing.",
  },
  MODEL_OVERLOADED: {
    meaning: "Too many model requests wait.",
    remedy: "Try again in a moment; add cores or workers.",
  },
  QUEUE_JOB_NOT_FOUND: {
    meaning: "There is no task or job with this id.",
    remedy: "Check the id.",
  },
  QUEUE_JOB_NOT_DEAD: {
    meaning: "Only a failed job can be retried or discarded.",
    remedy: "openchs-ai jobs list shows them.",
  },
  QUEUE_JOB_STALLED: {
    meaning: "The job was part of several crashes and was set aside.",
    remedy: "Find what it does to the service, then: openchs-ai jobs retry",
  },
  QUEUE_JOB_CANCELLED: {
    meaning: "The task was cancelled.",
    remedy: "Nothing.",
  },
  QUEUE_CLOSED: {
    meaning: "The service is stopping.",
    remedy: "Try again in a moment.",
  },
  REDIS_UNAVAILABLE: {
    meaning: "Redis can't be reached, or does not answer.",
    remedy: "Start it, or check REDIS_URL. Jobs wait in the database meanwhile; nothing is lost.",
  },
  REDIS_EVICTION_POLICY: {
    meaning: "Redis throws keys away when its memory is full.",
    remedy: "Set maxmemory-policy noeviction in redis.conf.",
  },
  SECURITY_DECRYPTION_FAILED: {
    meaning: "A stored value can't be opened.",
    remedy: "Check that the master key file is the one the data was made with.",
  },
  SECURITY_MASTER_KEY_INVALID: {
    meaning: "The master key file can't be used.",
    remedy: "Restore it from backup; chmod 600 it.",
  },
  SECURITY_KEY_NOT_FOUND: {
    meaning: "There is no such active API key.",
    remedy: "openchs-ai keys list shows them.",
  },
  SECURITY_TLS_INVALID: {
    meaning: "The TLS certificate and key can't be used.",
    remedy: "Check TLS_CERT_FILE and TLS_KEY_FILE.",
  },
  STORAGE_UNAVAILABLE: {
    meaning: "The database or the object store could not do this.",
    remedy: "The message says which. Check the data directory's disk and permissions, or run: openchs-ai doctor",
  },
  STORAGE_NOT_EMPTY: {
    meaning: "A backup was to be restored where there is data already.",
    remedy: "Restore into an empty data directory or database, and switch over to it when it is as you want it.",
  },
  STORAGE_BACKUP_INVALID: {
    meaning: "The backup is not whole, was changed, or was made with another master key.",
    remedy: "Take another copy of the backup, or the master key that belongs to it.",
  },
  STORAGE_SCHEMA_NEWER: {
    meaning: "The database was made by a newer version.",
    remedy: "Start that version, or restore a backup made by this one.",
  },
  STORAGE_CONFLICT: {
    meaning: "The change conflicts with what is stored.",
    remedy: "Read the current state and try again.",
  },
  STORAGE_FULL: {
    meaning: "The disk or the object store is full.",
    remedy: "Free space in the data directory, or where the message says.",
  },
  DELIVERY_WEBHOOK_NOT_FOUND: {
    meaning: "There is no webhook with this id.",
    remedy: "GET /api/v1/webhooks lists them.",
  },
  DELIVERY_FAILED: {
    meaning: "The helpline's system did not take the test message.",
    remedy: "Look at its log; check the address, its certificate and the credentials of the webhook.",
  },
  TELEPHONY_STOPPING: {
    meaning: "The process has been told to stop; it finishes the calls it has and takes no new ones.",
    remedy: "Connect again: a load balancer sends you to another process.",
  },
  TELEPHONY_UPGRADE_REQUIRED: {
    meaning: "The path takes audio over a WebSocket, and this was a plain request.",
    remedy: "Connect with a WebSocket client; docs/asterisk.md shows how exchanges do.",
  },
  TELEPHONY_UNREACHABLE: {
    meaning: "Nothing takes calls at the address the call command was given.",
    remedy: "Start the service with: openchs-ai serve; or name its telephony port with --to HOST:PORT.",
  },
} as const satisfies Readonly<Record<string, { readonly meaning: string; readonly remedy: string }>>;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;
