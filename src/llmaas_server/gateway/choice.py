"""Which model serves a request that names none. Pure: what there is to choose from is passed in.

The default of a task answers for as long as it can, so that answers do not change with what
happens to be in memory; only where it cannot does another model, and the result then says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from llmaas_client.wire.base import TaskRequest
from llmaas_client.wire.chat import ChatRequest
from llmaas_client.wire.classify import ClassifyRequest
from llmaas_client.wire.summarize import SummarizeRequest
from llmaas_server.seam.values import ModelChoice, ModelKind, ModelRef
from llmaas_server.settings import Settings

from .principals import EVERYTHING, Permit

BYTES_PER_TOKEN = 3
"""Of UTF-8; English has over four and Chinese about three. Guessing low leaves an answer room."""

TOKENS_PER_MESSAGE = 8
"""What a chat template puts around each."""

NAMED = ModelChoice("request", "the request names it")

RULES = {
    "chat": "The default, where its context holds the conversation and `max_tokens` (estimated); "
    "else, or where the default is not on this machine, another model that can chat and holds "
    "them: one in memory first, then the smallest.",
    "classify": "The default, where it can read the longest text (estimated; embedding models read "
    "any length in windows); else, or where the default is not on this machine, another model "
    "that can: one in memory first, then the smallest.",
    "summarize": "The default of the method: every model reads any length, in parts. Where it is "
    "not on this machine, another model of the same method: one in memory first, then the "
    "smallest.",
    "embed": "Always the default: vectors of different models cannot be compared.",
}
"""Of every task, in words, for those who call."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model on this machine."""

    name: str
    kind: ModelKind
    tasks: Sequence[str]
    context: int
    bytes: int
    resident: bool


class Defaults:
    """The models that serve requests which name none."""

    def __init__(self, settings: Settings) -> None:
        self._abstractive = settings.abstractive_model
        self._by_task = {
            "classify": settings.classify_model,
            "summarize": settings.summarize_model,
            "chat": settings.chat_model,
            "embed": settings.embed_model,
        }

    def model_for(self, task: str, request: TaskRequest | None = None) -> str:
        """The default for a task; some depend on what is asked."""
        if isinstance(request, SummarizeRequest) and request.method == "abstractive":
            return self._abstractive
        return self._by_task[task]

    def tasks_of(self, model: str) -> list[str]:
        """The tasks that a model is the default for."""
        return [task for task, name in self._by_task.items() if name == model]


def choose(
    task: str,
    request: TaskRequest,
    default: str,
    installed: Iterable[Candidate],
    permitted: Permit = EVERYTHING,
) -> tuple[str, ModelChoice]:
    """The name of a model for the request, and why it is that one; see RULES.

    Where no permitted model can serve it, it is the default, permitted or not.
    """
    candidates = [one for one in installed if one.name in permitted]
    needed = tokens_of(request)
    first = next((one for one in candidates if one.name == default), None)
    able = [
        one for one in candidates if _stands_in(one, task, request) and _holds(one, task, needed)
    ]
    if not able or (first is not None and _holds(first, task, needed)):
        return default, ModelChoice("default", f"it is the default for {task}")
    best = min(able, key=lambda one: (not one.resident, one.bytes, one.name))
    picked = "this one is in memory" if best.resident else "this one is the smallest"
    if first is None:
        if default not in permitted:
            why = f"the key may not use the default, {default}"
            return best.name, ModelChoice("permitted", f"{why}; of those that can {task}, {picked}")
        why = f"the default, {default}, is not on this machine"
        return best.name, ModelChoice("installed", f"{why}; of those that can {task}, {picked}")
    why = f"the default, {default}, holds {first.context} tokens, and this needs about {needed}"
    return best.name, ModelChoice("length", f"{why}; of those that hold it, {picked}")


def needs_embedder(request: TaskRequest, model: ModelRef) -> Literal["no", "wanted", "needed"]:
    """Whether the call takes a second model, of sentence vectors; `wanted`: it does without."""
    if isinstance(request, SummarizeRequest) and model.kind != "encoder":
        # To hold sentences against the text, to pick some of it, or to pick what it is about for a
        # model that cannot be told.
        picks = request.strategy == "extract" or (request.focus and model.kind == "seq2seq")
        return "needed" if request.strict or picks else "wanted"
    if isinstance(request, ChatRequest) and request.documents is not None:
        return "needed"
    return "no"


def tokens_of(request: TaskRequest) -> int:
    """About how many tokens a model must hold at once to serve the request."""
    match request:
        case ChatRequest():
            content = sum(_tokens(message.told) for message in request.messages)
            content += sum(_tokens(tool.model_dump_json()) for tool in request.tools or ())
            return content + TOKENS_PER_MESSAGE * len(request.messages) + (request.max_tokens or 1)
        case ClassifyRequest():
            texts = [request.text] if isinstance(request.text, str) else request.text
            return max(map(_tokens, texts))
    return 0


def _tokens(text: str) -> int:
    return -(-len(text.encode()) // BYTES_PER_TOKEN)


def _holds(one: Candidate, task: str, needed: int) -> bool:
    reads_in_windows = task == "classify" and one.kind == "encoder"
    return reads_in_windows or needed <= one.context


def _stands_in(one: Candidate, task: str, request: TaskRequest) -> bool:
    """Whether the model can do what another one was to do."""
    return task in one.tasks and one.kind in _kinds(request)


def _kinds(request: TaskRequest) -> Sequence[ModelKind]:
    match request:
        case ChatRequest():
            return ("decoder",)
        case ClassifyRequest(labels=None):
            return ("classifier",)
        case ClassifyRequest():
            return ("encoder", "decoder")  # A trained head has labels of its own.
        case SummarizeRequest(method="abstractive"):
            return ("decoder", "seq2seq")
        case SummarizeRequest():
            return ("encoder",)
    return ()
