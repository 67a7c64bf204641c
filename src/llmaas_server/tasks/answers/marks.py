"""Marks that a model's template puts into answers: tokens of their own, or text like any other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from llmaas_server.runtime.interface import Tokenizer

# No text that was decoded from UTF-8 holds one.
_FIRST_STAND_IN = 0xD800


@dataclass(frozen=True, slots=True)
class Marks:
    """Marks that are tokens of their own; each has a character that stands for it in text."""

    ids: Mapping[str, int] = field(default_factory=dict)

    def stand_ins(self) -> dict[int, str]:
        """By the id of the token."""
        return {id: chr(_FIRST_STAND_IN + number) for number, id in enumerate(self.ids.values())}

    def encode(self, text: str) -> str:
        """The text with stand-ins for its marks."""
        stand_ins = self.stand_ins()
        for mark, id in self.ids.items():
            text = text.replace(mark, stand_ins[id])
        return text

    def decode(self, text: str) -> str:
        """The text with marks for their stand-ins."""
        stand_ins = self.stand_ins()
        for mark, id in self.ids.items():
            text = text.replace(stand_ins[id], mark)
        return text

    def lark(self, text: str) -> str:
        """The text as a sequence of Lark; nothing for an empty one."""
        if not text:
            return ""
        pattern = "|".join(map(re.escape, self.ids)) or "(?!)"
        parts = re.split(f"({pattern})", text)
        return " ".join(
            f"<[{self.ids[part]}]>" if part in self.ids else quoted(part) for part in parts if part
        )


def quoted(text: str) -> str:
    """The text as a string of Lark, which has the escapes of JSON's."""
    return json.dumps(text, ensure_ascii=False)


def marks_of(tokenizer: Tokenizer, names: Iterable[str]) -> Marks:
    """Those of the names that are tokens of their own for this model."""
    ids = {name: tokenizer.added_id(name) for name in names}
    return Marks({name: id for name, id in ids.items() if id is not None})
