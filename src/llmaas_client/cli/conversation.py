"""A conversation on a terminal: it remembers what was said."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import typer

from llmaas_client import display
from llmaas_client.client import Client
from llmaas_client.errors import LLMaaSError
from llmaas_client.wire.chat import ChatResult
from llmaas_client.wire.models import ModelInfo

PROMPT = "> "
HELP = "Ctrl-C stops an answer, /clear forgets what was said, /exit or Ctrl-D leaves."


class Conversation:
    """Turns so far, and how to sample the next one."""

    def __init__(
        self,
        client: Client,
        *,
        model: str | None = None,
        system: str | None = None,
        max_tokens: int | None = None,
        temperature: float | None = None,
        seed: int | None = None,
    ) -> None:
        self._client = client
        self._model = model
        self._system = system
        self._max_tokens = max_tokens
        self._temperature = temperature
        self._seed = seed
        self.turns: list[dict[str, str]] = []

    def talk(self, ask: Callable[[str], str] = input) -> None:
        """Ask and answer until the user leaves."""
        self._greet()
        while True:
            try:
                words = ask(PROMPT).strip()
            except EOFError:
                typer.echo()
                return
            except KeyboardInterrupt:
                typer.echo(f"\n{HELP}")
                continue
            if words == "/exit":
                return
            if words == "/clear":
                self.turns.clear()
            elif words.startswith("/"):
                typer.echo(HELP)
            elif words:
                self._reply(words)

    def answer(self, words: str, *, quiet: bool = False) -> ChatResult:
        """The answer to `words`, written out while it comes unless `quiet`."""
        self.turns.append({"role": "user", "content": words})
        said: list[str] = []
        try:
            with self._client.chat.stream(
                self.turns,
                system=self._system,
                max_tokens=self._max_tokens,
                temperature=self._temperature,
                seed=self._seed,
                model=self._model,
            ) as stream:
                for text in stream:
                    said.append(text)
                    if not quiet:
                        _write(text)
        finally:
            self._remember("".join(said))
            if said and not quiet:
                _write("\n")
        return stream.result

    def _remember(self, text: str) -> None:
        """What was said stays, a part too; a question that got no answer is as if not asked."""
        if text:
            self.turns.append({"role": "assistant", "content": text})
        else:
            self.turns.pop()

    def _reply(self, words: str) -> None:
        """An answer that fails or is stopped ends the answer and not the conversation."""
        try:
            self.answer(words)
        except KeyboardInterrupt:
            typer.echo("(stopped)", err=True)
        except LLMaaSError as error:
            typer.echo(f"error: {error}", err=True)

    def _greet(self) -> None:
        """Who answers, said before the first question; a server that is not there shows here."""
        model = speaker(self._client.models(), self._model)
        if model is not None:
            typer.echo(f"Talking to {display.clean(model.id)}. {HELP}")
            notice = display.notice(model)
            if notice:
                typer.echo(notice)


def speaker(models: Sequence[ModelInfo], wanted: str | None) -> ModelInfo | None:
    """The model that will answer: the one that was named, or the server's default for chat."""
    for model in models:
        if model.id == wanted or (wanted is None and "chat" in model.default_for):
            return model
    return None


def _write(text: str) -> None:
    sys.stdout.write(display.clean(text) if sys.stdout.isatty() else text)
    sys.stdout.flush()
