/** The time by this computer's clock, drawn anew once a second. */
import { useEffect, useState } from "preact/hooks";

export function useNow(isNeeded: boolean): number {
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => {
    if (!isNeeded) return;
    setNowMs(Date.now());
    const ticking = setInterval(() => setNowMs(Date.now()), 1_000);
    return () => clearInterval(ticking);
  }, [isNeeded]);
  return nowMs;
}
