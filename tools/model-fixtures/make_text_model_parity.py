"""
Writes tiny models of classification (four heads, a rubric, natural language inference), question answering and summary
with random weights, and what Python's `transformers` makes of texts with them:
make_text_model_parity.py DIRECTORY [SEED]
"""
import json
import sys
import warnings
from pathlib import Path

import torch
import transformers
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    DistilBertConfig,
    DistilBertForQuestionAnswering,
    DistilBertModel,
    GenerationConfig,
    XLMRobertaConfig,
    XLMRobertaForSequenceClassification,
    pipeline,
)

from make_token_classification_parity import TEXTS, random_weights, unigram, word_piece
from whisper_weights import SENTENCES
from make_translation_parity import export, random_weights as random_decoder_weights, tokenizer_with

warnings.filterwarnings("ignore")
transformers.logging.set_verbosity_error()
HEADS = {
    "logits_main": ("main_categories.json", ["Advice and Counselling", "GBV", "Nutrition", "VANE"]),
    "logits_sub": ("sub_categories.json", ["Bullying", "Physical Violence", "Malnutrition", "Child Neglect", "Physical Abuse", "Other"]),
    "logits_interv": ("interventions.json", {"Counselling": 1, "Referral": 0, "Signposting": 2}),
    "logits_priority": ("priorities.json", ["1", "2", "3"]),
}
RUBRIC = {"opening": ["Use of call opening phrase"], "listening": ["Caller was not interrupted", "Empathizes with the caller"], "closing": ["Proper call closing phrase used"]}
PREMISES = TEXTS[:4]
LABELS = ["GBV", "Nutrition", "a child who is beaten"]
QUESTIONS = ["Who is the child?", "where does Amina live", "umri?"]


class Heads(torch.nn.Module):
    """As the existing service's classes: one encoder, its first token, a linear layer for each head."""

    def __init__(self, encoder, sizes):
        super().__init__()
        self.encoder = encoder
        self.heads = torch.nn.ModuleList(torch.nn.Linear(encoder.config.dim, size) for size in sizes)

    def forward(self, input_ids, attention_mask):
        first = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state[:, 0]
        return tuple(head(first) for head in self.heads)


def distilbert_config(tokenizer):
    return DistilBertConfig(vocab_size=len(tokenizer), dim=32, n_layers=2, n_heads=4, hidden_dim=64, max_position_embeddings=512, dropout=0.0, attention_dropout=0.0)


class Named(torch.nn.Module):
    def __init__(self, model, outputs):
        super().__init__()
        self.model, self.outputs = model, outputs

    def forward(self, input_ids, attention_mask):
        found = self.model(input_ids=input_ids, attention_mask=attention_mask)
        return tuple(found[name] for name in self.outputs) if hasattr(found, "keys") else found


def write(folder, tokenizer, config, model, outputs):
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, sort_keys=True) + "\n")
    (folder / "tokenizer.json").write_text(tokenizer.backend_tokenizer.to_str() + "\n")
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 512}) + "\n")
    ids = torch.ones(2, 7, dtype=torch.long)
    axes = {name: {0: "batch_size", 1: "sequence_length"} for name in ("input_ids", "attention_mask")} | {name: {0: "batch_size"} for name in outputs}
    if outputs == ["start_logits", "end_logits"]:
        axes |= {name: {0: "batch_size", 1: "sequence_length"} for name in outputs}
    torch.onnx.export(model.eval(), (ids, torch.ones_like(ids)), str(folder / "onnx" / "model.onnx"), opset_version=14,
                      input_names=["input_ids", "attention_mask"], output_names=outputs, dynamic_axes=axes)


def store(root, name, parity):
    versions = {"torch": torch.__version__, "transformers": transformers.__version__}
    (root / f"{name}.parity.json").write_text(json.dumps({"versions": versions, **parity}, ensure_ascii=False) + "\n")


def rounded(tensor):
    return [round(float(value), 5) for value in tensor.flatten()]


def sharpened(model, seed):
    random_weights(model, seed)
    with torch.no_grad():
        for name, value in model.named_parameters():
            if ("heads" in name or "classifier" in name or "qa_outputs" in name) and value.dim() == 2:
                value.mul_(3)
    return model.eval()


def classifier(root, seed):
    tokenizer = word_piece()
    config = distilbert_config(tokenizer)
    labels = [labels for _, labels in HEADS.values()]
    model = sharpened(Heads(DistilBertModel(config), [len(one) for one in labels]), seed)
    folder = root / "heads-classifier"
    write(folder, tokenizer, {"model_type": "distilbert", "architectures": ["MultiTaskDistilBert"]}, model, list(HEADS))
    for name, names in HEADS.values():
        (folder / name).write_text(json.dumps(names) + "\n")
    cases = []
    for text in TEXTS[:5]:
        form = "".join(letter for letter in text.lower().strip() if letter.isspace() or letter in "abcdefghijklmnopqrstuvwxyz0123456789")
        encoded = tokenizer(form, return_tensors="pt")
        with torch.no_grad():
            cases.append({"text": text, "logits": [rounded(logits) for logits in model(encoded["input_ids"], encoded["attention_mask"])]})
    store(root, "heads-classifier", {"cases": cases})


def quality(root, seed):
    tokenizer = word_piece()
    model = sharpened(Heads(DistilBertModel(distilbert_config(tokenizer)), [sum(map(len, RUBRIC.values()))]), seed + 1)
    folder = root / "heads-quality"
    write(folder, tokenizer, {"model_type": "distilbert", "architectures": ["MultiHeadQAClassifier"]}, model, ["logits"])
    heads, start = [], 0
    for head, items in RUBRIC.items():
        heads.append({"head": head, "output": "logits", "from": start, "labels": items, "judged_on": {"opening": "start", "closing": "end"}.get(head, "whole")})
        start += len(items)
    (folder / "heads.json").write_text(json.dumps({"task": "quality", "heads": heads}, indent=1) + "\n")
    cases = []
    for text in TEXTS[:5]:
        encoded = tokenizer(text, return_tensors="pt")
        with torch.no_grad():
            (logits,) = model(encoded["input_ids"], encoded["attention_mask"])
        cases.append({"text": text, "probabilities": rounded(torch.sigmoid(logits))})
    store(root, "heads-quality", {"cases": cases})


def inference(root, seed):
    tokenizer = unigram()
    config = XLMRobertaConfig(vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
                              max_position_embeddings=514, type_vocab_size=1, pad_token_id=tokenizer.pad_token_id)
    config.id2label = {0: "entailment", 1: "neutral", 2: "contradiction"}
    config.label2id = {label: index for index, label in config.id2label.items()}
    model = sharpened(XLMRobertaForSequenceClassification(config), seed)
    write(root / "zero-shot", tokenizer, config.to_diff_dict() | {"architectures": [type(model).__name__]}, Named(model, ["logits"]), ["logits"])
    classify = pipeline("zero-shot-classification", model=model, tokenizer=tokenizer)
    cases = []
    for text in PREMISES:
        found = classify(text, LABELS, hypothesis_template="This call is about {}.", multi_label=False)
        single = classify(text, LABELS, hypothesis_template="This call is about {}.", multi_label=True)
        by_label = [dict(zip(one["labels"], one["scores"])) for one in (found, single)]
        cases.append({"text": text, "labels": LABELS, "scores": [round(by_label[0][label], 5) for label in LABELS],
                      "entailments": [round(by_label[1][label], 5) for label in LABELS]})
    store(root, "zero-shot", {"cases": cases})


def answers(root, seed):
    tokenizer = word_piece()
    config = distilbert_config(tokenizer)
    model = sharpened(DistilBertForQuestionAnswering(config), seed)
    write(root / "answers", tokenizer, config.to_diff_dict() | {"architectures": [type(model).__name__]}, Named(model, ["start_logits", "end_logits"]), ["start_logits", "end_logits"])
    cases = []
    for context in TEXTS[:6]:
        for question in QUESTIONS:
            encoded = tokenizer(question, context, return_tensors="pt", return_offsets_mapping=True)
            with torch.no_grad():
                out = model(input_ids=encoded["input_ids"], attention_mask=encoded["attention_mask"])
            second = [index for index, part in enumerate(encoded.sequence_ids(0)) if part == 1]
            allowed = [0, *second]
            start, end = ({index: float(share) for index, share in zip(allowed, torch.softmax(logits[0, allowed], 0))} for logits in (out.start_logits, out.end_logits))
            spans = [(start[first] * end[last], first, last) for first in second for last in second if first <= last < first + 30]
            score, first, last = max(spans)
            offsets = encoded["offset_mapping"][0].tolist()
            units = lambda offset: len(context[:offset].encode("utf-16-le")) // 2
            span = None if start[0] * end[0] >= score else {"start": units(offsets[first][0]), "end": units(offsets[last][1]), "score": round(score, 5)}
            cases.append({"question": question, "text": context, "ids": encoded["input_ids"][0].tolist(), "span": span})
    store(root, "answers", {"cases": cases})


def summary(root, seed):
    tokenizer = tokenizer_with(["<s>"])
    end = tokenizer.token_to_id("</s>")
    config = BartConfig(vocab_size=tokenizer.get_vocab_size(), d_model=32, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4, decoder_attention_heads=4,
                        encoder_ffn_dim=64, decoder_ffn_dim=64, max_position_embeddings=128, pad_token_id=0, bos_token_id=tokenizer.token_to_id("<s>"), eos_token_id=end,
                        decoder_start_token_id=end, forced_bos_token_id=tokenizer.token_to_id("<s>"), forced_eos_token_id=None, attn_implementation="eager")
    model = BartForConditionalGeneration(config).eval()
    random_decoder_weights(model, seed)
    folder = root / "summary-bart"
    folder.mkdir(parents=True, exist_ok=True)
    generation = GenerationConfig.from_model_config(model.config)
    generation.no_repeat_ngram_size = 2
    model.generation_config = generation
    (folder / "config.json").write_text(json.dumps(config.to_diff_dict() | {"architectures": [type(model).__name__], "is_encoder_decoder": True}, sort_keys=True) + "\n")
    (folder / "generation_config.json").write_text(json.dumps(generation.to_diff_dict(), sort_keys=True) + "\n")
    names = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 128, "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(names) + "\n")
    (folder / "tokenizer.json").write_text(tokenizer.to_str() + "\n")
    export(model, folder, 2, 4, 8, is_merged=True)
    cases = []
    for text in SENTENCES[:3] + TEXTS[:2]:
        ids = tokenizer.encode(text).ids
        with torch.no_grad():
            row = model.generate(torch.tensor([ids]), max_new_tokens=24, num_beams=1, do_sample=False)[0].tolist()
        # Start mark and forced first token.
        tokens = row[2:]
        cases.append({"text": text, "ids": ids, "tokens": tokens[: tokens.index(end)] if end in tokens else tokens})
    store(root, "summary-bart", {"newTokens": 24, "cases": cases})


def main():
    root, seed = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 17
    root.mkdir(parents=True, exist_ok=True)
    for make in (classifier, quality, inference, answers, summary):
        torch.manual_seed(seed)
        make(root, seed)


if __name__ == "__main__":
    main()
