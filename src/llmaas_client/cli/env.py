"""`llmaas env`: print address and key of the server as a shell sets them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from typing import Annotated, Literal

import typer

from llmaas_client.config import Config, resolve
from llmaas_client.errors import MissingKey
from llmaas_client.wire.keys import PATTERN

from .managing import Json, address_for
from .options import BaseURL
from .tables import print_json

Shell = Literal["sh", "fish", "powershell"]


def env(
    shell: Annotated[Shell, typer.Option(help="Whose words to print.")] = "sh",
    management: Annotated[
        bool, typer.Option("--management", help="Also the key that manages.")
    ] = False,
    as_json: Json = False,
    base_url: BaseURL = None,
) -> None:
    """Print LLMAAS_* and OPENAI_* for a shell: the server of this home, and its key.

    eval "$(llmaas env)"
    """
    config = resolve(address_for(base_url))
    url, key = config.address.url, config.key()
    if key is None:
        raise MissingKey(
            f"there is no key for {url}",
            hint="Set LLMAAS_API_KEY; `llmaas keys create NAME` on the server's machine makes one.",
        )
    variables = {
        "LLMAAS_BASE_URL": url,
        "LLMAAS_API_KEY": key,
        "OPENAI_BASE_URL": f"{url}/v1",
        "OPENAI_API_KEY": key,
    }
    if management:
        managing = config.key("management")
        if managing is None:
            raise MissingKey(f"there is no management key for {url}")
        variables["LLMAAS_MANAGEMENT_KEY"] = managing
    if as_json:
        print_json(variables)
        return
    typer.echo(f"# {url}, for {_whose(config, key)}")
    for name, value in variables.items():
        typer.echo(_LINES[shell](name, value))
    typer.echo(f"# To set them: {_USES[shell]}")


def _whose(config: Config, key: str) -> str:
    """By the part of the key that is no secret, and by where it came from."""
    name = f"key_{key.split('_')[2]}" if re.fullmatch(PATTERN, key) else "a key"
    if config.explicit_key is not None:
        return f"{name}, from LLMAAS_API_KEY"
    return f"{name} of this machine's user, from {config.home}"


def _sh(name: str, value: str) -> str:
    return f"export {name}={shlex.quote(value)}"


def _fish(name: str, value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"set -gx {name} '{escaped}'"


def _powershell(name: str, value: str) -> str:
    doubled = value.replace("'", "''")
    return f"$env:{name} = '{doubled}'"


_LINES: dict[Shell, Callable[[str, str], str]] = {
    "sh": _sh,
    "fish": _fish,
    "powershell": _powershell,
}
_USES: dict[Shell, str] = {
    "sh": 'eval "$(llmaas env)"',
    "fish": "llmaas env --shell fish | source",
    "powershell": "llmaas env --shell powershell | Invoke-Expression",
}
