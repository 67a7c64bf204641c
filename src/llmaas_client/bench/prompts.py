"""What requests say: words of a given number, never twice the same, or the lines of a file.

A prompt that was sent before is answered from the server's prefix cache, and a benchmark of such
prompts measures the cache. So every prompt differs from its first word on, and a new seed is drawn
for every run unless one is given.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from llmaas_client.errors import ConfigurationError

Prompt = list[dict[str, str]]
"""The messages of a conversation; tasks that take texts read the content of the last one."""

# Short and common, so that most tokenizers make one token of a word with the space before it.
_TEXT = """
    time year people way day man thing woman life child world school state family student group
    country problem hand part place case week company system program question work government
    number night point home water room mother area money story fact month lot right study book
    eye job word business issue side kind head house service friend father power hour game line
    end member law car city community name president team minute idea body information back
    parent face level office door health person art war history party result change morning
    reason research girl guy moment air teacher force education foot boy age policy music market
    sense nation plan college interest death experience effect use class control field
    development role effort rate heart drug show leader light voice wife police mind price
    report decision son view relationship town road arm difference value building action season
    society tax director position player record paper space ground form event official matter
    center couple site project star table need court oil situation cost industry figure street
    image phone data picture practice piece land product doctor wall patient worker news test
    movie north love support technology step baby computer type attention film tree source hair
    look window culture chance brother energy period course summer plant opportunity term letter
    condition choice rule daughter south husband floor campaign material population call economy
    hospital church risk fire future bank west sport board subject officer rest behavior
    performance top goal second bed order author blood agency nature color store sound movement
    page race concern series language response animal factor decade article east artist scene
    stock career treatment approach size dog fund media sign thought list individual quality
    pressure answer resource meeting disease success cup amount ability staff character growth
    loss degree attack region television box training trade deal election feeling standard bill
    message
"""
WORDS = _TEXT.split()


class Prompts(Protocol):
    """Prompts by number."""

    def prompt(self, number: int) -> Prompt: ...


@dataclass(frozen=True, slots=True)
class MadeUp:
    """Prompts of `words` words; the first `shared` are the same in all of them."""

    words: int
    seed: str
    shared: int = 0

    def prompt(self, number: int) -> Prompt:
        shared = min(self.shared, self.words)
        first = _draw(f"shared {self.seed}", shared)
        own = _draw(f"{number} {self.seed}", self.words - shared)
        return [{"role": "user", "content": " ".join(first + own)}]


def _draw(seed: str, count: int) -> list[str]:
    return random.Random(seed).choices(WORDS, k=count)


@dataclass(frozen=True, slots=True)
class Given:
    """The prompts of a file, in its order, and again from the first where more are asked for."""

    prompts: Sequence[Prompt]

    def prompt(self, number: int) -> Prompt:
        return self.prompts[number % len(self.prompts)]


def read_prompts(text: str, name: str) -> Given:
    """JSON lines: a string, or an object with `messages`, `prompt` or `text`.

    Raises ConfigurationError.
    """
    prompts: list[Prompt] = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                prompts.append(_prompt_of(json.loads(line)))
            except (ValueError, KeyError, TypeError):
                raise ConfigurationError(
                    f"{name}, line {number} is not a prompt",
                    hint='A line is a JSON string, or an object with "messages" or "prompt".',
                ) from None
    if not prompts:
        raise ConfigurationError(f"{name} has no prompts in it")
    return Given(prompts)


def _prompt_of(line: Any) -> Prompt:
    if isinstance(line, str):
        return [{"role": "user", "content": line}]
    if "messages" in line:
        prompt = [{"role": item["role"], "content": item["content"]} for item in line["messages"]]
        if not prompt:
            raise ValueError("a conversation without messages")
        return prompt
    text = line["prompt"] if "prompt" in line else line["text"]
    if not isinstance(text, str):
        raise TypeError(f"a prompt is text, not {type(text).__name__}")
    return [{"role": "user", "content": text}]


@dataclass(frozen=True, slots=True)
class Fit:
    """How a server counts: `fixed` tokens of its own around a prompt, `each` for every word."""

    fixed: float
    each: float

    @classmethod
    def through(cls, few: tuple[int, int], many: tuple[int, int]) -> Fit:
        """From two prompts: (words, tokens) of each, the first with fewer words."""
        each = (many[1] - few[1]) / (many[0] - few[0])
        return cls(many[1] - each * many[0], each)

    def words(self, tokens: int) -> int:
        """How many words make a prompt of about so many tokens; at least one."""
        return max(1, round((tokens - self.fixed) / self.each)) if self.each > 0 else tokens
