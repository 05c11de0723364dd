"""Makes test/fixtures/models/translation-*: tiny Marian, M2M100 and T5 models and what Python's transformers translates with them.

Needs what make_whisper_parity.py needs:  python3 tools/model-fixtures/make_translation_parity.py test/fixtures/models [seed]
"""
import json
import sys
import warnings
from pathlib import Path

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    GenerationConfig, M2M100Config, M2M100ForConditionalGeneration, MarianConfig, MarianMTModel, T5Config, T5ForConditionalGeneration,
)

from onnx_export import OPSET, cache_names, merge_decoders
from whisper_weights import SENTENCES

warnings.filterwarnings("ignore")
transformers.logging.set_verbosity_error()
NEW_TOKENS = 24
TEXTS = ["Mtoto anapigwa nyumbani.", "jina langu ni Amina, nina miaka kumi na mbili", "tafadhali nisaidie!"]


def tokenizer_with(special):
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.train_from_iterator(SENTENCES + TEXTS, trainers.UnigramTrainer(vocab_size=160, special_tokens=["<pad>", "</s>", "<unk>", *special], unk_token="<unk>", show_progress=False))
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    end = tokenizer.token_to_id("</s>")
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", pair="$A $B </s>", special_tokens=[("</s>", end)])
    return tokenizer


def sizes(tokenizer):
    return dict(vocab_size=tokenizer.get_vocab_size(), d_model=32, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4, decoder_attention_heads=4,
                encoder_ffn_dim=64, decoder_ffn_dim=64, max_position_embeddings=128, attn_implementation="eager")


def marian(tokenizer):
    config = MarianConfig(**sizes(tokenizer), pad_token_id=0, eos_token_id=1, decoder_start_token_id=0, forced_eos_token_id=None, bad_words_ids=[[0]], scale_embedding=True)
    return MarianMTModel(config)


def m2m100(tokenizer):
    config = M2M100Config(**sizes(tokenizer), pad_token_id=0, eos_token_id=1, bos_token_id=0, decoder_start_token_id=1)
    return M2M100ForConditionalGeneration(config)


def t5(tokenizer):
    config = T5Config(vocab_size=tokenizer.get_vocab_size(), d_model=32, d_kv=8, d_ff=64, num_layers=2, num_decoder_layers=2, num_heads=4, pad_token_id=0, eos_token_id=1,
                      decoder_start_token_id=0, feed_forward_proj="gated-gelu", tie_word_embeddings=False)
    return T5ForConditionalGeneration(config)


def random_weights(model, seed):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in sorted(model.named_parameters()):
            if value.dim() < 2:
                value.copy_(torch.ones_like(value) if "norm" in name and "weight" in name else 0.1 * torch.randn(value.shape, generator=generator))
            elif "sinusoidal" not in name and not (name.endswith("embed_positions.weight")):
                gain = 1.0 if any(word in name for word in ("shared", "embed", "lm_head", "relative")) else 1.7 / value[0].numel() ** 0.5
                value.copy_(gain * torch.randn(value.shape, generator=generator))
        for name, value in model.named_parameters():
            # Where embeddings are tied, a token would call for itself without mixed signs before the last step.
            if name.endswith(("decoder.layers.1.final_layer_norm.weight", "decoder.layer_norm.weight", "decoder.final_layer_norm.weight")):
                value.copy_(torch.randn(value.shape, generator=generator).sign())


class Encoder(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.encoder = model.get_encoder()

    def forward(self, input_ids, attention_mask):
        return self.encoder(input_ids=input_ids, attention_mask=attention_mask, return_dict=True).last_hidden_state


class Decoder(torch.nn.Module):
    def __init__(self, model, has_past):
        super().__init__()
        self.model, self.has_past = model, has_past

    def forward(self, encoder_attention_mask, input_ids, encoder_hidden_states, *past):
        caches = tuple(tuple(past[start : start + 4]) for start in range(0, len(past), 4)) if self.has_past else None
        out = self.model(decoder_input_ids=input_ids, encoder_outputs=(encoder_hidden_states,), attention_mask=encoder_attention_mask,
                         past_key_values=caches, use_cache=True, return_dict=True)
        return (out.logits, *[tensor for layer in out.past_key_values for tensor in (layer[:2] if self.has_past else layer)])


def export(model, folder, layers, heads, depth, is_merged):
    graphs = folder / "onnx"
    graphs.mkdir(parents=True, exist_ok=True)
    ids = torch.ones(2, 7, dtype=torch.long)
    mask = torch.ones_like(ids)
    axes = {"input_ids": {0: "batch_size", 1: "encoder_sequence_length"}, "attention_mask": {0: "batch_size", 1: "encoder_sequence_length"},
            "last_hidden_state": {0: "batch_size", 1: "encoder_sequence_length"}}
    torch.onnx.export(Encoder(model).eval(), (ids, mask), str(graphs / "encoder_model.onnx"), opset_version=OPSET, input_names=["input_ids", "attention_mask"],
                      output_names=["last_hidden_state"], dynamic_axes=axes)
    hidden = torch.randn(2, 7, model.config.d_model)
    for name, has_past in (("decoder_model", False), ("decoder_with_past_model", True)):
        past = [torch.randn(2, heads, length, depth) for _ in range(layers) for length in (5, 5, 7, 7)] if has_past else []
        past_names = cache_names("past_key_values", layers) if has_past else []
        present = cache_names("present", layers, ("decoder",) if has_past else ("decoder", "encoder"))
        axes = {"encoder_attention_mask": {0: "batch_size", 1: "encoder_sequence_length"}, "input_ids": {0: "batch_size", 1: "decoder_sequence_length"},
                "encoder_hidden_states": {0: "batch_size", 1: "encoder_sequence_length"}, "logits": {0: "batch_size", 1: "decoder_sequence_length"}}
        axes |= {cache: {0: "batch_size", 2: ("past_" if cache.startswith("past") else "") + ("encoder" if ".encoder." in cache else "decoder") + "_length"} for cache in past_names + present}
        torch.onnx.export(Decoder(model, has_past).eval(), (mask, ids[:, :1] if has_past else ids[:, :3], hidden, *past), str(graphs / f"{name}.onnx"), opset_version=OPSET,
                          input_names=["encoder_attention_mask", "input_ids", "encoder_hidden_states", *past_names], output_names=["logits", *present], dynamic_axes=axes)
    if is_merged:
        merge_decoders(graphs / "decoder_model.onnx", graphs / "decoder_with_past_model.onnx", graphs / "decoder_model_merged.onnx")
        (graphs / "decoder_model.onnx").unlink()
        (graphs / "decoder_with_past_model.onnx").unlink()


def cases(family, model, tokenizer):
    token = tokenizer.token_to_id
    found = []
    for text in TEXTS:
        for source, target in ((("sw", "en"), ("en", "sw")) if family == "m2m100" else (("sw", "en"),)):
            if family == "m2m100":
                ids = [token(f"__{source}__"), *tokenizer.encode(text, add_special_tokens=False).ids, token("</s>")]
            else:
                ids = tokenizer.encode(f"<2{target}> {text}" if family == "t5" else text).ids
            forced = {"forced_bos_token_id": token(f"__{target}__")} if family == "m2m100" else {}
            row = model.generate(torch.tensor([ids]), max_new_tokens=NEW_TOKENS, num_beams=1, do_sample=False, **forced)[0].tolist()
            tokens = row[2:] if forced else row[1:]
            tokens = tokens[: tokens.index(1)] if 1 in tokens else tokens
            found.append({"text": text, "source": source, "target": target, "ids": ids, "tokens": tokens, "translation": tokenizer.decode(tokens)})
    return found


def main():
    root, seed = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 21
    for family, make, special in (("marian", marian, []), ("m2m100", m2m100, ["__en__", "__sw__", "__lg__"]), ("t5", t5, ["<2en>", "<2sw>"])):
        tokenizer = tokenizer_with(special)
        torch.manual_seed(seed)
        model = make(tokenizer).eval()
        random_weights(model, seed)
        folder = root / f"translation-{family}"
        folder.mkdir(parents=True, exist_ok=True)
        config = model.config.to_diff_dict() | {"architectures": [type(model).__name__], "is_encoder_decoder": True}
        write = lambda name, value: (folder / name).write_text(json.dumps(value, sort_keys=True) + "\n")
        write("config.json", config)
        write("generation_config.json", GenerationConfig.from_model_config(model.config).to_diff_dict())
        names = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 128, "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
        write("tokenizer_config.json", names | ({"source_lang": "sw", "target_lang": "en"} if family == "marian" else {}))
        (folder / "tokenizer.json").write_text(tokenizer.to_str() + "\n")
        layers, heads, depth = (2, 4, 8)
        export(model, folder, layers, heads, depth, is_merged=family != "t5")
        versions = {"torch": torch.__version__, "transformers": transformers.__version__}
        with torch.no_grad():
            (root / f"translation-{family}.parity.json").write_text(json.dumps({"versions": versions, "newTokens": NEW_TOKENS, "cases": cases(family, model, tokenizer)}, ensure_ascii=False) + "\n")
        seed += 1


if __name__ == "__main__":
    main()
