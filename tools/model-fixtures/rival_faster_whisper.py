"""What `npm run bench -- asr --rivals` compares with: faster-whisper's features and CTranslate2's Whisper, loaded once.

  python rival_faster_whisper.py MODEL SOUND TOKENS THREADS END PROMPT...
SOUND is raw float32, 16 kHz. Each line read means: do the work once more. Each answer is one line of JSON.
"""
import json
import sys
import time

import ctranslate2
import numpy as np
from faster_whisper.audio import pad_or_trim
from faster_whisper.feature_extractor import FeatureExtractor


def main():
    directory, sound_path, *numbers = sys.argv[1:]
    tokens, threads, end, *prompt = map(int, numbers)
    model = ctranslate2.models.Whisper(directory, device="cpu", compute_type="int8", intra_threads=threads, inter_threads=1)
    extract = FeatureExtractor()
    sound = np.fromfile(sound_path, dtype="<f4")

    def work():
        features = np.ascontiguousarray(pad_or_trim(extract(sound)[np.newaxis]).astype(np.float32))
        states = model.encode(ctranslate2.StorageView.from_array(features))
        # CTranslate2 writes up to half of `max_length`. With the end forbidden it writes all of that.
        result = model.generate(states, [prompt], beam_size=1, sampling_topk=1, max_length=2 * tokens, suppress_blank=False, suppress_tokens=[end])[0]
        return result.sequences_ids[0]

    answer({"tokens": work()})
    for _ in sys.stdin:
        started_at = time.perf_counter()
        written = work()
        answer({"ms": 1000 * (time.perf_counter() - started_at), "tokens": written})


def answer(value):
    print(json.dumps(value), flush=True)


if __name__ == "__main__":
    main()
