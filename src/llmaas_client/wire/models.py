"""What the server says of its models, tasks and health."""

from __future__ import annotations

from typing import Any, Literal

from .base import Request, Text, WireModel

ModelKind = Literal["decoder", "encoder", "classifier", "seq2seq"]
ModelState = Literal["cached", "loading", "resident"]


class ModelMemory(WireModel):
    """What a model that is resident, or on its way, has of the server's memory for models."""

    weights_bytes: int
    """While it loads, an estimate."""
    kv_bytes: int
    """Most that keys and values may take."""
    in_use: bool
    """Whether requests need it now; it then stays, whatever else needs room."""
    pinned: bool
    """Whether it stays in any case."""


class SamplingDefaults(WireModel):
    """What a request without sampling fields takes."""

    max_tokens: int
    """Where the prompt leaves room for so many."""
    temperature: float
    top_p: float
    top_k: int | None = None
    """Null: all tokens."""
    min_p: float
    repetition_penalty: float


class ModelInfo(WireModel):
    """One model on the server's machine, in OpenAI's list shape with our fields added."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str
    kind: ModelKind
    tasks: list[str]
    context: int
    bytes: int
    """Of its files."""
    licence: str | None = None
    state: ModelState
    progress: float | None = None
    """Of loading, from 0 to 1."""
    memory: ModelMemory | None = None
    kernels: str | None = None
    """What computes it: `native avx512-vnni int8`, `torch bfloat16`; null where it is not
    resident."""
    quantization: str | None = None
    """What the server's settings ask for it: `auto`, `none`, `int8` or `int4`."""
    default_for: list[str] = []
    sampling: SamplingDefaults | None = None
    """Of a model that chats: its own defaults, with the server's where it states none."""


class ModelList(WireModel):
    object: Literal["list"] = "list"
    data: list[ModelInfo]


class TaskInfo(WireModel):
    """One task: where it is, what it takes, what it gives."""

    name: str
    path: str
    streams: bool
    default_model: str | None
    model_rule: str | None = None
    """How a model is chosen where a request names none."""
    request_schema: dict[str, Any]
    result_schema: dict[str, Any]


class TaskList(WireModel):
    tasks: list[TaskInfo]


class Health(WireModel):
    """`status` is `ok` when the worker makes progress; live answers whenever the front does."""

    status: Literal["ok", "starting", "stopping"]
    version: str


class PredictRequest(Request):
    """The body of `POST /predict`."""

    text: Text


class Prediction(WireModel):
    """0 is negative, 1 is positive."""

    prediction: Literal[0, 1]
