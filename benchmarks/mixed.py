"""What others feel: a classify beside 16 chats that never end, and two tenants with one runtime."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Mapping
from functools import partial

from llmaas_client.bench.load import Closed, Limit
from llmaas_client.bench.session import Level, Plan, Session
from llmaas_client.bench.summary import Spread, summarize
from llmaas_client.bench.target import config_of

from . import engines
from .figures import Figure, Samples, in_turns, publish
from .options import CHAT_MODEL, Options, parse
from .peers import Served, our_names, ours
from .prefill import VOCABULARY
from .serve import plan_of

CHATS = 16
CLASSIFIES = 100
TEXT_TOKENS = 15
STREAMS = {"many": 12, "few": 4}
"""Streams of the two tenants. Both want more than their half of the runtime."""
NAME = "mixed"


def measure(options: Options) -> list[Figure]:
    count = 10 if options.quick else CLASSIFIES
    (name, *_) = our_names(options)
    quantization = options.quantizations[0]
    with ours(options, quantization) as served:
        beside = in_turns(
            {name: served}, lambda s: asyncio.run(_beside(s, count)), options.rounds, name
        )
    with engines.ours(options, quantization, CHAT_MODEL) as child:
        shares = in_turns(
            {name: partial(child.ask, do="share")},
            lambda ask: _share(
                ask(
                    prompt=random.choices(VOCABULARY, k=64),
                    streams=STREAMS,
                    seconds=3.0 if options.quick else 20.0,
                )["tokens"]
            ),
            options.rounds,
            name,
        )
    return [*beside, *shares]


async def _beside(served: Served, count: int) -> Samples:
    """The same classify, idle and beside the chats."""
    config = config_of(served.url, served.key)
    classify = Plan(
        seed=secrets.token_hex(4),
        task="classify",
        prompt_tokens=TEXT_TOKENS,
        limit=Limit(requests=count),
    )
    chat = plan_of(served, 64, Limit(seconds=600.0))
    async with Session(config, classify) as session, Session(config, chat) as chats:
        idle = _latency(await session.run(Closed(1)))
        saturating = asyncio.create_task(chats.run(Closed(CHATS)))
        while not (chats.levels and len(chats.levels[0].samples) >= CHATS):
            if saturating.done():
                saturating.result()
            await asyncio.sleep(0.05)  # until the chats are spread over their answers
        loaded = _latency(await session.run(Closed(1)))
        saturating.cancel()
        await asyncio.gather(saturating, return_exceptions=True)
    step = summarize(chats.levels[0]).gap_ms
    if step is None:
        raise RuntimeError("the chats brought no tokens")
    return {
        "classify idle: p95, ms": idle.p95,
        "classify beside 16 chats: p50, ms": loaded.p50,
        "classify beside 16 chats: p95, ms": loaded.p95,
        "a step of 16 chats: p50, ms": step.p50,
        "classify beside 16 chats: p95 - idle p95, in steps": (loaded.p95 - idle.p95) / step.p50,
    }


def _latency(level: Level) -> Spread:
    summary = summarize(level)
    if summary.failed or summary.latency_ms is None:
        raise RuntimeError(f"{summary.failed} failed: {summary.messages}")
    return summary.latency_ms


def _share(tokens: Mapping[str, int]) -> Samples:
    """Jain's index of the two tenants' tokens: 1 is equal shares, 0.5 is all to one."""
    shares = [tokens.get(tenant, 0) for tenant in STREAMS]
    whole = sum(shares)
    if not whole:
        raise RuntimeError("no tenant got a token")
    return {
        "two tenants, 12 and 4 streams: Jain's index": whole**2
        / (len(shares) * sum(share**2 for share in shares)),
        "two tenants, 12 and 4 streams: share of the one with 12": shares[0] / whole,
    }


if __name__ == "__main__":
    chosen = parse(NAME, __doc__)
    publish(chosen, measure(chosen))
