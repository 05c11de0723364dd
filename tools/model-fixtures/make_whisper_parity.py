"""Makes test/fixtures/models/whisper-*: tiny ONNX models and what Python's transformers hears with the same weights.

Run with Debian's python3-torch 1.13.1 and, in a virtual environment on top of it, transformers 4.44.2, onnx 1.16.2,
numpy 1.26.4:  python3 tools/model-fixtures/make_whisper_parity.py test/fixtures/models [seed]
"""
import json
import sys
import warnings
from pathlib import Path

import numpy as np
import torch
import transformers
from transformers import GenerationConfig, GenerationMixin, LogitsProcessorList, WhisperFeatureExtractor
from transformers.generation.utils import GenerateEncoderDecoderOutput
from transformers.generation.logits_process import (
    SuppressTokensAtBeginLogitsProcessor,
    SuppressTokensLogitsProcessor,
    WhisperTimeStampLogitsProcessor,
)

from onnx_export import export_decoder, export_encoder, merge_decoders
from whisper_weights import LANGUAGES, make_whisper, write_settings

warnings.filterwarnings("ignore")
transformers.logging.set_verbosity_error()
NEW_TOKENS = 48
# 7 s of sound and a margin, as for a live window.
SHORT_POSITIONS = 478


def sound(seconds, seed):
    """Integer arithmetic only, so that TypeScript makes the very same samples (test/support/model-fixtures.ts)."""
    samples, state, phase = [], seed, 0
    for index in range(seconds * 16000):
        block = index // 4000
        period = 40 + (block * 37 + seed * 11) % 160
        phase = (phase + 1) % period
        triangle = abs(2 * phase - period) * 2 - period
        state = (1103515245 * state + 12345) & 0x7FFFFFFF
        noise = (state >> 16) % 2001 - 1000
        loudness = (block * 53 + seed) % 7
        samples.append(triangle * loudness * 10 + noise * (loudness + 1) // 4)
    return np.array(samples, dtype=np.float32) / 32768


def spread(array, count):
    flat = array.reshape(-1)
    places = np.linspace(0, len(flat) - 1, count).astype(int)
    return [[int(place), float(flat[place])] for place in places]


def write_once(model, tokenizer, features, settings):
    """One window under Whisper's rules, before generate() cuts what it would hear again in the next window."""
    token = tokenizer.token_to_id
    prompt = [token("<|startoftranscript|>"), token(f"<|{settings['language']}|>"), token(f"<|{settings['task']}|>")]
    with_times = settings.get("return_timestamps", False)
    if not with_times:
        prompt.append(token("<|notimestamps|>"))
    if "prompt" in settings:
        prompt = [token("<|startofprev|>"), *tokenizer.encode(settings["prompt"], add_special_tokens=False).ids, *prompt]
    config = model.generation_config
    rules = LogitsProcessorList([
        SuppressTokensAtBeginLogitsProcessor(config.begin_suppress_tokens, begin_index=len(prompt)),
        SuppressTokensLogitsProcessor(config.suppress_tokens),
    ])
    if with_times:
        rules.append(WhisperTimeStampLogitsProcessor(config, begin_index=len(prompt)))
    plain = GenerationConfig(eos_token_id=config.eos_token_id, pad_token_id=config.pad_token_id, decoder_start_token_id=config.decoder_start_token_id,
                             num_beams=settings.get("num_beams", 1), max_new_tokens=NEW_TOKENS, do_sample=False)
    with torch.no_grad():
        row = GenerationMixin.generate(model, input_features=features, decoder_input_ids=torch.tensor([prompt]), logits_processor=rules, generation_config=plain)[0]
    return [int(value) for value in row[len(prompt) :]]


def parity(model, tokenizer):
    extractor = WhisperFeatureExtractor(feature_size=model.config.num_mel_bins)
    end = model.config.eos_token_id
    without_end = lambda row: row[: row.index(end)] if end in row else row
    short = sound(7, 3)
    features = extractor(short, sampling_rate=16000, return_tensors="pt").input_features
    prompt = [tokenizer.token_to_id(token) for token in ("<|startoftranscript|>", "<|sw|>", "<|transcribe|>", "<|notimestamps|>")]
    with torch.no_grad():
        hidden = model.model.encoder(features).last_hidden_state
        logits = model(encoder_outputs=(hidden,), decoder_input_ids=torch.tensor([prompt])).logits[0, -1]
        spoken = model(encoder_outputs=(hidden,), decoder_input_ids=torch.tensor([prompt[:1]])).logits[0, -1]
    language_ids = [tokenizer.token_to_id(f"<|{tag}|>") for tag in LANGUAGES]
    runs = []
    for settings in (
        {"language": "sw", "task": "transcribe"}, {"language": "en", "task": "translate"}, {"language": "so", "task": "transcribe"},
        {"language": "sw", "task": "transcribe", "return_timestamps": True}, {"language": "fr", "task": "translate", "return_timestamps": True},
        {"language": "sw", "task": "transcribe", "num_beams": 5}, {"language": "en", "task": "transcribe", "num_beams": 3, "return_timestamps": True},
        {"language": "en", "task": "transcribe", "prompt": " mtoto yuko nyumbani"},
    ):
        written = without_end(write_once(model, tokenizer, features, settings))
        runs.append({**settings, "tokens": written, "text": tokenizer.decode(written)})
    heard = next(run for run in runs if run.get("language") == "sw" and "num_beams" not in run and "return_timestamps" not in run)
    spoken_ids = torch.tensor([[*prompt, *heard["tokens"]]])
    with torch.no_grad():
        attentions = model(encoder_outputs=(hidden,), decoder_input_ids=spoken_ids, output_attentions=True).cross_attentions
    after = torch.cat([spoken_ids, torch.tensor([[end]])], dim=1)
    timed = model._extract_token_timestamps(GenerateEncoderDecoderOutput(sequences=after, cross_attentions=(attentions,)), model.generation_config.alignment_heads, num_frames=700)
    token_times = [round(float(value), 2) for value in timed[0, len(prompt) :]]
    positions = SHORT_POSITIONS
    with torch.no_grad():
        whole_table = model.model.encoder.embed_positions.weight
        model.model.encoder.embed_positions.weight = torch.nn.Parameter(whole_table[:positions])
        model.config.max_source_positions = positions
        model.model.encoder.max_source_positions = positions
        short_features = features[:, :, : 2 * positions]
        short_states = model.model.encoder(short_features).last_hidden_state
        short_row = write_once(model, tokenizer, short_features, {"language": "sw", "task": "transcribe"})
        model.model.encoder.embed_positions.weight = whole_table
        model.config.max_source_positions = model.model.encoder.max_source_positions = 1500
    short_window = {"positions": positions, "encoder": spread(short_states.numpy(), 400), "tokens": without_end(short_row)}
    long = sound(70, 5)
    long_features = extractor(long, sampling_rate=16000, return_tensors="pt", truncation=False, padding="longest", return_attention_mask=True)
    with torch.no_grad():
        heard = model.generate(long_features.input_features, attention_mask=long_features.attention_mask, language="sw", task="transcribe",
                               return_timestamps=True, return_segments=True, condition_on_prev_tokens=False, max_new_tokens=NEW_TOKENS)
    segments = [{"start": round(float(part["start"]), 2), "end": round(float(part["end"]), 2), "tokens": without_end(part["tokens"].tolist())} for part in heard["segments"][0]]
    return {
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__, "numpy": np.__version__},
        "sound": {"seconds": 7, "seed": 3}, "newTokens": NEW_TOKENS,
        "mel": spread(features.numpy(), 400), "encoder": spread(hidden.numpy(), 400), "prompt": prompt,
        "logits": [round(float(value), 6) for value in logits],
        "languages": {tag: round(float(value), 6) for tag, value in zip(LANGUAGES, torch.softmax(spoken[language_ids], 0))},
        "runs": runs, "shortWindow": short_window, "tokenTimes": token_times, "longForm": {"seconds": 70, "seed": 5, "segments": segments},
    }


def main():
    root, seed = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 7
    for name, mel_bins, layout in (("whisper-merged", 80, "merged"), ("whisper-attentions", 128, "separate")):
        model, tokenizer = make_whisper(seed, mel_bins=mel_bins)
        folder = root / name
        write_settings(model, tokenizer, folder)
        graphs = folder / "onnx"
        graphs.mkdir(exist_ok=True)
        has_attentions = layout == "separate"
        export_encoder(model, graphs / "encoder_model.onnx")
        export_decoder(model, graphs / "decoder_model.onnx", has_past=False, has_attentions=has_attentions)
        export_decoder(model, graphs / "decoder_with_past_model.onnx", has_past=True, has_attentions=has_attentions)
        if layout == "merged":
            merge_decoders(graphs / "decoder_model.onnx", graphs / "decoder_with_past_model.onnx", graphs / "decoder_model_merged.onnx")
            for file in ("decoder_model.onnx", "decoder_with_past_model.onnx"):
                (graphs / file).unlink()
        (root / f"{name}.parity.json").write_text(json.dumps(parity(model, tokenizer)) + "\n")
        seed += 1


if __name__ == "__main__":
    main()
