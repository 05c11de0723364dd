/** What lies in the files of a data directory, for tests that no word of a caller does. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** Words that are written by nobody else and long enough to stand in no encrypted megabyte by chance. */
export function secretWords(count: number, prefix = "Zumbarela"): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${"abcdefghij"[index % 10]}${"klmnopqrst"[Math.floor(index / 10) % 10]}`);
}

/** Which of the words lie in which file, in UTF-8 or UTF-16, whatever their case. */
export function filesHolding(directory: string, words: readonly string[]): readonly string[] {
  const paths = readdirSync(directory, { recursive: true, encoding: "utf8" }).filter((path) => statSync(join(directory, path)).isFile());
  return paths.flatMap((path) => {
    const text = readFileSync(join(directory, path)).toString("latin1").toLowerCase();
    const narrow = text.replaceAll("\0", "");
    return words.filter((word) => text.includes(word.toLowerCase()) || narrow.includes(word.toLowerCase())).map((word) => `${word} in ${path}`);
  });
}
