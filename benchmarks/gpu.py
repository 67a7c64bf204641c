"""Answers on a GPU: tokens a second at 1, 32 and 256 streams, on a Llama of random weights.

Needs no model and no server: both contestants get the same module. Without a GPU it says so and
measures nothing.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

from llmaas_server.runtime.cuda.decoder import PagedDecoder
from llmaas_server.runtime.cuda.pages import PAGE_TOKENS
from llmaas_server.runtime.lane import Job
from llmaas_server.runtime.lanes.generate import GenerateLane
from llmaas_server.runtime.request import Generation, Sampling, Token
from llmaas_server.seam.values import WorkerOptions

from .figures import Figure, in_turns, note, publish
from .options import Options, parse

NAME = "gpu"
OURS = "llmaas"
STREAMS = (1, 32, 256)
PROMPT, ANSWER = 128, 256
SHAPE: dict[str, Any] = {  # 8 billion weights, as Llama 3.1 8B has them
    "vocab_size": 128256,
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "max_position_embeddings": 8192,
}
SMALL: dict[str, Any] = SHAPE | {
    "hidden_size": 2048,
    "intermediate_size": 8192,
    "num_hidden_layers": 16,
}
"""About a billion, for a quick run."""


def measure(options: Options) -> list[Figure]:
    if not torch.cuda.is_available():
        note("there is no GPU here: nothing was measured")
        return []
    device = torch.device("cuda")
    module = random_llama(SMALL if options.quick else SHAPE, device)
    answer = ANSWER // 8 if options.quick else ANSWER
    limit = bandwidth(device)
    lane = lane_of(module, device, max(options.clients or STREAMS), PROMPT + answer)
    # transformers keeps the attention of its own; the weights are the same tensors.
    theirs = shared_copy(module)
    figures: list[Figure] = []
    for streams in options.clients or STREAMS:
        contestants: dict[str, Callable[[], Mapping[str, float]]] = {
            OURS: partial(generate, lane, streams, answer, limit),
            "transformers generate_batch": partial(generate_batch, theirs, streams, answer),
        }
        for contestant in contestants.values():
            contestant()  # warms up
        found = in_turns(contestants, lambda ask: ask(), options.rounds, OURS)
        figures += [
            Figure(f"{streams} streams: {one.measure}", one.of, one.median, one.rounds, one.ratio)
            for one in found
        ]
    return figures


def random_llama(shape: Mapping[str, Any], device: torch.device) -> Any:
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    with torch.device(device):
        return LlamaForCausalLM(LlamaConfig(**shape)).to(dtype).eval().requires_grad_(False)


def shared_copy(module: Any) -> Any:
    """Another module over the same weights."""
    memo = {id(tensor): tensor for tensor in (*module.parameters(), *module.buffers())}
    copied = copy.deepcopy(module, memo)
    copied.set_attn_implementation("sdpa")
    return copied


def lane_of(module: Any, device: torch.device, streams: int, context: int) -> GenerateLane:
    # A page more for each: the scheduler keeps one free for every answer to grow into.
    context += PAGE_TOKENS
    decoder = PagedDecoder(module, device, streams, context)
    blocks = streams * -(-context // decoder.block_tokens)
    options = WorkerOptions(
        max_sequences=streams,
        max_step_tokens=max(2048, 2 * streams),
        kv_bytes=blocks * decoder.block_tokens * decoder.bytes_per_token,
    )
    return GenerateLane(decoder, context, options)


def prompts(streams: int) -> list[tuple[int, ...]]:
    """Never the same twice: caches of prefixes find nothing."""
    return [tuple(torch.randint(3, 1000, (PROMPT,)).tolist()) for _ in range(streams)]


def generate(lane: GenerateLane, streams: int, answer: int, limit: float) -> dict[str, float]:
    """`limit` is the memory's bytes a second: what a step of answers has to read, at least, are
    the weights and all keys and values."""
    asked = prompts(streams)
    for id, prompt in enumerate(asked):
        work = Generation(prompt, answer, Sampling(temperature=0.0))
        lane.submit(Job(id, work, time.monotonic()))
    started = time.perf_counter()
    tokens = 0
    answering: set[int] = set()
    reads, seconds = 0.0, 0.0
    while lane.busy:
        all_answer = answering == set(range(len(asked)))
        began = time.perf_counter()
        outputs = lane.step()
        tokens += sum(isinstance(item, Token) for output in outputs for item in output.items)
        answering = {output.job_id for output in outputs if not output.done}
        if all_answer:
            seconds += time.perf_counter() - began
            keys = len(asked) * PROMPT + tokens
            reads += lane.decoder.weight_bytes + keys * lane.decoder.bytes_per_token
    elapsed = time.perf_counter() - started
    return {
        "tokens/s": len(asked) * answer / elapsed,
        "share of the memory's bandwidth": reads / seconds / limit if seconds else 0.0,
    }


def generate_batch(module: Any, streams: int, answer: int) -> dict[str, float]:
    asked = prompts(streams)
    config = GenerationConfig(
        max_new_tokens=answer, do_sample=False, eos_token_id=-1, pad_token_id=0
    )
    started = time.perf_counter()
    found = module.generate_batch([list(prompt) for prompt in asked], generation_config=config)
    elapsed = time.perf_counter() - started
    tokens = sum(len(output.generated_tokens) for output in found.values())
    return {"tokens/s": tokens / elapsed}


def bandwidth(device: torch.device) -> float:
    """Bytes a second that the memory reads and writes in a plain copy: no step gets more."""
    source = torch.empty(1 << 30, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    event: Any = torch.cuda.Event
    start, end = (event(enable_timing=True) for _ in range(2))
    target.copy_(source)
    start.record()
    for _ in range(10):
        target.copy_(source)
    end.record()
    end.synchronize()
    seconds = float(start.elapsed_time(end)) / 1e3
    return 10 * 2 * source.nbytes / seconds


if __name__ == "__main__":
    chosen = parse(NAME, __doc__)
    publish(chosen, measure(chosen))
