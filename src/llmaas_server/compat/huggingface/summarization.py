"""`POST /hf/summarization`: a text of any length in fewer words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import Field, RootModel, model_validator

from llmaas_client.wire.base import TaskRequest, Text, WireModel
from llmaas_client.wire.summarize import (
    Focus,
    Length,
    Method,
    Strategy,
    Style,
    SummarizeRequest,
)
from llmaas_server.api.translated import Told
from llmaas_server.compat.openai.fields import refused
from llmaas_server.seam.values import Result

from .payload import Asking, HuggingFaceFormat, Payload, ask

_IN_TOKENS = "lengths are of words here, not of tokens: send max_words (never exceeded) or length"

_NO_CHANCE = "summaries are neither sampled nor searched for"

_SPACES = (
    (" .", "."),
    (" ?", "?"),
    (" !", "!"),
    (" ,", ","),
    (" ' ", "'"),
    (" n't", "n't"),
    (" 'm", "'m"),
    (" 's", "'s"),
    (" 've", "'ve"),
    (" 're", "'re"),
)
"""What their tokenizers clean up: transformers, `clean_up_tokenization`."""


class GenerateParameters(Payload):
    """Those of our summarize, since theirs count tokens and choose among them."""

    REFUSED: ClassVar[Mapping[str, str]] = {
        "max_length": _IN_TOKENS,
        "max_new_tokens": _IN_TOKENS,
        "min_length": _IN_TOKENS,
        "min_new_tokens": _IN_TOKENS,
    }
    ONLY: ClassVar[Mapping[str, tuple[Any, str]]] = {
        "do_sample": (False, _NO_CHANCE),
        "num_beams": (1, _NO_CHANCE),
    }

    method: Method | None = None
    length: Length | None = None
    max_words: int | None = Field(default=None, ge=1, le=10_000)
    style: Style | None = None
    focus: Focus | None = None
    strict: bool | None = None
    strategy: Strategy | None = None

    @model_validator(mode="before")
    @classmethod
    def _no_other(cls, given: Any) -> Any:
        names = given.keys() if isinstance(given, dict) else ()
        for name in names - cls.model_fields.keys() - cls.REFUSED.keys() - cls.ONLY.keys():
            if given[name] is not None:
                raise refused(name, _NO_CHANCE)
        return given


class SummarizationParameters(GenerateParameters):
    """Those of `generate_parameters` may stand here, too."""

    ONLY: ClassVar[Mapping[str, tuple[Any, str]]] = {
        **GenerateParameters.ONLY,
        "truncation": ("do_not_truncate", "nothing is cut, texts of any length are read"),
    }

    generate_parameters: GenerateParameters = GenerateParameters()
    clean_up_tokenization_spaces: bool = Field(
        default=False, description="Take away spaces before punctuation, as their tokenizers do."
    )

    @model_validator(mode="after")
    def _said_once(self) -> SummarizationParameters:
        both = self.model_fields_set & self.generate_parameters.model_fields_set
        if both:
            raise refused(min(both), "it is in generate_parameters as well: send it once")
        return self


class SummarizationBody(Asking):
    """The body of `POST /hf/summarization`."""

    inputs: Text | Annotated[list[Text], Field(min_length=1)]
    parameters: SummarizationParameters = SummarizationParameters()

    @model_validator(mode="after")
    def _one_text(self) -> SummarizationBody:
        """Ours makes one summary of several documents; theirs one for each."""
        if not isinstance(self.inputs, str) and len(self.inputs) > 1:
            raise refused("inputs", "one text at a time: several would make one summary here")
        return self


class Summarized(WireModel):
    summary_text: str


class SummarizationAnswer(RootModel[list[Summarized]]):
    """One summary."""


@dataclass(frozen=True, slots=True)
class Summarization(HuggingFaceFormat):
    path: ClassVar[str] = "/hf/summarization"
    summary: ClassVar[str] = "Summarize, as InferenceClient calls it"
    body: ClassVar[type[SummarizationBody]] = SummarizationBody
    answer: ClassVar[type[SummarizationAnswer]] = SummarizationAnswer
    task: ClassVar[str] = "summarize"
    job: ClassVar[str] = "summarize"

    def read(self, body: SummarizationBody) -> TaskRequest:
        asked = body.parameters
        fields: dict[str, Any] = {"model": body.model, "text": body.inputs}
        for name in GenerateParameters.model_fields:
            said = getattr(asked, name)
            fields[name] = getattr(asked.generate_parameters, name) if said is None else said
        return ask(SummarizeRequest, fields, {"text": "inputs"})

    def write(self, body: SummarizationBody, told: Told, result: Result) -> SummarizationAnswer:
        summary: str = result.body["summary"]
        if body.parameters.clean_up_tokenization_spaces:
            for spaced, plain in _SPACES:
                summary = summary.replace(spaced, plain)
        return SummarizationAnswer([Summarized(summary_text=summary)])
