/** Where the API key is kept: in memory, and in sessionStorage only when the person asked for it. Nothing else is stored but the page's language. */

const KEY = "openchs-ai.key";
const LANGUAGE = "openchs-ai.language";

/** Storage may be switched off in the browser; then nothing is remembered. */
function withStorage<Value>(use: (storage: Storage) => Value): Value | undefined {
  try {
    return use(window.sessionStorage);
  } catch {
    return undefined;
  }
}

export function rememberedKey(): string | undefined {
  return withStorage((storage) => storage.getItem(KEY)) ?? undefined;
}

export function rememberKey(apiKey: string): void {
  withStorage((storage) => storage.setItem(KEY, apiKey));
}

export function forgetKey(): void {
  withStorage((storage) => storage.removeItem(KEY));
}

export function rememberedLanguage(): string | undefined {
  return withStorage((storage) => storage.getItem(LANGUAGE)) ?? undefined;
}

export function rememberLanguage(language: string): void {
  withStorage((storage) => storage.setItem(LANGUAGE, language));
}
