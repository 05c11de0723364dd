"""Writes Whisper models as `optimum` lays them out: encoder, decoder, decoder with past, both merged, cross-attentions."""
from pathlib import Path

import onnx
import torch
from onnx import TensorProto, helper

OPSET = 14


class Encoder(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.encoder = model.model.encoder

    def forward(self, input_features):
        return self.encoder(input_features, return_dict=True).last_hidden_state


class Decoder(torch.nn.Module):
    """First step: no past; writes the caches of both attentions."""

    def __init__(self, model, has_past, has_attentions):
        super().__init__()
        self.model, self.has_past, self.has_attentions = model, has_past, has_attentions

    def forward(self, input_ids, encoder_hidden_states, *past):
        layers = len(self.model.model.decoder.layers)
        caches = tuple(tuple(past[4 * layer : 4 * layer + 4]) for layer in range(layers)) if self.has_past else None
        # Told, not counted: the count that transformers makes of non-zero cache rows does not survive the export.
        past_length = past[0].shape[2] if self.has_past else 0
        positions = torch.arange(past_length, past_length + input_ids.shape[1])
        out = self.model.model.decoder(
            input_ids=input_ids, cache_position=positions, encoder_hidden_states=encoder_hidden_states, past_key_values=caches,
            use_cache=True, output_attentions=self.has_attentions, return_dict=True,
        )
        present = [tensor for layer in out.past_key_values for tensor in (layer[:2] if self.has_past else layer)]
        crosses = list(out.cross_attentions) if self.has_attentions else []
        return (self.model.proj_out(out.last_hidden_state), *present, *crosses)


def cache_names(prefix, layers, sides=("decoder", "encoder")):
    return [f"{prefix}.{layer}.{side}.{kind}" for layer in range(layers) for side in sides for kind in ("key", "value")]


def export_encoder(model, path: Path):
    features = torch.zeros(2, model.config.num_mel_bins, 2 * model.config.max_source_positions)
    axes = {"input_features": {0: "batch_size", 1: "feature_size", 2: "encoder_sequence_length"}, "last_hidden_state": {0: "batch_size"}}
    torch.onnx.export(Encoder(model).eval(), (features,), str(path), opset_version=OPSET, input_names=["input_features"],
                      output_names=["last_hidden_state"], dynamic_axes=axes)


def export_decoder(model, path: Path, *, has_past, has_attentions=False):
    layers, heads = model.config.decoder_layers, model.config.decoder_attention_heads
    depth = model.config.d_model // heads
    ids = torch.zeros(2, 1 if has_past else 3, dtype=torch.long)
    hidden = torch.randn(2, model.config.max_source_positions, model.config.d_model)
    lengths = [5, 5, hidden.shape[1], hidden.shape[1]]
    past = [torch.randn(2, heads, length, depth) for _ in range(layers) for length in lengths] if has_past else []
    past_names = cache_names("past_key_values", layers) if has_past else []
    present_names = cache_names("present", layers, ("decoder",) if has_past else ("decoder", "encoder"))
    crosses = [f"cross_attentions.{layer}" for layer in range(layers)] if has_attentions else []
    axes = {"input_ids": {0: "batch_size", 1: "decoder_sequence_length"}, "logits": {0: "batch_size", 1: "decoder_sequence_length"},
            "encoder_hidden_states": {0: "batch_size", 1: "encoder_sequence_length"}}
    axes |= {name: {0: "batch_size", 2: ("past_" if name.startswith("past") else "") + ("encoder" if ".encoder." in name else "decoder") + "_length"}
             for name in past_names + present_names}
    axes |= {name: {0: "batch_size", 2: "decoder_sequence_length", 3: "encoder_sequence_length"} for name in crosses}
    torch.onnx.export(Decoder(model, has_past, has_attentions).eval(), (ids, hidden, *past), str(path), opset_version=OPSET,
                      input_names=["input_ids", "encoder_hidden_states", *past_names], output_names=["logits", *present_names, *crosses], dynamic_axes=axes)


def weight_key(weight):
    return weight.data_type, tuple(weight.dims), weight.raw_data


def renamed_branch(model, tag, weight_names, outputs):
    """The graph's nodes under names of their own, reading shared weights; what it does not give, it gives empty."""
    graph = model.graph
    names = {weight.name: weight_names[weight_key(weight)] for weight in graph.initializer}
    names |= {output: f"{tag}/{output}" for node in graph.node for output in node.output}
    nodes = []
    for node in graph.node:
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        copy.name = f"{tag}/{node.name}"
        copy.input[:] = [names.get(name, name) for name in node.input]
        copy.output[:] = [names.get(name, name) for name in node.output]
        nodes.append(copy)
    own = {value.name for value in graph.output}
    values = []
    for template in outputs:
        value = onnx.ValueInfoProto()
        value.CopyFrom(template)
        value.name = f"{tag}/{template.name}"
        values.append(value)
        if template.name in own:
            continue
        dims = value.type.tensor_type.shape.dim
        empty = helper.make_tensor(f"{tag}/none/{template.name}", TensorProto.FLOAT, [0, dims[1].dim_value, 1, dims[3].dim_value], [])
        nodes.append(helper.make_node("Constant", [], [value.name], name=f"{tag}/empty/{template.name}", value=empty))
        dims[0].Clear()
        dims[2].Clear()
    return helper.make_graph(nodes, tag, [], values)


def merge_decoders(first: Path, later: Path, merged: Path):
    """One file with a branch for each, chosen by `use_cache_branch`; equal weights are stored once."""
    without, within = onnx.load(str(first)), onnx.load(str(later))
    weights = {weight_key(weight): weight for model in (without, within) for weight in model.graph.initializer}
    names = {key: f"weight_{index}" for index, key in enumerate(weights)}
    shared = [helper.make_tensor(names[key], weight.data_type, weight.dims, weight.raw_data, raw=True) for key, weight in weights.items()]
    outputs = list(without.graph.output)
    later_branch = renamed_branch(within, "with_past", names, outputs)
    first_branch = renamed_branch(without, "no_past", names, outputs)
    chooser = helper.make_node("If", ["use_cache_branch"], [value.name for value in outputs], name="optimum::if", then_branch=later_branch, else_branch=first_branch)
    inputs = {value.name: value for model in (without, within) for value in model.graph.input}
    flag = helper.make_tensor_value_info("use_cache_branch", TensorProto.BOOL, [1])
    graph = helper.make_graph([chooser], "merged", [*inputs.values(), flag], outputs, shared)
    result = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    onnx.checker.check_model(result)
    onnx.save(result, str(merged))
