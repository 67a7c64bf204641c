"""`llmaas prices`: what calls cost, and what they are to cost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

import typer
from typer import Option

from llmaas_client.display import clean
from llmaas_client.wire.prices import Price

from .completing import model_names
from .failures import WrongUsage
from .managing import TIMEOUT, Json, Seconds, managing
from .options import BaseURL
from .tables import moment, print_json, print_list

prices = typer.Typer(help="Prices: list, set.", no_args_is_help=True, rich_markup_mode=None)

COLUMNS: dict[str, Callable[[Price], str]] = {
    "version": lambda price: str(price.id),
    "model": lambda price: clean(price.model or "any"),
    "task": lambda price: clean(price.task or "any"),
    "prompt": lambda price: price.prompt,
    "cached": lambda price: price.cached,
    "completion": lambda price: price.completion,
    "cpu s": lambda price: price.cpu_second,
    "gpu s": lambda price: price.gpu_second,
    "most s": lambda price: price.most_seconds,
    "valid from": lambda price: moment(price.valid_from),
}


@prices.command("list")
def list_(as_json: Json = False, base_url: BaseURL = None, timeout: Seconds = TIMEOUT) -> None:
    """List all versions: prices of a million tokens, and of a second.

    For a call that one holds whose model and task are named, then its model's, then its task's;
    of several versions the one that is valid latest.
    """
    with managing(base_url, timeout) as client:
        found = client.prices.list()
    print_list(found, as_json, COLUMNS)


@prices.command("set")
def set_(
    model: Annotated[
        str | None,
        Option(metavar="NAME", help="Of this model; else any.", autocompletion=model_names),
    ] = None,
    task: Annotated[str | None, Option(metavar="TASK", help="Of this task; else any.")] = None,
    prompt: Annotated[
        str | None, Option(metavar="AMOUNT", help="For a million tokens of prompts.")
    ] = None,
    cached: Annotated[
        str | None,
        Option(metavar="AMOUNT", help="For a million not computed anew; else as --prompt."),
    ] = None,
    completion: Annotated[
        str | None, Option(metavar="AMOUNT", help="For a million generated tokens.")
    ] = None,
    cpu_second: Annotated[
        str | None, Option(metavar="AMOUNT", help="For a second of a CPU.")
    ] = None,
    gpu_second: Annotated[
        str | None, Option(metavar="AMOUNT", help="For a second of a GPU.")
    ] = None,
    most_seconds: Annotated[
        str | None,
        Option(metavar="SECONDS", help="The time that a call is charged for at most."),
    ] = None,
    valid_from: Annotated[
        str | None, Option("--from", metavar="MOMENT", help="In UTC, not in the past; else now.")
    ] = None,
    as_json: Json = False,
    base_url: BaseURL = None,
    timeout: Seconds = TIMEOUT,
) -> None:
    """Set a price: a new version; calls that run keep the old one.

    llmaas prices set --model smollm2-135m-instruct-q4_1 --prompt 0.10 --completion 0.40
    """
    if (prompt, completion, cpu_second, gpu_second) == (None,) * 4:
        raise WrongUsage("say what it costs: --prompt 0.10 --completion 0.40; 0 is free")
    begins = None if valid_from is None else _moment(valid_from)
    with managing(base_url, timeout) as client:
        made = client.prices.set(
            model=model,
            task=task,
            prompt=prompt,
            cached=cached,
            completion=completion,
            cpu_second=cpu_second,
            gpu_second=gpu_second,
            most_seconds=most_seconds,
            valid_from=begins,
        )
    if as_json:
        print_json(made.model_dump(mode="json"))
        return
    print_list([made], False, COLUMNS)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise WrongUsage(f"--from {text!r} is no moment: write 2026-01-31T00:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
