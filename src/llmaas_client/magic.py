"""`%load_ext llmaas_client`, then `%%llmaas`: a task for the text of a cell.

    %%llmaas classify labels=["praise", "complaint"]
    The screen cracked on the first day.

After the task stand the arguments of the call, as Python has them; names are those of the notebook.
`-o name` keeps the result under a name, `-c name` takes a client of the notebook: without it
`client`, where that is one, else a client as `Client()` makes it.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .client import Client

TASKS = ("classify", "summarize", "chat", "embed")
USAGE = "%%llmaas [-o name] [-c name] {classify|summarize|chat|embed} [argument=value, …]"


@dataclass(frozen=True, slots=True)
class Order:
    """What the first line of a cell asks for."""

    task: str
    arguments: Mapping[str, Any]
    output: str | None
    client: str | None


def read(line: str, names: Mapping[str, Any]) -> Order:
    """From the first line of a cell. Raises ValueError with what is wrong."""
    options: dict[str, str] = {}
    rest = line.strip()
    while rest.startswith("-"):
        option, _, rest = rest.partition(" ")
        value, _, rest = rest.strip().partition(" ")
        if option not in ("-o", "-c") or not value.isidentifier():
            raise ValueError(f"{option} {value} is no option. Usage: {USAGE}")
        options[option] = value
        rest = rest.strip()
    task, _, written = rest.partition(" ")
    if task not in TASKS:
        raise ValueError(f"{task or 'nothing'} is no task. Usage: {USAGE}")
    return Order(task, _arguments(written, names), options.get("-o"), options.get("-c"))


def _arguments(written: str, names: Mapping[str, Any]) -> dict[str, Any]:
    """`a=1, b=[2]` as a call has it, evaluated among the names of the notebook."""
    source = f"dict({written.strip()})"
    try:
        call = ast.parse(source, mode="eval").body
    except SyntaxError as error:
        raise ValueError(f"{written.strip()!r} is no list of arguments: {error.msg}") from None
    if not isinstance(call, ast.Call) or call.args or any(k.arg is None for k in call.keywords):
        raise ValueError(f"give arguments by name: {USAGE}")
    return {keyword.arg: _value(keyword.value, names) for keyword in call.keywords if keyword.arg}


def _value(node: ast.expr, names: Mapping[str, Any]) -> Any:
    code = compile(ast.Expression(node), "<%%llmaas>", "eval")
    return eval(code, {}, dict(names))  # the user's own line, in the user's own notebook


class Magic:
    """The cell magic, with the client that it makes where the notebook has none."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._own: Client | None = None

    def __call__(self, line: str, cell: str | None = None) -> Any:
        """Run a task for the text of the cell. The result is shown, and kept under `-o`."""
        order = read(line, self._shell.user_ns)
        if cell is None:
            raise ValueError(f"%%llmaas stands above a text: {USAGE}")
        client = self._client(order.client)
        text = cell.strip()
        result = None
        if order.task == "chat":
            with client.chat.stream(text, **order.arguments) as live:
                kept = live.show()
        else:
            result = kept = getattr(client, order.task)(text, **order.arguments)
        if order.output is not None:
            self._shell.user_ns[order.output] = kept
        return result

    def _client(self, name: str | None) -> Client:
        found = self._shell.user_ns.get(name or "client")
        if isinstance(found, Client):
            return found
        if name is not None:
            raise ValueError(f"{name} is no llmaas client")
        if self._own is None:
            self._own = Client()
        return self._own

    def close(self) -> None:
        if self._own is not None:
            self._own.close()


def register(shell: Any) -> None:
    """For `%load_ext llmaas_client`."""
    shell.register_magic_function(Magic(shell), "cell", "llmaas")
