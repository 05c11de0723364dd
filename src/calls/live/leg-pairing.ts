/** Which legs belong to one call: by the last digit of their UUID, or as the helpline's system announced them. Pure. */
import { isId } from "../../core/ids.js";
import type { Channel } from "../../core/transcript.js";

export interface LegPlace {
  /** The same for all legs of a call. */
  readonly key: string;
  readonly channel: Channel;
  /** Another leg may come, on another channel. */
  readonly isPaired: boolean;
}

/** A UUID's last digit 1 is the caller and 2 the counsellor of the same call; any other id is a call of one channel. */
export function placeOfStream(streamId: string): LegPlace {
  const last = streamId.at(-1);
  if (!isId(streamId) || (last !== "1" && last !== "2")) return { key: streamId, channel: "caller", isPaired: false };
  return { key: streamId.slice(0, -1), channel: last === "1" ? "caller" : "agent", isPaired: true };
}
