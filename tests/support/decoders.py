"""Tiny random decoders straight from a config, and lanes run by hand, without an engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import transformers

from llmaas_server.runtime.decoder import TorchDecoder
from llmaas_server.runtime.lane import Job, Lane
from llmaas_server.runtime.lanes.generate import GenerateLane
from llmaas_server.runtime.request import Finished, Generation, Sampling, Token
from llmaas_server.seam.values import WorkerOptions

VOCABULARY = 300
CONTEXT = 512
GREEDY = Sampling(temperature=0.0)


def decoder(family: str = "Llama", *, seed: int = 0, config: str = "", **sizes: Any) -> Any:
    """A random model of a family of transformers, by the name of its classes."""
    settings = {
        "vocab_size": VOCABULARY,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 512,
        "initializer_range": 0.3,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 0,
    }
    configuration = getattr(transformers, config or f"{family}Config")(**{**settings, **sizes})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return getattr(transformers, f"{family}ForCausalLM")(configuration).eval()


def lane_of(module: Any, **options: Any) -> GenerateLane:
    decoder = TorchDecoder(module, torch.device("cpu"))
    return GenerateLane(decoder, CONTEXT, WorkerOptions(**{"device": "cpu", **options}))


def prompt_of(length: int, seed: int = 0) -> tuple[int, ...]:
    generator = torch.Generator().manual_seed(1000 * seed + length)
    return tuple(torch.randint(3, VOCABULARY, (length,), generator=generator).tolist())


def greedy(length: int, max_tokens: int = 12, **options: Any) -> Generation:
    return Generation(prompt_of(length), max_tokens, GREEDY, **options)


def drain(lane: Lane, works: Sequence[Any]) -> list[list[Any]]:
    """Submit all, step until the lane is idle, and give the items of each job."""
    items: dict[int, list[Any]] = {id: [] for id in range(len(works))}
    for id, work in enumerate(works):
        lane.submit(Job(id, work, submitted=0.0))
    while lane.busy:
        for output in lane.step():
            if output.problem is not None:
                raise output.problem
            items[output.job_id] += output.items
    lane.check()
    return list(items.values())


def ids_of(items: Sequence[Token | Finished]) -> list[int]:
    return [item.id for item in items if isinstance(item, Token)]


@torch.inference_mode()
def reference(module: Any, prompt: Sequence[int], count: int) -> tuple[list[int], torch.Tensor]:
    """What transformers generates greedily, and the logits of each step, [count, vocabulary]."""
    ids = torch.tensor([list(prompt)])
    out = module.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        do_sample=False,
        max_new_tokens=count,
        eos_token_id=None,
        pad_token_id=0,
        repetition_penalty=1.0,
        return_dict_in_generate=True,
        output_logits=True,
    )
    return out.sequences[0, len(prompt) :].tolist(), torch.cat(out.logits)
