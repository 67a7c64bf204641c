"""Every address of this wire that runs a model."""

from __future__ import annotations

from llmaas_server.api.translated import Format

from .chat import ChatCompletions
from .completions import Completions
from .decisions import Decisions
from .embeddings import Embeddings
from .responses.format import Responses


def formats() -> list[Format]:
    return [ChatCompletions(), Completions(), Embeddings(), Responses(), Decisions()]
