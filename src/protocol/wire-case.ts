/** Inside we write camelCase, on the wire snake_case; values are never touched. */

/** A deep copy of JSON data with every object key in snake_case. */
export function toWireCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toWireCase);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [toSnakeCase(key), toWireCase(inner)]));
}

function toSnakeCase(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
