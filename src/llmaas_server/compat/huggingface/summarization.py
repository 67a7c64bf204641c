"""`POST /hf/summarization`: a text of any length in fewer words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import Field, RootModel

from llmaas_client.wire.base import TaskRequest, Text, WireModel
from llmaas_client.wire.summarize import Focus, Length, Method, Style, SummarizeRequest
from llmaas_server.api.translated import Told
from llmaas_server.seam.values import Result

from .payload import HuggingFaceFormat, NamedModel, Payload

_IN_TOKENS = "lengths are in words here, and never exceeded: send max_words or length"
_NO_SEARCH = "summaries are not made by sampling of your own: leave it away"


class GenerateParameters(Payload):
    """Ours, since theirs count tokens."""

    REFUSED: ClassVar[dict[str, str]] = {
        "max_length": _IN_TOKENS,
        "max_new_tokens": _IN_TOKENS,
        "min_length": _IN_TOKENS,
        "min_new_tokens": _IN_TOKENS,
        "do_sample": _NO_SEARCH,
        "num_beams": _NO_SEARCH,
        "temperature": _NO_SEARCH,
        "top_k": _NO_SEARCH,
        "top_p": _NO_SEARCH,
    }

    method: Method | None = None
    length: Length | None = None
    max_words: int | None = Field(default=None, ge=1, le=10_000)
    style: Style | None = None
    focus: Focus | None = None
    strict: bool | None = None


class SummarizationParameters(GenerateParameters):
    """The same may stand here, or in `generate_parameters`."""

    generate_parameters: GenerateParameters = GenerateParameters()
    clean_up_tokenization_spaces: bool | None = Field(
        default=None, description="Without effect: there is nothing to clean up."
    )
    truncation: Literal["do_not_truncate"] | None = Field(
        default=None, description="Texts of any length are read: nothing is cut."
    )


class SummarizationBody(NamedModel):
    """The body of `POST /hf/summarization`."""

    inputs: Text | list[Text]
    parameters: SummarizationParameters = SummarizationParameters()


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
        asked: dict[str, Any] = {"model": body.model, "text": body.inputs}
        for name in GenerateParameters.model_fields:
            inner = getattr(body.parameters.generate_parameters, name)
            asked[name] = getattr(body.parameters, name) if inner is None else inner
        return SummarizeRequest.model_validate(
            {name: value for name, value in asked.items() if value is not None}
        )

    def write(self, body: SummarizationBody, told: Told, result: Result) -> SummarizationAnswer:
        return SummarizationAnswer([Summarized(summary_text=result.body["summary"])])
