/** Who made a bundle: an Ed25519 key of the machine that made it, known by its fingerprint. */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { z } from "zod";
import { AppError } from "../../core/errors.js";

const signatureSchema = z.strictObject({ publicKey: z.string().max(200), signature: z.string().max(200) });

/** Made when it is first needed. @param path - a file that only its owner may read */
export async function openSigningKey(path: string): Promise<KeyObject> {
  const found = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (found !== undefined) return createPrivateKey(found);
  const { privateKey } = generateKeyPairSync("ed25519");
  await writeFile(path, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600, flag: "wx", flush: true });
  return privateKey;
}

/** For people to compare: eight groups of four. */
export function fingerprintOf(key: KeyObject): string {
  const spki = (key.type === "private" ? createPublicKey(key) : key).export({ type: "spki", format: "der" });
  const hex = createHash("sha256").update(spki).digest("hex").slice(0, 32);
  return hex.replace(/(.{4})(?=.)/g, "$1-");
}

/** The signature, with the key to check it by. */
export function signBytes(bytes: Buffer, privateKey: KeyObject): Buffer {
  const publicKey = createPublicKey(privateKey).export({ type: "spki", format: "der" }).toString("base64");
  return Buffer.from(JSON.stringify({ publicKey, signature: sign(null, bytes, privateKey).toString("base64") }));
}

/**
 * @param trusted - the fingerprint that the maker told; undefined: none was told
 * @throws AppError `MODEL_BUNDLE_UNTRUSTED` when the bytes are not what that maker signed
 */
export function checkSignature(bytes: Buffer, signatureFile: Buffer, trusted: string | undefined): void {
  const parsed = signatureSchema.safeParse(parseJson(signatureFile));
  const publicKey = parsed.success ? readPublicKey(parsed.data.publicKey) : undefined;
  if (!parsed.success || publicKey === undefined || !verify(null, bytes, publicKey, Buffer.from(parsed.data.signature, "base64"))) {
    throw untrusted("The bundle's signature is broken: it was changed on its way, or is none. Nothing was installed.");
  }
  const fingerprint = fingerprintOf(publicKey);
  if (trusted === undefined) {
    throw untrusted(`The bundle is signed by ${fingerprint}. Ask whoever made it; when it is theirs, say: --signed-by ${fingerprint}`);
  }
  if (plain(trusted) !== plain(fingerprint)) throw untrusted(`The bundle is signed by ${fingerprint}, and not by whom you named. Nothing was installed.`);
}

const plain = (fingerprint: string): string => fingerprint.toLowerCase().replace(/[^0-9a-f]/g, "");

function readPublicKey(base64: string): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: Buffer.from(base64, "base64"), format: "der", type: "spki" });
    return key.asymmetricKeyType === "ed25519" ? key : undefined;
  } catch {
    return undefined;
  }
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}

function untrusted(message: string): AppError {
  return new AppError("MODEL_BUNDLE_UNTRUSTED", message);
}
