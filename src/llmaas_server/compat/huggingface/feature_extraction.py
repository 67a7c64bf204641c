"""`POST /hf/feature-extraction`: texts as vectors. Its parameters stand beside `inputs`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import RootModel

from llmaas_client.wire.base import TaskRequest, Texts
from llmaas_client.wire.embed import EmbedRequest
from llmaas_server.api.translated import Told
from llmaas_server.seam.values import Result

from .payload import Asking, HuggingFaceFormat, ask

_NOTHING_IS_CUT = "nothing is cut, a text beyond the model's context is refused: split it"


class FeatureExtractionBody(Asking):
    """The body of `POST /hf/feature-extraction`."""

    REFUSED: ClassVar[Mapping[str, str]] = {
        "dimensions": "vectors have the length that the model gives them",
        "prompt_name": "no prompts are kept with the models: put yours before the text",
        "truncation_direction": _NOTHING_IS_CUT,
    }
    ONLY: ClassVar[Mapping[str, tuple[Any, str]]] = {
        "normalize": (True, "vectors have length 1"),
        "truncate": (False, _NOTHING_IS_CUT),
        "encoding_format": ("float", "/v1/embeddings has base64"),
    }

    inputs: Texts


class FeatureExtractionAnswer(RootModel[list[list[float]]]):
    """One vector of length 1 for each text."""


@dataclass(frozen=True, slots=True)
class FeatureExtraction(HuggingFaceFormat):
    path: ClassVar[str] = "/hf/feature-extraction"
    summary: ClassVar[str] = "Embed, as InferenceClient calls it"
    body: ClassVar[type[FeatureExtractionBody]] = FeatureExtractionBody
    answer: ClassVar[type[FeatureExtractionAnswer]] = FeatureExtractionAnswer
    task: ClassVar[str] = "embed"
    job: ClassVar[str] = "embed"

    def read(self, body: FeatureExtractionBody) -> TaskRequest:
        return ask(EmbedRequest, {"model": body.model, "text": body.inputs}, {"text": "inputs"})

    def write(
        self, body: FeatureExtractionBody, told: Told, result: Result
    ) -> FeatureExtractionAnswer:
        return FeatureExtractionAnswer(result.body["embeddings"])
