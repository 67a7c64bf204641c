"""The values that cross between the front and the worker: plain, typed, and small.

A call's life: `Call` -> measured (`Measurement`) -> run -> `Accepted`, any number of `Delta` and
`Progress`, then exactly one of `Result` or `Failure`.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from llmaas_client.wire.errors import ErrorCode

from .lanes import LaneState, LaneWork

ModelKind = Literal["decoder", "encoder", "classifier", "seq2seq"]
Quantization = Literal["auto", "none", "int8", "int4"]


class ModelRef(msgspec.Struct, frozen=True):
    """A model whose files lie on this machine: all that a worker needs to load it."""

    name: str
    path: str
    """A folder with config.json, safetensors and the tokenizer's files."""
    kind: ModelKind
    sentence_embeddings: bool = False
    """Whether the model was trained to embed sentences (it names a pooling)."""
    fingerprint: str = ""
    """Of its weights and its tokenizer: equal where the vectors that it makes are."""


class ModelChoice(msgspec.Struct, frozen=True):
    """Why a call has the model that it has."""

    by: Literal["request", "default", "length", "installed", "permitted"]
    reason: str


class Attached(msgspec.Struct, frozen=True):
    """A large value of a request that comes again and again: it crosses once, see `attachments`."""

    field: str
    """Of the request as the task reads it."""
    digest: str
    content: bytes | None
    """None where the other end has it."""


class Call(msgspec.Struct, frozen=True):
    """One task to run."""

    id: str
    task: str
    model: ModelRef
    request: dict[str, Any]
    """The wire request as plain data; the worker validates it again with the task's spec."""
    stream: bool = False
    deadline_ms: float | None = None
    """Milliseconds from when the worker reads the call; then it fails with deadline_exceeded."""
    tenant: str = ""
    """An opaque id that fairness and cache isolation go by; never a name or a key."""
    choice: ModelChoice | None = None
    """None where nobody had a choice to make."""
    attached: Attached | None = None
    embedder: ModelRef | None = None
    """A second model, of sentence vectors, for tasks that need them beside their own model; None
    where this one needs none, or may do without and there is none."""
    traced: bool = False
    """Whether somebody wants to know what it did when: then what is said of it has spans."""


class Span(msgspec.Struct, frozen=True, omit_defaults=True):
    """A piece of the work for a call, for its trace; never with a text in it.

    Times are nanoseconds since 1970, UTC.
    """

    name: str
    began: int
    ended: int
    attributes: dict[str, str | int] = {}
    parts: list[Span] = []
    """What it was made of, in order."""


class Measurement(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a call costs at most: exact prompt tokens, and a bound for the tokens to generate."""

    prompt_tokens: int
    max_completion_tokens: int
    spans: list[Span] = []


class Accepted(msgspec.Struct, frozen=True, tag="accepted"):
    """The worker has taken the call; from here on the front may send a 200."""

    prompt_tokens: int
    model: str
    """Who computes, as results name it: the model's name; `fake` where nothing is computed."""


class ToolCallPiece(msgspec.Struct, frozen=True, omit_defaults=True):
    """The next piece of a tool call; its first has `id` and `name`."""

    index: int
    id: str | None = None
    name: str | None = None
    arguments: str = ""


class Delta(msgspec.Struct, frozen=True, tag="delta", omit_defaults=True):
    """The next piece of one of the answers, with its tokens' log-probabilities where they were
    asked for: of its text, its reasoning or a tool call."""

    text: str = ""
    logprobs: list[dict[str, Any]] | None = None
    choice: int = 0
    reasoning: str = ""
    tool_call: ToolCallPiece | None = None


class Progress(msgspec.Struct, frozen=True, tag="progress"):
    stage: str
    done: int
    total: int


class Usage(msgspec.Struct, frozen=True):
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0


class Times(msgspec.Struct, frozen=True):
    """Microseconds that devices worked for a call: its shares of the steps it was part of."""

    cpu_us: int = 0
    gpu_us: int = 0


class Timing(msgspec.Struct, frozen=True):
    """Milliseconds."""

    queue_ms: float = 0.0
    prefill_ms: float = 0.0
    decode_ms: float = 0.0
    total_ms: float = 0.0


class Result(msgspec.Struct, frozen=True, tag="result"):
    """The end of a call that went well. `body` has the task's own fields of the wire result."""

    body: dict[str, Any]
    usage: Usage
    timing: Timing
    times: Times = Times()
    spans: list[Span] = []


class Failure(msgspec.Struct, frozen=True, tag="failure"):
    """The end of a call that did not. `usage` and `times` are what was used before it failed."""

    code: ErrorCode
    message: str
    hint: str | None = None
    param: str | None = None
    retry_after: float | None = None
    needed: int | None = None
    limit: int | None = None
    """`needed` and `limit`: tokens, of `context_overflow`."""
    usage: Usage = Usage()
    times: Times = Times()
    spans: list[Span] = []


Event = Accepted | Delta | Progress | Result
"""What `Backend.run` yields. A `Failure` is raised, as a `Problem`, and never yielded."""


class ModelStatus(msgspec.Struct, frozen=True):
    """A model in the worker: `loading` with the share of its bytes read, or `resident`."""

    name: str
    state: Literal["loading", "resident"]
    progress: float
    bytes: int
    """Of its weights in all workers together; while it loads, what they are expected to take."""
    replicas: int = 1
    """Workers that hold it, or load it where none holds it yet."""
    kv_bytes: int = 0
    """Most that its keys and values may take."""
    in_use: bool = False
    """Whether calls need it now: it is then never unloaded to make room."""
    pinned: bool = False
    kernels: str = ""
    """What computes it, for people: `native avx512-vnni int8`, `torch bfloat16`. Empty while it
    loads; where workers differ, all of them with commas between."""
    quantization: str = ""
    """What the settings ask for it."""
    lane: str = ""
    """What its work goes through: `generate`, `encode` or `seq2seq`."""
    now: LaneState = LaneState()
    """What runs and waits there; of all workers together."""


class BackendStatus(msgspec.Struct, frozen=True):
    """`ready` means: alive, and making progress wherever there is work."""

    ready: bool
    models: list[ModelStatus]
    running: int
    """Calls measured or running."""
    restarts: int = 0
    detail: str = ""
    memory_bytes: int = 0
    """Most that models may take, in all workers that are ready; 0 where nobody counts."""
    work: list[LaneWork] = []
    """What lanes have done, since the backend started: of workers that ended and of models that
    are gone, too."""


class WorkerStatus(msgspec.Struct, frozen=True):
    """One worker of several. `draining` means: it takes no new calls, and ends with its last."""

    name: str
    device: str
    threads: int | None
    """For arithmetic on the CPU; None is one per physical core."""
    state: Literal["starting", "ready", "draining"]
    running: int
    """Calls measured or running."""
    restarts: int
    models: list[ModelStatus]
    detail: str = ""


class WorkerOptions(msgspec.Struct, frozen=True):
    """How a worker computes; the first thing that the front tells it."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["text", "json"] = "text"
    device: str = "auto"
    """`auto`, `cpu`, `cuda` or `cuda:N`."""
    threads: int | None = None
    """For arithmetic on the CPU; None is one per physical core."""
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    quantization: Quantization = "auto"
    """Of weights, where kernels of our own compute; `auto` keeps the bits of a 4-bit file and
    takes eight for the rest, `none` leaves all to torch."""
    model_quantization: dict[str, Quantization] = {}
    """By the name of a model: instead of `quantization`."""
    kernels: str = ""
    """Folder for the kernels that are built on this machine; empty: none are built."""
    compiled: str = ""
    """Folder for steps that torch compiles, where it computes; empty: none are compiled."""
    kv_bytes: int = 1 << 30
    """Most memory for keys and values of all sequences of a model."""
    max_sequences: int = 64
    """Most sequences that generate at the same time."""
    max_step_tokens: int = 512
    """Most tokens in one step of a lane: the unit that everything else waits for."""
    memory_bytes: int | None = None
    """Most memory for all models, weights with keys and values; None is a share of the device's."""
    idle_seconds: float | None = None
    """After so long without use a model is unloaded; None keeps it until its memory is needed."""
    pinned: tuple[str, ...] = ()
    """Names of models that stay once they are loaded."""

    def quantization_of(self, model: str) -> Quantization:
        """What is asked for the model of this name."""
        return self.model_quantization.get(model, self.quantization)
