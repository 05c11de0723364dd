"""
Writes a tiny Whisper's graphs in other types of weights - fp16 with 16-bit inputs and outputs, q4, int8 - and what Python's
onnxruntime computes with them: make_dtype_parity.py DIRECTORY (which holds whisper-merged)

Needs onnxconverter-common==1.14.0 besides what the others need.
"""
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnxconverter_common import float16
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.matmul_4bits_quantizer import MatMul4BitsQuantizer

GRAPHS = ("encoder_model", "decoder_model_merged")
SETTINGS = ("config.json", "generation_config.json", "preprocessor_config.json", "tokenizer.json", "tokenizer_config.json")


def write_fp16(source: Path, target: Path):
    onnx.save(float16.convert_float_to_float16(onnx.load(str(source)), keep_io_types=False), str(target))


def write_q4(source: Path, target: Path):
    quantizer = MatMul4BitsQuantizer(onnx.load(str(source)), block_size=32, is_symmetric=True)
    quantizer.process()
    onnx.save(quantizer.model.model, str(target))


def write_int8(source: Path, target: Path):
    quantize_dynamic(str(source), str(target), weight_type=QuantType.QInt8, op_types_to_quantize=["MatMul"], extra_options={"EnableSubgraph": True})


WRITERS = {"fp16": ("_fp16", write_fp16), "q4": ("_q4", write_q4), "int8": ("_int8", write_int8)}


def options():
    found = ort.SessionOptions()
    found.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return found


def run(path: Path, feeds):
    session = ort.InferenceSession(str(path), options(), providers=["CPUExecutionProvider"])
    types = {value.name: value.type for value in session.get_inputs()}
    shapes = {value.name: value.shape for value in session.get_inputs()}
    for name, shape in shapes.items():
        if name.startswith("past_key_values"):
            feeds[name] = np.zeros((1, shape[1], 0, shape[3]), np.float32)
    given = {name: (feeds[name].astype(np.float16) if types[name] == "tensor(float16)" else feeds[name]) for name in types}
    return dict(zip((value.name for value in session.get_outputs()), session.run(None, given)))


def main():
    root = Path(sys.argv[1])
    source, folder = root / "whisper-merged", root / "whisper-dtypes"
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    for name in SETTINGS:
        shutil.copy(source / name, folder / name)
    config = json.loads((source / "config.json").read_text())
    bands, positions = config["num_mel_bins"], config["max_source_positions"]
    features = np.sin(np.arange(bands * 2 * positions, dtype=np.float64) * 0.37).astype(np.float32).reshape(1, bands, 2 * positions)
    prompt = json.loads((root / "whisper-merged.parity.json").read_text())["prompt"]
    parity = {"versions": {"onnxruntime": ort.__version__, "onnx": onnx.__version__}, "prompt": prompt, "dtypes": {}}
    for dtype, (suffix, write) in WRITERS.items():
        for graph in GRAPHS:
            write(source / "onnx" / f"{graph}.onnx", folder / "onnx" / f"{graph}{suffix}.onnx")
        states = run(folder / "onnx" / f"encoder_model{suffix}.onnx", {"input_features": features})["last_hidden_state"]
        logits = run(folder / "onnx" / f"decoder_model_merged{suffix}.onnx",
                     {"input_ids": np.array([prompt], np.int64), "encoder_hidden_states": states, "use_cache_branch": np.array([False])})["logits"]
        parity["dtypes"][dtype] = {"states": [round(float(value), 5) for value in states.flatten()[:: states.size // 97]],
                                   "logits": [round(float(value), 4) for value in logits[0, -1]]}
    (root / "whisper-dtypes.parity.json").write_text(json.dumps(parity) + "\n")


if __name__ == "__main__":
    main()
