"""Writes a Whisper of `transformers` as the file that whisper.cpp loads: sizes, mel filters, words, weights, one after the other."""
import struct

import numpy as np
from transformers import WhisperFeatureExtractor

MAGIC = 0x67676D6C
F32, F16 = 0, 1
ATTENTION = {"q_proj": "query", "k_proj": "key", "v_proj": "value", "out_proj": "out"}
LAYER = {"self_attn_layer_norm": "attn_ln", "encoder_attn_layer_norm": "cross_attn_ln", "fc1": "mlp.0", "fc2": "mlp.2", "final_layer_norm": "mlp_ln"}
OUTER = {
    "encoder.embed_positions.weight": "encoder.positional_embedding",
    "decoder.embed_positions.weight": "decoder.positional_embedding",
    "decoder.embed_tokens.weight": "decoder.token_embedding.weight",
    "encoder.layer_norm": "encoder.ln_post",
    "decoder.layer_norm": "decoder.ln",
}


def write_ggml(model, tokenizer, path):
    config = model.config
    with open(path, "wb") as file:
        put = lambda *numbers: file.write(struct.pack(f"<{len(numbers)}i", *numbers))
        put(MAGIC, config.vocab_size, config.max_source_positions, config.d_model, config.encoder_attention_heads, config.encoder_layers)
        put(config.max_target_positions, config.d_model, config.decoder_attention_heads, config.decoder_layers, config.num_mel_bins, F16)
        filters = WhisperFeatureExtractor(feature_size=config.num_mel_bins).mel_filters.T.astype("<f4")
        put(*filters.shape)
        file.write(filters.tobytes())
        words = [tokenizer.id_to_token(index).encode() for index in range(config.vocab_size)]
        put(len(words))
        for word in words:
            put(len(word))
            file.write(word)
        for name, value in model.model.state_dict().items():
            write_weight(file, ggml_name(name), value.numpy())


def ggml_name(name):
    """`encoder.layers.0.self_attn.q_proj.weight` is `encoder.blocks.0.attn.query.weight`."""
    if name in OUTER:
        return OUTER[name]
    stem, kind = name.rsplit(".", 1)
    if ".layers." not in stem:
        return f"{OUTER.get(stem, stem)}.{kind}"
    side, _, index, part, *rest = stem.split(".")
    if rest:
        return f"{side}.blocks.{index}.{'attn' if part == 'self_attn' else 'cross_attn'}.{ATTENTION[rest[0]]}.{kind}"
    return f"{side}.blocks.{index}.{LAYER[part]}.{kind}"


def write_weight(file, name, value):
    # whisper.cpp adds a convolution's bias as a column, and wants positions whole.
    if name.startswith("encoder.conv") and name.endswith(".bias"):
        value = value.reshape(-1, 1)
    is_whole = value.ndim < 2 or name.endswith("positional_embedding") or name.endswith(".bias")
    value = value.astype("<f4" if is_whole else "<f2")
    encoded = name.encode()
    file.write(struct.pack("<3i", value.ndim, len(encoded), F32 if is_whole else F16))
    # ggml counts from the innermost dimension.
    file.write(struct.pack(f"<{value.ndim}i", *reversed(value.shape)))
    file.write(encoded)
    file.write(np.ascontiguousarray(value).tobytes())
