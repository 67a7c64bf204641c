"""`POST /hf/feature-extraction`: texts as vectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import RootModel

from llmaas_client.wire.base import TaskRequest, Texts
from llmaas_client.wire.embed import EmbedRequest
from llmaas_server.api.translated import Told
from llmaas_server.seam.values import Result

from .payload import HuggingFaceFormat, NamedModel


class FeatureExtractionBody(NamedModel):
    """The body of `POST /hf/feature-extraction`."""

    REFUSED: ClassVar[dict[str, str]] = {
        "dimensions": "vectors have the length that the model gives them",
        "prompt_name": "no prompts are kept with the models: put yours before the text",
        "truncation_direction": "nothing is cut: a text that is too long is refused",
    }

    inputs: Texts
    normalize: Literal[True] = True
    truncate: Literal[False] = False
    encoding_format: Literal["float"] = "float"


class FeatureExtractionAnswer(RootModel[list[list[float]]]):
    """A unit vector for each text."""


@dataclass(frozen=True, slots=True)
class FeatureExtraction(HuggingFaceFormat):
    path: ClassVar[str] = "/hf/feature-extraction"
    summary: ClassVar[str] = "Embed, as InferenceClient calls it"
    body: ClassVar[type[FeatureExtractionBody]] = FeatureExtractionBody
    answer: ClassVar[type[FeatureExtractionAnswer]] = FeatureExtractionAnswer
    task: ClassVar[str] = "embed"
    job: ClassVar[str] = "embed"

    def read(self, body: FeatureExtractionBody) -> TaskRequest:
        named = {} if body.model is None else {"model": body.model}
        return EmbedRequest.model_validate({"text": body.inputs, **named})

    def write(
        self, body: FeatureExtractionBody, told: Told, result: Result
    ) -> FeatureExtractionAnswer:
        return FeatureExtractionAnswer(result.body["embeddings"])
