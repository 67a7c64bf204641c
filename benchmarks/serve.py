"""Chats over HTTP: output tokens a second and the time to the first token, for 1 to 64 clients.

Prompts of 125 tokens, answers of 64; no prompt twice.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence

from llmaas_client.bench.load import Closed, Limit
from llmaas_client.bench.session import Plan, Session
from llmaas_client.bench.summary import Summary, summarize
from llmaas_client.bench.target import config_of

from .figures import Figure, Samples, in_turns, publish
from .options import Options, parse
from .peers import Served, all_servers, our_names

CLIENTS = (1, 16, 32, 64)
PROMPT_TOKENS = 125
OUTPUT_TOKENS = 64
NAME = "serve"


def measure(options: Options) -> list[Figure]:
    clients = options.clients or ((1, 4) if options.quick else CLIENTS)
    output = 8 if options.quick else OUTPUT_TOKENS
    with all_servers(options) as servers:
        return in_turns(
            servers,
            lambda served: asyncio.run(_round(served, clients, output)),
            options.rounds,
            our_names(options)[0],
        )


async def _round(served: Served, clients: Sequence[int], output_tokens: int) -> Samples:
    found: dict[str, float] = {}
    for count in clients:
        # Twice as many requests as clients: half of them start while others are under way.
        plan = plan_of(served, output_tokens, Limit(requests=max(4, 2 * count)))
        async with Session(config_of(served.url, served.key), plan) as session:
            summary = summarize(await session.run(Closed(count)))
        _check(summary, output_tokens)
        found |= _samples(f"{count} clients", summary)
    return found


def plan_of(served: Served, output_tokens: int, limit: Limit) -> Plan:
    """Requests that every server answers with the same number of tokens."""
    return Plan(
        seed=secrets.token_hex(4),
        model=served.model,
        prompt_tokens=PROMPT_TOKENS,
        output_tokens=output_tokens,
        ignore_eos=served.ignores_eos,
        extra=served.extra,
        limit=limit,
    )


def _check(summary: Summary, output_tokens: int) -> None:
    """Raises RuntimeError for a load that cannot be compared with another."""
    if summary.failed:
        raise RuntimeError(f"{summary.load}: {summary.failed} failed: {summary.messages}")
    if summary.estimated or summary.output_tokens != output_tokens:
        raise RuntimeError(f"{summary.load}: answers of {summary.output_tokens} tokens")


def _samples(load: str, summary: Summary) -> Samples:
    assert summary.first_token_ms is not None, "answers of tokens have a first one"
    return {
        f"{load}: output tokens/s": summary.output_tokens_per_s,
        f"{load}: first token p50, ms": summary.first_token_ms.p50,
        f"{load}: first token max, ms": summary.first_token_ms.max,
    }


if __name__ == "__main__":
    chosen = parse(NAME, __doc__)
    publish(chosen, measure(chosen))
