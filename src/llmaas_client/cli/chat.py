"""`llmaas chat`: an answer, or a conversation."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from llmaas_client.conversations.overflow import Policy

from .conversation import Conversation
from .failures import WrongUsage
from .inputs import from_stdin
from .options import TIMEOUT, BaseURL, Json, Model, Seconds, connect


def chat(
    prompt: Annotated[
        str | None,
        typer.Argument(
            metavar="PROMPT|-",
            help="Your message. Without it: a conversation on a terminal, else standard input.",
        ),
    ] = None,
    system: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What the model is to be.")
    ] = None,
    max_tokens: Annotated[int | None, typer.Option(help="Most tokens of an answer.")] = None,
    temperature: Annotated[
        float | None, typer.Option(help="0 always takes the likeliest token.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same answer.")] = None,
    overflow: Annotated[
        Policy,
        typer.Option(
            help="Of a conversation that exceeds the model's context: end with an error, leave out "
            "the oldest turns, or send a summary of them."
        ),
    ] = "error",
    model: Model = None,
    as_json: Json = False,
    base_url: BaseURL = None,
    timeout: Seconds = TIMEOUT,
) -> None:
    """Chat with a model; the answer is shown while it is written.

    In a conversation, Ctrl-C stops an answer, /undo takes the last turn back, /clear forgets what
    was said, /save FILE and /load FILE keep it, /exit or Ctrl-D leaves.
    """
    talk = prompt is None and sys.stdin.isatty()
    if talk and as_json:
        raise WrongUsage("--json needs a prompt, or text on standard input")
    with connect(base_url, timeout) as client:
        conversation = Conversation(
            client,
            model=model,
            system=system,
            max_tokens=max_tokens,
            temperature=temperature,
            seed=seed,
            overflow=overflow,
        )
        if talk:
            conversation.talk()
            return
        words = from_stdin(asked=True) if prompt is None or prompt == "-" else prompt
        result = conversation.answer(words, quiet=as_json)
    if as_json:
        typer.echo(result.model_dump_json())
    elif result.finish_reason == "length":
        typer.echo("note: the answer was cut; --max-tokens sets how long it may be", err=True)
