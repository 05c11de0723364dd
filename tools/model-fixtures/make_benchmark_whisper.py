"""Writes a Whisper of true shape (tiny, base or small) with random weights, fp32 and int8, for `npm run bench -- asr`.

Speed only: what it writes is noise. Needs what make_whisper_parity.py needs, and onnxruntime 1.19.2:
  python3 tools/model-fixtures/make_benchmark_whisper.py base /tmp/whisper-base
A third argument makes texts end after so many tokens, as speech does: for `npm run bench -- live --engine whisper`:
  python3 tools/model-fixtures/make_benchmark_whisper.py base /tmp/whisper-base-ends 16
"""
import json
import sys
import warnings
from pathlib import Path

import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from transformers import GenerationConfig, WhisperConfig, WhisperForConditionalGeneration

from onnx_export import export_decoder, export_encoder, merge_decoders
from whisper_weights import LANGUAGES, byte_level_tokenizer, write_settings

warnings.filterwarnings("ignore")
SHAPES = {"tiny": (384, 4, 6), "base": (512, 6, 8), "small": (768, 12, 12)}
VOCABULARY = 51865
PROMPT_TOKENS = 4


def end_after(model, end, position, own):
    """From this position on, every state points to the end mark, whatever was heard; only tokens that mean something are written."""
    decoder = model.model.decoder
    with torch.no_grad():
        words = decoder.embed_tokens.weight[own].clone()
        decoder.embed_tokens.weight.zero_()
        decoder.embed_tokens.weight[own] = words
        # The end mark fills up texts as well, so its own embedding is nothing.
        direction = torch.nn.functional.normalize(torch.randn(decoder.embed_tokens.weight.shape[1]), dim=0)
        decoder.embed_tokens.weight[end] = direction * decoder.embed_tokens.weight[0].norm()
        decoder.embed_positions.weight[position - 1 :] += direction * 300


def main():
    width, layers, heads = SHAPES[sys.argv[1]]
    folder = Path(sys.argv[2])
    tokenizer = byte_level_tokenizer()
    own = tokenizer.get_vocab_size()
    # Of true size: what is beyond our own words are words that mean nothing.
    tokenizer.add_tokens([f"w{index}" for index in range(VOCABULARY - tokenizer.get_vocab_size())])
    token = tokenizer.token_to_id
    end = token("<|endoftext|>")
    config = WhisperConfig(vocab_size=VOCABULARY, d_model=width, encoder_layers=layers, decoder_layers=layers, encoder_attention_heads=heads, decoder_attention_heads=heads,
                           encoder_ffn_dim=4 * width, decoder_ffn_dim=4 * width, max_source_positions=1500, max_target_positions=448, pad_token_id=end, bos_token_id=end,
                           eos_token_id=end, decoder_start_token_id=token("<|startoftranscript|>"), suppress_tokens=[], begin_suppress_tokens=[], attn_implementation="eager")
    torch.manual_seed(1)
    model = WhisperForConditionalGeneration(config).eval()
    ending = int(sys.argv[3]) if len(sys.argv) > 3 else None
    if ending is not None:
        end_after(model, end, PROMPT_TOKENS + ending, [token for text, token in tokenizer.get_vocab().items() if token < own and not text.startswith("<|")])
    # Otherwise it never ends by itself: a benchmark says how many tokens it wants.
    model.generation_config = GenerationConfig(decoder_start_token_id=config.decoder_start_token_id, eos_token_id=end, pad_token_id=end, suppress_tokens=[] if ending else [end],
                                               lang_to_id={f"<|{tag}|>": token(f"<|{tag}|>") for tag in LANGUAGES}, no_timestamps_token_id=token("<|notimestamps|>"))
    write_settings(model, tokenizer, folder)
    graphs = folder / "onnx"
    graphs.mkdir(exist_ok=True)
    export_encoder(model, graphs / "encoder_model.onnx")
    export_decoder(model, graphs / "decoder_model.onnx", has_past=False)
    export_decoder(model, graphs / "decoder_with_past_model.onnx", has_past=True)
    merge_decoders(graphs / "decoder_model.onnx", graphs / "decoder_with_past_model.onnx", graphs / "decoder_model_merged.onnx")
    for name in ("encoder_model", "decoder_model_merged"):
        only = ["MatMul"] if name == "encoder_model" else ["MatMul", "Gather"]
        quantize_dynamic(str(graphs / f"{name}.onnx"), str(graphs / f"{name}_quantized.onnx"), op_types_to_quantize=only, weight_type=QuantType.QInt8 if name == "encoder_model" else QuantType.QInt8,
                         extra_options={"EnableSubgraph": True, "MatMulConstBOnly": True})
    for name in ("decoder_model.onnx", "decoder_with_past_model.onnx"):
        (graphs / name).unlink()
    print(json.dumps({path.name: path.stat().st_size for path in sorted(graphs.iterdir())}))


if __name__ == "__main__":
    main()
