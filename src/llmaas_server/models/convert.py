"""Convert a GGUF file to a folder that transformers reads. A process of its own:

    python -m llmaas_server.models.convert FILE FOLDER [GENERATION]

GENERATION is JSON for generation_config.json. A refusal is one line of JSON on stdout (`message`,
`hint`) and the exit status 3. No torch.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llmaas_server.errors import Problem

_REFUSED = 3
_ALTERNATIVE = "Pull the model's safetensors from the hub instead (`llmaas models pull ORG/MODEL`)."


def convert_in_child(source: Path, target: Path, generation: Mapping[str, Any]) -> None:
    """Run the conversion in a child process, so that a damaged file can hurt nothing else.

    Raises Problem `model_broken` that names the file.
    """
    ended = subprocess.run(
        [
            sys.executable, "-m", "llmaas_server.models.convert",
            str(source), str(target), json.dumps(dict(generation)),
        ],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if ended.returncode == 0:
        return
    if ended.returncode == _REFUSED:
        refusal = json.loads(ended.stdout)
        raise Problem("model_broken", refusal["message"], hint=refusal["hint"])
    last = (ended.stderr.strip().splitlines() or [f"exit status {ended.returncode}"])[-1]
    raise Problem("model_broken", f"{source.name} cannot be converted: {last}", hint=_ALTERNATIVE)


def convert(source: Path, target: Path, generation: Mapping[str, Any]) -> None:
    """Write the files of the model into the folder `target`.

    Raises Unsupported for architectures and tokenizers that are not known, and ValueError for a
    file that is damaged.
    """
    from .conversion import config, header, layout, tensors, tokenizer

    gguf = header.read(source)
    family = config.family_of(gguf)
    model = config.model_config(gguf, family)
    pairs = layout.match(gguf, layout.slots_of(model, family))
    context = model["max_position_embeddings"]
    built = tokenizer.build(gguf)
    if built.get_vocab_size() > model["vocab_size"]:
        raise header.BrokenFile("has more tokens than embeddings")
    built.save(str(target / "tokenizer.json"))
    _write(target / "tokenizer_config.json", tokenizer.tokenizer_config(gguf, context))
    _write(target / "config.json", model)
    _write(target / "generation_config.json", config.generation_config(gguf, generation))
    _write(target / "quantization.json", tensors.quantization(pairs))
    parts = [part for tensor, slot in pairs for part in tensors.parts_of(gguf, tensor, slot)]
    tensors.write(target / "model.safetensors", parts, {"format": "pt"})


def _write(path: Path, value: Mapping[str, Any]) -> None:
    kept = {key: item for key, item in value.items() if item is not None}
    path.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def main(arguments: list[str]) -> int:
    source, target = Path(arguments[0]), Path(arguments[1])
    generation = json.loads(arguments[2]) if len(arguments) > 2 else {}
    from .conversion.config import Unsupported

    try:
        convert(source, target, generation)
    except Unsupported as error:
        return _refuse(f"{source.name} {error}", _ALTERNATIVE)
    except ValueError as error:
        return _refuse(f"{source.name} {error}", "Fetch the file anew from its source.")
    return 0


def _refuse(message: str, hint: str) -> int:
    sys.stdout.write(json.dumps({"message": message, "hint": hint}) + "\n")
    return _REFUSED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
