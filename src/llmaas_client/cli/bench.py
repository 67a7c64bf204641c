"""`llmaas bench`: put a load on a server and time its answers."""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from pydantic import TypeAdapter, ValidationError

from llmaas_client.bench import plot as plotting
from llmaas_client.bench.load import MAX_CONCURRENCY, Closed, Limit, Load, Open
from llmaas_client.bench.prompts import Given, read_prompts
from llmaas_client.bench.session import Plan, Session
from llmaas_client.bench.summary import Summary, summarize
from llmaas_client.bench.table import arithmetic_line, heading, notes, table
from llmaas_client.bench.target import Arithmetic, config_of

from .failures import FAILED, INTERRUPTED, WrongUsage
from .inputs import from_file
from .options import BaseURL, Model


def bench(
    base_url: BaseURL = None,
    api: Annotated[
        Literal["openai", "llmaas"] | None,
        typer.Option(help="How the server is asked; else as its list of models suggests."),
    ] = None,
    api_key: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="The key; else as the other commands find it."),
    ] = None,
    model: Model = None,
    task: Annotated[Literal["chat", "classify", "embed"], typer.Option()] = "chat",
    concurrency: Annotated[
        str | None,
        typer.Option(
            metavar="N,N,…", help="Clients that each wait for their answer; 1,4,16 without --rate."
        ),
    ] = None,
    rate: Annotated[
        str | None,
        typer.Option(
            metavar="R,R,…", help="Instead: so many requests a second, whatever comes back."
        ),
    ] = None,
    requests: Annotated[
        int | None, typer.Option(min=1, help="End a load after so many requests.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(min=0.1, help="End a load after so many seconds.")
    ] = None,
    prompt_tokens: Annotated[int, typer.Option(min=1, help="Length of made-up prompts.")] = 125,
    output_tokens: Annotated[int, typer.Option(min=1, help="Length of answers.")] = 64,
    prompts: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="JSON lines with `prompt` or `messages` instead."),
    ] = None,
    shared_prefix: Annotated[
        int, typer.Option(min=0, metavar="N", help="The first N tokens are the same in all.")
    ] = 0,
    batch: Annotated[
        int, typer.Option(min=1, max=1024, help="Texts in a request of classify and embed.")
    ] = 1,
    warmup: Annotated[int, typer.Option(min=0, help="Requests before each load.")] = 2,
    seed: Annotated[
        str | None, typer.Option(help="The same seed sends the same; else a new one is drawn.")
    ] = None,
    ignore_eos: Annotated[
        bool, typer.Option(help="Ask for answers of the full length, whatever they say.")
    ] = True,
    extra: Annotated[
        str | None, typer.Option(metavar="JSON", help="Fields to add to every request.")
    ] = None,
    timeout: Annotated[
        float, typer.Option(min=0.1, metavar="SECONDS", help="Time for one request.")
    ] = 600.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw latency against throughput: .png or .svg."),
    ] = None,
) -> None:
    """Measure a server of llmaas, or any that has OpenAI's chat completions.

    llmaas bench --concurrency 1,4,16 --prompt-tokens 125 --output-tokens 64
    """
    plan = Plan(
        seed=seed or secrets.token_hex(4),
        task=task,
        api=api,
        model=model,
        prompt_tokens=prompt_tokens,
        output_tokens=output_tokens,
        shared_prefix=shared_prefix,
        given=_given(prompts),
        batch=batch,
        ignore_eos=ignore_eos,
        extra=_fields(extra),
        limit=Limit(requests, seconds),
        warmup=warmup,
        timeout=timeout,
    )
    loads = _loads(concurrency, rate)
    if plot is not None:
        plotting.check(plot)
    session = Session(config_of(base_url, api_key), plan)
    interrupted, arithmetic = _run(session, loads)
    summaries = [summarize(level) for level in session.levels]
    if as_json:
        typer.echo(json.dumps(_as_json(session, arithmetic, summaries), indent=2))
    else:
        _show(session, arithmetic, summaries)
    if plot is not None and any(summary.latency_ms for summary in summaries):
        plotting.draw(plot, heading(session.target, plan), summaries)
        typer.echo(f"wrote {plot}", err=True)
    if interrupted:
        raise typer.Exit(INTERRUPTED)
    if not all(summary.requests > summary.failed for summary in summaries):
        raise typer.Exit(FAILED)


def _run(session: Session, loads: Sequence[Load]) -> tuple[bool, Arithmetic]:
    """Whether Ctrl-C ended it, and how the server computed; what was seen until then is in the
    session."""

    async def all_loads() -> Arithmetic:
        async with session:
            for load in loads:
                if sys.stderr.isatty():
                    typer.echo(f"{load} …", err=True)
                await session.run(load)
            return await session.ask_arithmetic()

    try:
        return False, asyncio.run(all_loads())
    except KeyboardInterrupt:
        if not session.levels:
            raise
        return True, Arithmetic()


def _loads(concurrency: str | None, rate: str | None) -> list[Load]:
    if rate is None:
        counts = _numbers(concurrency or "1,4,16", "--concurrency", int)
        if max(counts) > MAX_CONCURRENCY:
            raise WrongUsage(f"--concurrency has at most {MAX_CONCURRENCY} clients")
        return [Closed(int(count)) for count in counts]
    if concurrency is not None:
        raise WrongUsage("--concurrency and --rate are two kinds of load: give one of them")
    return [Open(number) for number in _numbers(rate, "--rate", float)]


def _numbers(text: str, option: str, kind: type[int] | type[float]) -> list[float]:
    try:
        numbers = [kind(part) for part in text.split(",")]
    except ValueError:
        raise WrongUsage(f"{option} takes numbers with commas between them") from None
    if not all(0 < number < float("inf") for number in numbers):
        raise WrongUsage(f"{option} takes numbers above 0")
    return numbers


def _given(name: str | None) -> Given | None:
    return None if name is None else read_prompts(from_file(name), name)


def _fields(extra: str | None) -> dict[str, Any]:
    try:
        return TypeAdapter(dict[str, Any]).validate_json(extra or "{}")
    except ValidationError:
        raise WrongUsage('--extra takes a JSON object, such as {"top_k": 1}') from None


def _as_json(
    session: Session, arithmetic: Arithmetic, summaries: Sequence[Summary]
) -> dict[str, Any]:
    plan = session.plan
    return {
        "url": session.target.url,
        "api": session.target.api,
        "model": session.target.model,
        "kernels": arithmetic.kernels,
        "quantization": arithmetic.quantization,
        "task": plan.task,
        "seed": plan.seed,
        "batch": plan.batch,
        "shared_prefix": plan.shared_prefix,
        "ignore_eos": plan.ignore_eos,
        "loads": [asdict(summary) for summary in summaries],
    }


def _show(session: Session, arithmetic: Arithmetic, summaries: Sequence[Summary]) -> None:
    from rich.console import Console

    typer.echo(heading(session.target, session.plan))
    if line := arithmetic_line(arithmetic):
        typer.echo(line)
    console = Console(width=None if sys.stdout.isatty() else 160, highlight=False)
    console.print(table(summaries))
    for note in notes(summaries):
        typer.echo(note)
