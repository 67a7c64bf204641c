"""From `response_format` to the text of a grammar, as `Model.grammar` takes it. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from llguidance import LLMatcher

from llmaas_client.wire.chat import (
    ChoiceFormat,
    JsonFormat,
    JsonSchemaFormat,
    RegexFormat,
    ResponseFormat,
)
from llmaas_server.errors import Problem

if TYPE_CHECKING:
    from llguidance._lib import JsonCompileOptions

COMPACT = " ?"
"""A small model that may write any run of blanks writes nothing else."""


def grammar_of(wanted: ResponseFormat) -> str:
    """Raises Problem `invalid_request` for a schema that is no JSON."""
    match wanted:
        case JsonSchemaFormat():
            return _json(json.dumps(wanted.json_schema))
        case JsonFormat():
            return _json('{"type": "object"}')
        case RegexFormat():
            return LLMatcher.grammar_from_regex(wanted.pattern)
        case ChoiceFormat():
            # Lark's strings have the escapes of JSON's.
            choices = (json.dumps(choice, ensure_ascii=False) for choice in wanted.choices)
            return LLMatcher.grammar_from_lark(f"start: {' | '.join(choices)}")


def _json(schema: str) -> str:
    options: JsonCompileOptions = {"whitespace_pattern": COMPACT}
    try:
        return LLMatcher.grammar_from_json_schema(schema, overrides=options)
    except ValueError as error:  # half of a surrogate pair, or a thousand levels
        raise Problem(
            "invalid_request",
            f"the schema of response_format cannot be read: {error}",
            param="response_format",
        ) from error
