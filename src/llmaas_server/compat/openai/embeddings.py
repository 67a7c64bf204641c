"""`POST /v1/embeddings`."""

from __future__ import annotations

import base64
import struct
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import model_validator

from llmaas_client.wire.base import TaskRequest, Texts
from llmaas_client.wire.embed import EmbedRequest
from llmaas_server.api.translated import Told
from llmaas_server.seam.values import Result

from .fields import Body, need_text
from .refusals import OpenAIFormat
from .shapes import Embedding, EmbeddingList, EmbeddingUsage


class EmbeddingsBody(Body):
    """The body of `POST /v1/embeddings`."""

    model: str
    input: Texts
    encoding_format: Literal["float", "base64"] = "float"

    @model_validator(mode="before")
    @classmethod
    def _is_text(cls, given: Any) -> Any:
        need_text(given, "input", " (of LangChain: check_embedding_ctx_length=False)")
        return given


@dataclass(frozen=True, slots=True)
class Embeddings(OpenAIFormat):
    """Embed, as the OpenAI SDK calls it."""

    path: ClassVar[str] = "/v1/embeddings"
    summary: ClassVar[str] = "Embed, as the OpenAI SDK calls it"
    body: ClassVar[type[EmbeddingsBody]] = EmbeddingsBody
    answer: ClassVar[type[EmbeddingList]] = EmbeddingList
    task: ClassVar[str] = "embed"
    job: ClassVar[str] = "embed"

    def read(self, body: EmbeddingsBody) -> TaskRequest:
        return EmbedRequest(model=body.model, text=body.input)

    def write(self, body: EmbeddingsBody, told: Told, result: Result) -> EmbeddingList:
        vectors: list[list[float]] = result.body["embeddings"]
        tokens = result.usage.prompt_tokens
        return EmbeddingList(
            data=[
                Embedding(index=index, embedding=_encoded(vector, body.encoding_format))
                for index, vector in enumerate(vectors)
            ],
            model=told.model,
            usage=EmbeddingUsage(prompt_tokens=tokens, total_tokens=tokens),
        )


def _encoded(vector: list[float], encoding: str) -> list[float] | str:
    if encoding == "float":
        return vector
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
