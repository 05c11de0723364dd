"""Makes test/fixtures/models/labels-*: tiny token-classification models and the spans Python's transformers finds with them.

Needs what make_whisper_parity.py needs:  python3 tools/model-fixtures/make_token_classification_parity.py test/fixtures/models [seed]
"""
import json
import sys
import warnings
from pathlib import Path

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    DistilBertConfig, DistilBertForTokenClassification, PreTrainedTokenizerFast, XLMRobertaConfig, XLMRobertaForTokenClassification, pipeline,
)

from whisper_weights import SENTENCES

warnings.filterwarnings("ignore")
transformers.logging.set_verbosity_error()
LABELS = ["O", "B-NAME", "I-NAME", "B-LOC", "I-LOC", "AGE", "B-VICTIM", "MISC"]
TEXTS = [
    "My name is Amina Juma, I live in Nairobi.",
    "jina langu ni Amina, nina miaka kumi na mbili",
    "  Mtoto   anaitwa Zawadi; yuko Kisumu (nyumbani) ",
    "Il s'appelle José, de São Tomé – 12 ans!",
    "call 0712 345 678 - NOW... 😀 asante sana",
    "I'm at St. Mary's school, said the child. \"Help me\" 漢字",
    "a\tb\nc",
]
ALPHABET_TEXT = SENTENCES + TEXTS[:3] + ["Kisumu Nairobi Zawadi Juma school nyumbani mtoto anaitwa asante help said"] * 3


def word_piece():
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(ALPHABET_TEXT, trainers.WordPieceTrainer(vocab_size=220, special_tokens=special, show_progress=False))
    tokenizer.decoder = decoders.WordPiece()
    ids = [(token, tokenizer.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=ids)
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=512, model_input_names=["input_ids", "attention_mask"], **names)


def unigram():
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(" {2,}", " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")])
    tokenizer.train_from_iterator(ALPHABET_TEXT, trainers.UnigramTrainer(vocab_size=200, special_tokens=special, unk_token="<unk>", show_progress=False))
    tokenizer.decoder = decoders.Metaspace()
    ids = [(token, tokenizer.token_to_id(token)) for token in ("<s>", "</s>")]
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=ids)
    names = {"pad_token": "<pad>", "unk_token": "<unk>", "cls_token": "<s>", "sep_token": "</s>", "bos_token": "<s>", "eos_token": "</s>", "mask_token": "<mask>"}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=512, model_input_names=["input_ids", "attention_mask"], **names)


def labelled(config):
    config.id2label = dict(enumerate(LABELS))
    config.label2id = {label: index for index, label in enumerate(LABELS)}
    return config


def distilbert(tokenizer):
    return DistilBertForTokenClassification(labelled(DistilBertConfig(vocab_size=len(tokenizer), dim=32, n_layers=2, n_heads=4, hidden_dim=64, max_position_embeddings=512)))


def roberta(tokenizer):
    config = XLMRobertaConfig(vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
                              max_position_embeddings=514, type_vocab_size=1, pad_token_id=tokenizer.pad_token_id)
    return XLMRobertaForTokenClassification(labelled(config))


def random_weights(model, seed):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in sorted(model.named_parameters()):
            if value.dim() < 2:
                value.copy_(torch.ones_like(value) if "orm" in name and "weight" in name else 0.1 * torch.randn(value.shape, generator=generator))
            else:
                gain = 1.0 if "embed" in name else (4.0 if name.startswith("classifier") else 1.7) / value[0].numel() ** 0.5
                value.copy_(gain * torch.randn(value.shape, generator=generator))


class Labels(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask):
        return self.model(input_ids=input_ids, attention_mask=attention_mask).logits


def export(model, path):
    ids = torch.ones(2, 7, dtype=torch.long)
    axes = {name: {0: "batch_size", 1: "sequence_length"} for name in ("input_ids", "attention_mask", "logits")}
    torch.onnx.export(Labels(model).eval(), (ids, torch.ones_like(ids)), str(path), opset_version=14, input_names=["input_ids", "attention_mask"],
                      output_names=["logits"], dynamic_axes=axes)


def main():
    root, seed = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 11
    for name, make_tokenizer, make_model in (("labels-wordpiece", word_piece, distilbert), ("labels-unigram", unigram, roberta)):
        tokenizer = make_tokenizer()
        torch.manual_seed(seed)
        model = make_model(tokenizer).eval()
        random_weights(model, seed)
        folder = root / name
        (folder / "onnx").mkdir(parents=True, exist_ok=True)
        model.config.architectures = [type(model).__name__]
        (folder / "config.json").write_text(json.dumps(model.config.to_diff_dict() | {"architectures": model.config.architectures}, sort_keys=True) + "\n")
        (folder / "tokenizer.json").write_text(tokenizer.backend_tokenizer.to_str() + "\n")
        (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 512}) + "\n")
        export(model, folder / "onnx" / "model.onnx")
        find = pipeline("token-classification", model=model, tokenizer=tokenizer, aggregation_strategy="simple")
        cases = []
        for text in TEXTS:
            encoded = tokenizer(text)
            units = lambda offset: len(text[:offset].encode("utf-16-le")) // 2
            spans = [{"label": span["entity_group"], "start": units(span["start"]), "end": units(span["end"]), "score": round(float(span["score"]), 5)} for span in find(text)]
            cases.append({"text": text, "ids": encoded["input_ids"], "spans": spans})
        versions = {"torch": torch.__version__, "transformers": transformers.__version__}
        (root / f"{name}.parity.json").write_text(json.dumps({"versions": versions, "cases": cases}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
