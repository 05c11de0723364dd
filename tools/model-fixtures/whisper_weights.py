"""Tiny Whisper-shaped models with random weights: architecture-true, deterministic, no near-ties in their logits."""
import json
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import GenerationConfig, WhisperConfig, WhisperForConditionalGeneration

LANGUAGES = ["en", "sw", "fr", "so"]
SENTENCES = [
    "the child is at home and the child is safe",
    "mtoto yuko nyumbani na anapigwa na mjomba",
    "my name is Amina, I am twelve years old",
    "jina langu ni Amina, nina miaka kumi na mbili",
    "tafadhali nisaidie, ninaogopa kurudi shuleni",
]


def byte_level_tokenizer():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=330, show_progress=False, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet())
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    special = ["<|endoftext|>", "<|startoftranscript|>", *[f"<|{tag}|>" for tag in LANGUAGES]]
    special += ["<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"]
    tokenizer.add_special_tokens(special)
    tokenizer.add_tokens([f"<|{index * 0.02:.2f}|>" for index in range(1501)])
    return tokenizer


def whisper_config(tokenizer, *, mel_bins, width, layers, heads):
    token = tokenizer.token_to_id
    end = token("<|endoftext|>")
    return WhisperConfig(
        vocab_size=tokenizer.get_vocab_size(), num_mel_bins=mel_bins, d_model=width,
        encoder_layers=layers, decoder_layers=layers, encoder_attention_heads=heads, decoder_attention_heads=heads,
        encoder_ffn_dim=2 * width, decoder_ffn_dim=2 * width, max_source_positions=1500, max_target_positions=128,
        pad_token_id=end, bos_token_id=end, eos_token_id=end, decoder_start_token_id=token("<|startoftranscript|>"),
        suppress_tokens=[], begin_suppress_tokens=[], attn_implementation="eager",
    )


def generation_config(tokenizer, *, layers, heads):
    token = tokenizer.token_to_id
    end = token("<|endoftext|>")
    return GenerationConfig(
        decoder_start_token_id=token("<|startoftranscript|>"), eos_token_id=end, bos_token_id=end, pad_token_id=end,
        is_multilingual=True, lang_to_id={f"<|{tag}|>": token(f"<|{tag}|>") for tag in LANGUAGES},
        task_to_id={"transcribe": token("<|transcribe|>"), "translate": token("<|translate|>")},
        no_timestamps_token_id=token("<|notimestamps|>"), prev_sot_token_id=token("<|startofprev|>"),
        max_initial_timestamp_index=50, max_length=128, return_timestamps=False,
        suppress_tokens=[7, 11, *[token(f"<|{name}|>") for name in ("startoftranscript", "translate", "transcribe", "startoflm", "startofprev", "nospeech")]],
        begin_suppress_tokens=[token("Ġ"), end],
        alignment_heads=[[layers - 1, head] for head in range(heads // 2)],
    )


def random_weights(model, tokenizer, seed):
    """Larger than a training start: what is heard must change what is written."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in sorted(model.named_parameters()):
            if value.dim() < 2:
                value.copy_(torch.ones_like(value) if "norm" in name and "weight" in name else 0.1 * torch.randn(value.shape, generator=generator))
                continue
            fan_in = value[0].numel()
            gain = 1.0 if "embed" in name else 1.7 / fan_in**0.5
            value.copy_(gain * torch.randn(value.shape, generator=generator))
        decoder = model.model.decoder
        # Embeddings are tied: without mixed signs here a token would call for itself, again and again.
        decoder.layer_norm.weight.copy_(torch.randn(decoder.layer_norm.weight.shape, generator=generator).sign())
        tokens = decoder.embed_tokens.weight
        first_time = tokenizer.token_to_id("<|0.00|>")
        # Most of the vocabulary are times: text must stand a chance, and the end must come.
        tokens[first_time:] *= 0.7
        end = decoder.layer_norm.weight * tokens[tokenizer.token_to_id("<|endoftext|>")]
        steps = torch.arange(decoder.embed_positions.weight.shape[0]).unsqueeze(1)
        decoder.embed_positions.weight.add_(0.012 * steps * end)


def make_whisper(seed, *, mel_bins=80, width=32, layers=2, heads=4):
    tokenizer = byte_level_tokenizer()
    torch.manual_seed(seed)
    model = WhisperForConditionalGeneration(whisper_config(tokenizer, mel_bins=mel_bins, width=width, layers=layers, heads=heads)).eval()
    random_weights(model, tokenizer, seed)
    model.generation_config = generation_config(tokenizer, layers=layers, heads=heads)
    return model, tokenizer


def write_settings(model, tokenizer, folder: Path):
    folder.mkdir(parents=True, exist_ok=True)
    end = "<|endoftext|>"
    write = lambda name, value: (folder / name).write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True) + "\n")
    write("config.json", {key: value for key, value in model.config.to_dict().items() if key not in ("_attn_implementation_autoset", "torch_dtype")})
    write("generation_config.json", model.generation_config.to_diff_dict())
    write("preprocessor_config.json", {
        "feature_extractor_type": "WhisperFeatureExtractor", "feature_size": model.config.num_mel_bins, "sampling_rate": 16000,
        "hop_length": 160, "n_fft": 400, "chunk_length": 30, "n_samples": 480000, "nb_max_frames": 3000,
        "padding_side": "right", "padding_value": 0.0, "return_attention_mask": False, "processor_class": "WhisperProcessor",
    })
    write("tokenizer_config.json", {"tokenizer_class": "WhisperTokenizer", "bos_token": end, "eos_token": end, "unk_token": end, "pad_token": end, "model_max_length": 1024})
    (folder / "tokenizer.json").write_text(tokenizer.to_str() + "\n")
