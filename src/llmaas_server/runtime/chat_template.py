"""Conversations to ids, in the model's own chat template.

No text of a caller becomes a control token: not of a message, of a tool's description, nor a key
of a schema. In what the template writes, the names of control tokens that callers wrote stand
between two fences; the rest is the template's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from jinja2 import TemplateError

from llmaas_server.errors import Problem

Controls = Mapping[str, int]
Encode = Callable[[str], list[int]]

# Unicode keeps these for a program's own use. They outlive the filters of templates (JSON, trim),
# which NUL does not.
_FENCES = [chr(code) for code in range(0xFDD0, 0xFDF0)] + [
    chr(code) for code in range(0xE000, 0xF8FF)
]
_OFF = {"enable_thinking": False, "thinking": False}
"""How templates name that the model should not think first."""


class ChatTemplate:
    """The template of one model, for any number of threads."""

    def __init__(
        self,
        tokenizer: Any,
        controls: Controls,
        counted: frozenset[int],
        full: Encode,
        plain: Encode,
    ) -> None:
        """`full` knows the control tokens, `plain` produces none; `counted` are those that come
        from their names alone."""
        self._tokenizer = tokenizer
        self._controls = controls
        self._counted = counted
        self._full = full
        self._plain = plain
        longest_first = sorted(controls, key=len, reverse=True)
        self._names = "|".join(map(re.escape, longest_first)) or "(?!)"
        self._control = re.compile(self._names)

    @property
    def source(self) -> str:
        """The text of the template, that for tools where there are two; empty where none is."""
        return template_text(self._tokenizer)

    def encode(
        self,
        messages: Sequence[Mapping[str, Any]],
        tools: Sequence[Mapping[str, Any]],
        thinking: bool,
    ) -> list[int]:
        """Raises Problem `model_cannot_do_task`, `invalid_request`, `invalid_text`."""
        if not self.source:
            raise Problem("model_cannot_do_task", "the model has no chat template")
        fences = _fences([*_texts(messages), *_texts(tools)])
        rendered = self._render(
            [self._fenced(message, fences) for message in messages],
            [self._fenced(tool, fences) for tool in tools],
            {} if thinking else _OFF,
        )
        for fence in fences:  # where a template writes its JSON in ASCII
            rendered = rendered.replace(_escaped(fence), fence)
        own = re.compile(rf"{fences[0]}(?:{self._names}){fences[1]}|({self._names})")
        if fences[0] in rendered:  # a caller wrote the name of a control token
            return self._encode_apart(rendered, own, fences)
        ids = self._full(rendered)
        written = [self._controls[match[1]] for match in own.finditer(rendered)]
        if self._counted_in(ids) != self._counted_in(written):  # or something that becomes one
            return self._encode_apart(rendered, own, fences)
        return ids

    def _render(self, messages: list[Any], tools: list[Any], variables: Mapping[str, Any]) -> str:
        try:
            rendered: str = self._tokenizer.apply_chat_template(
                messages,
                tools=tools or None,
                tokenize=False,
                add_generation_prompt=True,
                **variables,
            )
        except (TemplateError, TypeError, ValueError, LookupError, AttributeError) as error:
            raise Problem(
                "invalid_request",
                f"the model's chat template refuses the messages: {error}",
                hint="Check the order of roles; some models take no system message.",
                param="messages",
            ) from error
        return rendered

    def _fenced(self, value: Any, fences: tuple[str, str]) -> Any:
        """The value with fences around every name of a control token in it."""
        if isinstance(value, str):
            return self._control.sub(rf"{fences[0]}\g<0>{fences[1]}", value)
        if isinstance(value, Mapping):
            return {self._fenced(k, fences): self._fenced(v, fences) for k, v in value.items()}
        if isinstance(value, Sequence):
            return [self._fenced(item, fences) for item in value]
        return value

    def _encode_apart(
        self, rendered: str, own: re.Pattern[str], fences: tuple[str, str]
    ) -> list[int]:
        """The template's control tokens, and between them the rest as plain text."""
        ids: list[int] = []
        start = 0
        for match in own.finditer(rendered):
            if match[1]:
                ids += self._encode_run(rendered[start : match.start()], fences)
                ids.append(self._controls[match[1]])
                start = match.end()
        return ids + self._encode_run(rendered[start:], fences)

    def _encode_run(self, run: str, fences: tuple[str, str]) -> list[int]:
        # A template may cut between fences (Qwen3 splits at "</think>"); what is left is dropped.
        text = run.replace(fences[0], "").replace(fences[1], "")
        return self._plain(text) if text else []

    def _counted_in(self, ids: Iterable[int]) -> list[int]:
        """The control tokens among `ids`, but for the one that unknown text becomes."""
        return [i for i in ids if i in self._counted]


def template_text(tokenizer: Any) -> str:
    """The chat template of a tokenizer of transformers; empty where it has none."""
    template = tokenizer.chat_template
    if isinstance(template, Mapping):
        template = template.get("tool_use") or template.get("default")
    return str(template or "")


def _fences(texts: Sequence[str]) -> tuple[str, str]:
    """Two characters that none of the texts holds, nor their escapes."""
    whole = "\n".join(texts)
    if "\0" in whole:
        raise Problem("invalid_text")
    free = (fence for fence in _FENCES if fence not in whole and _escaped(fence) not in whole)
    first, second = next(free, None), next(free, None)
    if first is None or second is None:
        raise Problem("invalid_text", "the texts hold every character for private use")
    return first, second


def _escaped(character: str) -> str:
    return f"\\u{ord(character):04x}"


def _texts(value: Any) -> Iterator[str]:
    """Every text in a value made of lists and mappings, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key)
            yield from _texts(item)
    elif isinstance(value, Sequence):
        for item in value:
            yield from _texts(item)
