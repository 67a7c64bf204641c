"""Vectors of 256 short texts and of 256 long ones, of about 15 and 200 tokens.

Ours and onnxruntime's are given tokens; sentence-transformers and ours once more are given texts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np

from .engines import Engine, engine, ours
from .figures import Figure, Samples, in_turns, note, publish
from .formats import REFERENCE
from .options import EMBED_MODEL, Options, parse
from .texts import long_texts, short_texts

COUNT = 256
NAME = "encode"

Tokens = list[list[int]]


def measure(options: Options) -> list[Figure]:
    count = 16 if options.quick else COUNT
    with ExitStack() as stack:
        texts = {
            "short": short_texts(options.eval_data, count),
            "long": long_texts(options.eval_data, count),
        }
        with ours(options, REFERENCE, EMBED_MODEL) as reference:
            tokens = {
                name: reference.ask(do="tokenize", texts=some)["ids"]
                for name, some in texts.items()
            }
            expected = {
                name: np.array(reference.ask(do="embed", ids=ids)["vectors"])
                for name, ids in tokens.items()
            }

        def samples(ask: Callable[[str], dict[str, Any]], given: str) -> Samples:
            found: dict[str, float] = {}
            for name, ids in tokens.items():
                answer = ask(name)
                mean = sum(map(len, ids)) / len(ids)
                what = f"{len(ids)} {name} {given} (of {mean:.0f} tokens)"
                found[f"{what}: texts/s"] = len(ids) / answer["seconds"]
                found[f"{what}: cosine to fp32"] = _cosine(answer["vectors"], expected[name])
            return found

        by_tokens: dict[str, Callable[[str], dict[str, Any]]] = {}
        by_texts: dict[str, Callable[[str], dict[str, Any]]] = {}
        for quantization in options.quantizations:
            name = f"llmaas {quantization}"
            child = stack.enter_context(ours(options, quantization, EMBED_MODEL))
            by_tokens[name] = _asks(child, "embed", ids=tokens)
            by_texts[name] = _asks(child, "embed_texts", texts=texts)
        if options.peers_python is not None:
            python = options.peers_python
            common = {"folder": str(options.embed_folder), "threads": options.threads}
            for precision in ("int8", "fp32"):
                note(f"starting onnxruntime {precision}")
                settings = common | {"precision": precision}
                child = stack.enter_context(engine("onnx_encode", settings, python))
                by_tokens[f"onnxruntime {precision}"] = _asks(child, "embed", ids=tokens)
            note("starting sentence-transformers")
            child = stack.enter_context(engine("sentence_transformers_encode", common, python))
            by_texts["sentence-transformers fp32"] = _asks(child, "embed_texts", texts=texts)
        for ask in (*by_tokens.values(), *by_texts.values()):
            for name in tokens:
                ask(name)  # warms up
        first = f"llmaas {options.quantizations[0]}"
        return [
            *in_turns(by_tokens, lambda ask: samples(ask, "token lists"), options.rounds, first),
            *in_turns(by_texts, lambda ask: samples(ask, "texts"), options.rounds, first),
        ]


def _asks(child: Engine, do: str, **inputs: Any) -> Callable[[str], dict[str, Any]]:
    """A question about the short or the long texts."""
    return lambda name: child.ask(do=do, **{key: value[name] for key, value in inputs.items()})


def _cosine(vectors: Sequence[Sequence[float]], expected: Any) -> float:
    """Mean cosine of unit vectors to those expected."""
    return float((np.array(vectors) * expected).sum(axis=1).mean())


if __name__ == "__main__":
    chosen = parse(NAME, __doc__)
    publish(chosen, measure(chosen))
