"""Which of their parameters mean what here: the lists that the documentation is made of.

A parameter that would change the answer and cannot is refused by its name; one without effect on
the answer is taken and does nothing. Null is the same as absent, as it is there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ConfigDict, model_validator
from pydantic_core import PydanticCustomError

from llmaas_client.wire.base import Request
from llmaas_server.api.schemas import only

IGNORED: Mapping[str, str] = {
    "metadata": "nothing is stored with it",
    "prompt_cache_key": "prefixes are found by themselves",
    "prompt_cache_options": "prefixes are found by themselves",
    "prompt_cache_retention": "prefixes are kept as long as there is room",
    "safety_identifier": "callers are known by their key",
    "user": "callers are known by their key",
}
"""Taken with any value: name -> why it has no effect."""

ONLY: Mapping[str, tuple[Any, ...]] = {
    "background": (False,),
    "frequency_penalty": (0,),
    "include": ([],),
    "logit_bias": ({},),
    "modalities": (["text"],),
    "presence_penalty": (0,),
    "service_tier": ("auto", "default"),
    "store": (False,),
    "truncation": ("disabled",),
    "verbosity": ("medium",),
    "best_of": (1,),
    "echo": (False,),
    "suffix": ("",),
}
"""Taken with these values, which change nothing; refused with others."""

REFUSED: Mapping[str, str] = {
    "audio": "nothing is spoken here",
    "conversation": "nothing is kept between requests: send all of it",
    "dimensions": "vectors have the length that the model gives them",
    "function_call": "use tool_choice",
    "functions": "use tools",
    "max_tool_calls": "tools are called by the caller",
    "prediction": "what can be guessed is guessed by itself",
    "previous_response_id": "nothing is kept between requests: send the whole conversation",
    "prompt": "prompts are not stored here: send instructions",
    "stream_obfuscation": "nothing is padded",
    "web_search_options": "nothing is searched",
}
"""Refused with any value: name -> why, or what to do."""


def _with_what_changes_nothing(schema: dict[str, Any]) -> None:
    """Names in a schema what is taken beside the fields."""
    fields = schema["properties"]
    for name, why in IGNORED.items():
        fields.setdefault(name, {"description": f"Without effect: {why}."})
    for name, values in ONLY.items():
        told = " or ".join(f"`{json.dumps(value)}`" for value in values)
        fields.setdefault(name, {"description": f"Refused with all but {told}.", **only(*values)})


class Body(Request):
    """A request of theirs. What is listed above is seen to here; what is not is unknown."""

    model_config = ConfigDict(json_schema_extra=_with_what_changes_nothing)

    @model_validator(mode="before")
    @classmethod
    def _without_what_changes_nothing(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        kept: dict[str, Any] = {}
        for name, value in given.items():
            if value is None:
                continue
            if name in cls.model_fields:
                kept[name] = value
            elif name in REFUSED:
                raise refused(name, REFUSED[name])
            elif name in ONLY:
                if value not in ONLY[name]:
                    most = " or ".join(repr(one) for one in dict.fromkeys(map(str, ONLY[name])))
                    raise refused(name, f"only {most} is supported")
            elif name not in IGNORED:
                kept[name] = value  # unknown: the model says so
        return kept


def need_text(given: Any, name: str, note: str = "") -> None:
    """Refuse tokens in the place of text: of another vocabulary they would be read as nonsense."""
    items = given.get(name) if isinstance(given, dict) else None
    if isinstance(items, list) and items and not isinstance(items[0], str):
        raise refused(name, f"tokens are not taken, text is{note}")


def refused(name: str, why: str) -> PydanticCustomError:
    """A parameter that would change the answer, and is not supported."""
    return PydanticCustomError(
        "unsupported_parameter", "{param}: {why}", {"param": name, "why": why}
    )
