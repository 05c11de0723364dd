/** Live voice activity by energy over a floor that follows the line's noise: what is left without onnxruntime. */
import type { LiveVoiceActivity } from "../../live-voice-activity.js";
import { frameDbfs } from "./energy-voice-activity-detector.js";

const SPEECH_OVER_FLOOR_DB = 18;
const LOWEST_FLOOR_DBFS = -55;
/** The floor falls to a quiet frame at once and rises by this much a frame: 10 dB in about three seconds. */
const FLOOR_RISE_DB = 0.1;

/** Needs nothing installed; scores come within `push`. */
export function createEnergyLiveVoiceActivity(): LiveVoiceActivity {
  return {
    engine: "energy",
    revision: "energy-live-1",
    isDegraded: true,
    openStream(_sampleRateHz, onScore) {
      let floorDbfs = LOWEST_FLOOR_DBFS;
      return {
        push(frame) {
          const level = frameDbfs(frame);
          floorDbfs = Math.max(LOWEST_FLOOR_DBFS, Math.min(level, floorDbfs + FLOOR_RISE_DB));
          onScore(Math.max(0, Math.min(1, (level - floorDbfs) / SPEECH_OVER_FLOOR_DB)));
        },
        close: () => {},
      };
    },
    close: async () => {},
  };
}
