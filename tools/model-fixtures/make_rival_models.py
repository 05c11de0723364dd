"""Writes the Whisper of make_benchmark_whisper.py for others to decode: int8 for faster-whisper, ggml for whisper.cpp.

The weights are drawn again from the same seed and compared with the model's own files. rival_build.sh runs this, at the end:
  python3 make_rival_models.py /tmp/whisper-base /tmp/rivals
Needs torch, transformers 4.44.2, faster-whisper. rivals.json, which `npm run bench -- asr --rivals` reads, names what was built.
"""
import json
import mmap
import subprocess
import sys
from pathlib import Path

import ctranslate2
import faster_whisper
import torch
from ctranslate2.converters.transformers import WhisperLoader
from tokenizers import Tokenizer
from transformers import WhisperConfig, WhisperForConditionalGeneration

from rival_ggml import write_ggml

SEED = 1
# Each with the kinds of weights to run.
BUILDS = {
    "default": ("whisper.cpp, default build", ["f16", "q8_0"]),
    "best": ("whisper.cpp, best build", ["f16", "q8_0", "q5_1"]),
    "openblas": ("whisper.cpp, best build with OpenBLAS", ["f16", "q8_0"]),
}
# Kernels that these would not take by themselves on AMD. Where a processor lacks them they are not asked for.
OPENBLAS_KERNELS = {"avx512_bf16": "Cooperlake", "avx512bw": "SkylakeX"}


def main():
    source, folder = Path(sys.argv[1]), Path(sys.argv[2])
    config = WhisperConfig.from_pretrained(source, attn_implementation="eager")
    torch.manual_seed(SEED)
    model = WhisperForConditionalGeneration(config).eval()
    check_same(model, source)
    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    write_ggml(model, tokenizer, folder / "ggml-f16.bin")
    # Last: it makes integers of the weights where they are.
    write_ctranslate2(model, tokenizer, folder / "faster-whisper-int8")
    for kind in ("q8_0", "q5_1"):
        quantize = folder / "build" / "best" / "bin" / "whisper-quantize"
        subprocess.run([quantize, folder / "ggml-f16.bin", folder / f"ggml-{kind}.bin", kind], check=True, capture_output=True)
    rivals = [*whisper_cpp_rivals(folder), *faster_whisper_rivals(folder)]
    (folder / "rivals.json").write_text(json.dumps({"rivals": rivals}, indent=2) + "\n")
    print(json.dumps({path.name: path.stat().st_size for path in sorted(folder.glob("ggml-*.bin"))}))


def check_same(model, source):
    """Another torch may draw otherwise: the exported files must hold these very bytes."""
    samples = {"encoder_model.onnx": model.model.encoder.conv2.weight, "decoder_model_merged.onnx": model.model.decoder.embed_positions.weight}
    for name, weight in samples.items():
        with open(source / "onnx" / name, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            if content.find(weight.detach().numpy().tobytes()) < 0:
                raise SystemExit(f"{name} has other weights than those drawn here: make both with the same torch and transformers")


def write_ctranslate2(model, tokenizer, folder):
    # The converter's own loader, given the model itself: its command line wants a newer transformers, with a newer torch.
    model.generation_config.update(suppress_tokens=[], begin_suppress_tokens=[])
    spec = WhisperLoader()(model, tokenizer)
    spec.validate()
    spec.optimize(quantization="int8")
    folder.mkdir(parents=True, exist_ok=True)
    spec.save(str(folder))


def processor_has(flag):
    return flag in Path("/proc/cpuinfo").read_text().split()


def whisper_cpp_rivals(folder):
    version = (folder / "whisper.cpp.version").read_text().strip()
    kernels = [name for flag, name in OPENBLAS_KERNELS.items() if processor_has(flag)][:1]
    rivals = []
    for build, (name, kinds) in BUILDS.items():
        program = folder / "build" / build / "rival"
        if not program.exists():
            continue
        env = {"OPENBLAS_CORETYPE": kernel for kernel in kernels if build == "openblas"}
        flags = (folder / "build" / build / "flags").read_text().strip()
        for kind in kinds:
            command = [str(program), str(folder / f"ggml-{kind}.bin")]
            rivals.append({"name": f"{name}, {kind}", "version": version, "flags": told(flags, env), "command": command, "env": env})
    return rivals


def faster_whisper_rivals(folder):
    program = Path(__file__).resolve().parent / "rival_faster_whisper.py"
    command = [str(folder / "venv" / "bin" / "python"), str(program), str(folder / "faster-whisper-int8")]
    common = {"version": f"faster-whisper {faster_whisper.__version__}, CTranslate2 {ctranslate2.__version__}", "command": command}
    flags = "PyPI wheels, compute_type int8"
    rivals = [{"name": "faster-whisper, int8", "flags": flags, **common}]
    if processor_has("avx512bw"):
        env = {"CT2_FORCE_CPU_ISA": "AVX512"}
        rivals.append({"name": "faster-whisper, int8, AVX-512 asked for", "flags": told(flags, env), "env": env, **common})
    return rivals


def told(flags, env):
    return " ".join([flags, *(f"{name}={value}" for name, value in env.items())])


if __name__ == "__main__":
    main()
