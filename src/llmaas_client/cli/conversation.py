"""A conversation on a terminal: it remembers what was said."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import typer

from llmaas_client import display
from llmaas_client.client import Client
from llmaas_client.conversations.overflow import Overflow, Policy
from llmaas_client.conversations.session import Session
from llmaas_client.errors import LLMaaSError
from llmaas_client.reply import ChatReply
from llmaas_client.wire.events import Delta
from llmaas_client.wire.models import ModelInfo

PROMPT = "> "
HELP = (
    "Ctrl-C stops an answer, /undo takes the last turn back, /clear forgets what was said, "
    "/save FILE and /load FILE keep it, /exit or Ctrl-D leaves."
)
DIM, PLAIN = "\x1b[2m", "\x1b[0m"


class Conversation:
    """A session, and the commands of a terminal around it."""

    def __init__(
        self,
        client: Client,
        *,
        model: str | None = None,
        system: str | None = None,
        max_tokens: int | None = None,
        temperature: float | None = None,
        seed: int | None = None,
        overflow: Policy = "error",
    ) -> None:
        self._client = client
        self._model = model
        self.session: Session = client.chat.session(
            overflow=overflow,
            system=system,
            max_tokens=max_tokens,
            temperature=temperature,
            seed=seed,
            model=model,
        )

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
            if words.startswith("/"):
                self._command(*words.split(maxsplit=1))
            elif words:
                self._reply(words)

    def answer(self, words: str, *, quiet: bool = False) -> ChatReply[str]:
        """The answer to `words`, written out while it comes unless `quiet`."""
        said = thought = False
        try:
            with self.session.stream(words) as stream:
                for event in stream.events():
                    if isinstance(event, Delta) and (shown := _shown(event)) and not quiet:
                        if thought and event.text:
                            _write("\n\n")
                        said, thought = True, not event.text
                        _write(shown)
        finally:
            if said:
                _write("\n")
        if stream.result.overflow is not None and not quiet:
            typer.echo(f"note: {left_out(stream.result.overflow)}", err=True)
        return stream.result

    def _command(self, name: str, argument: str = "") -> None:
        try:
            if name == "/clear" and not argument:
                self.session.clear()
            elif name == "/undo" and not argument:
                typer.echo(f"(took back: {display.clean(self.session.undo()[0].text)})", err=True)
            elif name == "/save" and argument:
                self.session.save(argument)
                typer.echo(f"(saved: {argument})", err=True)
            elif name == "/load" and argument:
                self.session = self._client.chat.session.load(argument)
                typer.echo(f"(loaded: {len(self.session)} turns)", err=True)
            else:
                typer.echo(HELP)
        except (LLMaaSError, OSError, ValueError) as error:
            typer.echo(f"error: {error}", err=True)

    def _reply(self, words: str) -> None:
        """An answer that fails or is stopped ends the answer and not the conversation."""
        try:
            self.answer(words)
        except KeyboardInterrupt:
            typer.echo("(stopped; this turn is not remembered)", err=True)
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


def left_out(overflow: Overflow) -> str:
    """What a session did with a history that was too long, in words."""
    turns, tokens = len(overflow.turns), overflow.tokens
    saved = "" if tokens is None else f" ({tokens} tokens)"
    instead = "; a summary goes along instead" if overflow.summary else ""
    return f"the oldest {turns} turns{saved} are not sent any more{instead}"


def _shown(delta: Delta) -> str:
    """What a terminal shows of it; reasoning is dim there, and left out elsewhere."""
    if not sys.stdout.isatty():
        return delta.text
    reasoning = display.clean(delta.reasoning)
    dim = f"{DIM}{reasoning}{PLAIN}" if reasoning else ""
    return dim + display.clean(delta.text)


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
