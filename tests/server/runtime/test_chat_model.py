"""The embedded chat model in float32, token for token as transformers generates it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import torch

from llmaas_server.runtime.engine import Engine, create
from llmaas_server.runtime.interface import Model
from llmaas_server.runtime.loader import load
from llmaas_server.runtime.request import Generation, Sampling, Token
from llmaas_server.seam.values import ModelRef, WorkerOptions

pytestmark = pytest.mark.real_models

OPTIONS = WorkerOptions(device="cpu", dtype="float32")
TOKENS = 12
TIE = 1e-3
"""Where the two best logits are closer, rounding decides, and the texts may part."""

SENTENCES = (
    "The river rose for three days, and on the fourth the bridge at the mill was closed.",
    "Two farmers had moved their sheep to the hill before the water came over the wall.",
    "The council sent a boat with bread, candles and a doctor to the houses on the island.",
    "Nobody was hurt, but the school lost its books and the baker lost his oven.",
    "In the evening the rain stopped, and people went out with lanterns to see the damage.",
)
QUESTIONS = (
    "Hi",
    "What is the capital of France?",
    "Write a haiku about autumn.",
    "Translate 'good morning' into Spanish.",
    "Give me three names for a black cat.",
    "Why is the sky blue? Answer in one sentence.",
    "Write a Python function that reverses a string.",
    "List the planets of the solar system.",
    "What should I cook with eggs and spinach?",
    "Explain gravity to a child.",
)
# How many sentences of the story stand before a request, the longest beyond one step's tokens.
STORIES = (1, 1, 2, 2, 3, 4, 6, 8, 10, 28)


def conversations() -> list[list[dict[str, str]]]:
    stories = [" ".join(SENTENCES[at % len(SENTENCES)] for at in range(count)) for count in STORIES]
    texts = [*QUESTIONS, *(f"{story}\n\nSummarize this in one sentence." for story in stories)]
    return [[{"role": "user", "content": text}] for text in texts]


@pytest.fixture(scope="module")
def reference(chat_ref: ModelRef) -> Any:
    """The module of transformers, loaded apart from the engine's."""
    return load(chat_ref, OPTIONS, lambda share: None).module


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    engine = create(OPTIONS)
    yield engine
    await asyncio.to_thread(engine.close)


async def answer(engine: Engine, model: Model, prompt: list[int]) -> list[int]:
    work = Generation(tuple(prompt), TOKENS, Sampling(temperature=0.0))
    return [item.id async for item in engine.generate(model, work) if isinstance(item, Token)]


@torch.inference_mode()
def generate(module: Any, prompt: list[int]) -> tuple[list[int], torch.Tensor]:
    """The tokens of `transformers.generate`, and the logits of each, [tokens, vocabulary]."""
    ids = torch.tensor([prompt])
    out = module.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=TOKENS,
        do_sample=False,
        temperature=None,
        top_p=None,
        top_k=None,
        eos_token_id=None,
        pad_token_id=0,
        return_dict_in_generate=True,
        output_logits=True,
    )
    return out.sequences[0, len(prompt) :].tolist(), torch.cat(out.logits)


def parts_at_a_tie(found: list[int], expected: list[int], logits: torch.Tensor) -> bool:
    """Whether the texts part at a tie of the reference; fails where they part without one."""
    assert len(found) == len(expected) == TOKENS
    for row, ours, theirs in zip(logits, found, expected, strict=True):
        if ours != theirs:
            gap = abs(float(row[theirs] - row[ours]))
            assert gap < TIE, f"{found} is not {expected}: their logits differ by {gap}"
            return True
    return False


async def test_greedy_text_is_that_of_transformers(
    engine: Engine, chat_ref: ModelRef, reference: Any
) -> None:
    model = await engine.load(chat_ref)
    prompts = [model.tokenizer.encode_chat(messages) for messages in conversations()]
    assert len(prompts) == 20
    assert max(map(len, prompts)) > OPTIONS.max_step_tokens
    together = await asyncio.gather(*(answer(engine, model, prompt) for prompt in prompts))
    ties = 0
    for prompt, found in zip(prompts, together, strict=True):
        ties += parts_at_a_tie(found, *generate(reference, prompt))
    print(f"{ties} of {len(prompts)} texts part at a tie")
    assert ties < len(prompts)


async def test_alone_is_as_among_fifteen_others(
    engine: Engine, chat_ref: ModelRef, reference: Any
) -> None:
    model = await engine.load(chat_ref)
    prompts = [model.tokenizer.encode_chat(messages) for messages in conversations()[:16]]
    alone = await answer(engine, model, prompts[12])
    among = (await asyncio.gather(*(answer(engine, model, prompt) for prompt in prompts)))[12]
    _, logits = generate(reference, prompts[12])
    tie = parts_at_a_tie(among, alone, logits)
    print(f"{int(tie)} of 1 texts part at a tie")
