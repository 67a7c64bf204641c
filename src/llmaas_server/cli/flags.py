"""The options of commands that start a server: each is a setting of the same name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Concatenate, ParamSpec, get_type_hints

import typer

from .opening import settings_from

if TYPE_CHECKING:
    from llmaas_server.settings import Settings

P = ParamSpec("P")


def taking_settings(command: Callable[Concatenate[Settings, P], None]) -> Callable[..., None]:
    """Give a command the options below beside its own; it is called with what they make of the
    settings. Ends the command where they cannot be used."""
    hints = get_type_hints(command, localns={"Settings": object}, include_extras=True)
    _, *own = inspect.signature(command).parameters.values()
    own = [one.replace(annotation=hints[one.name]) for one in own]
    shared = inspect.signature(_flags, eval_str=True).parameters

    @wraps(command)
    def run(**given: object) -> None:
        flags = {name: given.pop(name) for name in shared}
        command(settings_from(flags), **given)  # type: ignore[call-arg, arg-type]

    parameters = [*shared.values(), *own]
    # What typer makes the options of.
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    return run


def _flags(
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="The port; 0 takes a free one.")] = None,
    config: Annotated[Path | None, typer.Option(help="The settings file.")] = None,
    home: Annotated[Path | None, typer.Option(help="The folder for keys.")] = None,
    cache: Annotated[Path | None, typer.Option(help="The folder for models.")] = None,
    backend: Annotated[str | None, typer.Option(help="`worker`, or `fake` for tests.")] = None,
    device: Annotated[
        str | None,
        typer.Option(help="auto, cpu, cuda or cuda:N; several with commas, a worker for each."),
    ] = None,
    dtype: Annotated[str | None, typer.Option(help="auto, float32 or bfloat16.")] = None,
    quantization: Annotated[
        str | None, typer.Option(help="auto, none, int8 or int4: weights on a CPU.")
    ] = None,
    model_quantization: Annotated[
        str | None,
        typer.Option(metavar="NAME=VALUE,…", help="The same for single models."),
    ] = None,
    threads: Annotated[int | None, typer.Option(help="Threads for arithmetic.")] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.")] = None,
    tls_cert: Annotated[
        Path | None, typer.Option(help="The certificate (PEM): speak https alone.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its private key (PEM).")] = None,
    behind_proxy: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS,…", help="The proxies that speak TLS in front of it."),
    ] = None,
) -> None:
    """The options themselves; nothing calls this."""
