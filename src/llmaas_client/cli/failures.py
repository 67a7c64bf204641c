"""How a command ends that could not do what was asked: one line, and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import typer

from llmaas_client.errors import (
    AuthenticationFailed,
    ConfigurationError,
    ConnectionFailed,
    LLMaaSError,
    PermissionDenied,
)

FAILED = 1
WRONG_USAGE = 2
UNREACHABLE = 3
REFUSED = 4
INTERRUPTED = 130


class WrongUsage(Exception):
    """What was typed, or the input that it names, cannot be used. The text says what can."""


def explain(error: Exception, words: Sequence[str]) -> int:
    """Say on standard error what went wrong; the exit code. Raises `error` in debug mode."""
    from llmaas_client.config import debug  # loads pydantic, which `--help` does without

    if isinstance(error, BrokenPipeError):
        _forget_stdout()
        return FAILED
    if isinstance(error, typer.TyperException):
        return _explain_usage(error)
    if isinstance(error, WrongUsage):
        return _say(str(error), WRONG_USAGE)
    if debug():
        raise error
    if isinstance(error, LLMaaSError):
        return _say(str(error), _exit_code(error))
    if isinstance(error, ModuleNotFoundError):
        command = words[0] if words else ""
        return _say(f"llmaas {command} needs more: pip install 'llmaas[server]'", FAILED)
    kind = type(error).__name__
    return _say(f"{kind}: {error}. LLMAAS_DEBUG=1 shows where it happened.", FAILED)


def _exit_code(error: LLMaaSError) -> int:
    match error:
        case ConnectionFailed():
            return UNREACHABLE
        case AuthenticationFailed() | PermissionDenied():
            return REFUSED
        case ConfigurationError():
            return WRONG_USAGE
        case _:
            return FAILED


def _explain_usage(error: typer.TyperException) -> int:
    message = error.format_message()
    if not message:  # a command without arguments has shown its help already
        return error.exit_code
    if "\n" in message:  # or brings its help along
        typer.echo(message, err=True)
        return error.exit_code
    context = getattr(error, "ctx", None)
    path = "llmaas" if context is None else context.command_path
    stop = "" if message.endswith(("?", ".")) else "."
    return _say(f"{message}{stop} See: {path} --help", error.exit_code)


def _say(text: str, code: int) -> int:
    typer.echo(f"error: {' '.join(text.split())}", err=True)
    return code


def _forget_stdout() -> None:
    """Let what is still buffered go nowhere: nobody reads it, and Python would say so at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
