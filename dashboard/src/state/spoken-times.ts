/** Times as people read them. */

/** `m:ss`, and `h:mm:ss` from an hour on; never negative. */
export function toClock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, String(seconds % 60).padStart(2, "0")];
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

/** Seconds with one decimal, for delays. */
export function toSeconds(ms: number): string {
  return (Math.max(0, ms) / 1000).toFixed(1);
}

/** Day before month, as where the helplines are. */
const REGIONAL: Readonly<Record<string, string>> = { en: "en-GB", sw: "sw-TZ" };

/** Time of day of a UTC time, here; empty for what is no time. */
export function toTimeOfDay(at: string, language: string): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime())
    ? ""
    : new Intl.DateTimeFormat(REGIONAL[language] ?? language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(date);
}

/** Day and time of day of a UTC time, here; empty for what is no time. */
export function toDayAndTime(at: string, language: string): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return "";
  return new Intl.DateTimeFormat(REGIONAL[language] ?? language, {
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).format(date);
}
