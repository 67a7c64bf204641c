"""How models write calls: a table. A format is found by what the model's chat template writes.

    opens CALL (between CALL)* closes        CALL = head NAME middle ARGUMENTS tail

Answers are held to it by a grammar, so that this is how they come, to the space.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class CallFormat:
    """The texts around names and arguments (JSON) of calls."""

    name: str
    opens: str
    """Empty: an answer is calls from its first character, or has none."""
    head: str
    middle: str
    tail: str
    between: str | None
    """None: one call in an answer."""
    closes: str
    marks: tuple[str, ...] = ()
    """Of these texts: what may be one token, that no text becomes."""
    starts: str = ""
    """With what of `opens` calls begin, whatever was said before; the rest must follow."""


def _json_call(arguments: str) -> tuple[str, str, str]:
    return '{"name": "', f'", "{arguments}": ', "}"


def _tagged(name: str) -> CallFormat:
    head, middle, tail = _json_call("arguments")
    return CallFormat(
        name,
        opens="<tool_call>\n",
        head=head,
        middle=middle,
        tail=tail,
        between="\n</tool_call>\n<tool_call>\n",
        closes="\n</tool_call>",
        marks=("<tool_call>", "</tool_call>"),
        starts="<tool_call>",
    )


def _listed(opens: str) -> CallFormat:
    head, middle, tail = _json_call("arguments")
    return CallFormat(
        "mistral",
        opens=opens,
        head=head,
        middle=middle,
        tail=tail,
        between=", ",
        closes="]",
        marks=("[TOOL_CALLS]",),
        starts="[TOOL_CALLS]",
    )


def _bare() -> CallFormat:
    head, middle, tail = _json_call("parameters")
    return CallFormat(
        "llama3", opens="", head=head, middle=middle, tail=tail, between=None, closes=""
    )


HERMES = _tagged("hermes")
"""Hermes, Qwen 2.5 and 3, and many that were trained on their data."""
MISTRAL = _listed("[TOOL_CALLS][")
MISTRAL_SPACED = _listed("[TOOL_CALLS] [")
MISTRAL_NAMED = CallFormat(
    "mistral-named",
    opens="[TOOL_CALLS]",
    head="",
    middle="[ARGS]",
    tail="",
    between="[TOOL_CALLS]",
    closes="",
    marks=("[TOOL_CALLS]", "[ARGS]"),
    starts="[TOOL_CALLS]",
)
LLAMA3 = _bare()
FALLBACK = replace(_tagged("fallback"), between=None)
"""For models whose template knows no tools, or writes calls in a way that is not in this table.
One call in an answer: models without training in it find no end of several."""


def _writes(*wanted: str, without: tuple[str, ...] = ()) -> Callable[[str], bool]:
    def found(template: str) -> bool:
        return all(mark in template for mark in wanted) and not any(
            mark in template for mark in without
        )

    return found


_RECOGNIZED: tuple[tuple[Callable[[str], bool], CallFormat], ...] = (
    (_writes("[TOOL_CALLS]", "[ARGS]", without=("[CALL_ID]",)), MISTRAL_NAMED),
    (_writes("[TOOL_CALLS] [", without=("[ARGS]", "[CALL_ID]")), MISTRAL_SPACED),
    (_writes("[TOOL_CALLS]", without=("[ARGS]", "[CALL_ID]")), MISTRAL),
    # Others put XML between the same tags.
    (_writes("<tool_call>", "arguments", without=("<function=", "<arg_key>")), HERMES),
    (_writes("<|eot_id|>", '"parameters": '), LLAMA3),
)


def format_of(template: str) -> CallFormat:
    """How a model with this chat template writes calls."""
    if re.search(r"\btools\b", template):
        for recognizes, known in _RECOGNIZED:
            if recognizes(template):
                return known
    return FALLBACK
