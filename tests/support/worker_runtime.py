"""A runtime for the worker process that does what the prompt says; tokens are characters.

`echo` any other prompt, `endless` tokens, `stuck` without one, `boom` raises, `die` kills the
process, `freeze` stops its loop, `fail` ends the runtime, `connect` and `resolve` try to reach
the network, `environment` and `modules` tell about the process.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import numpy as np

from llmaas_server.errors import Problem
from llmaas_server.runtime.interface import Floats
from llmaas_server.runtime.meter import Meter
from llmaas_server.runtime.request import Finish, Finished, Generation, Reading, Sampling, Token
from llmaas_server.runtime.spending import current
from llmaas_server.seam.lanes import LaneState, LaneWork
from llmaas_server.seam.values import ModelRef, ModelStatus, WorkerOptions

CONTEXT = 200
MEMORY = 1000
"""Bytes that its models may take."""
STEP_US = 7
"""What a token takes, as it is counted."""
KV_LIMIT = 400
"""Most bytes of keys and values of a model; a sequence that generates holds `KV_EACH` of them."""
KV_EACH = 100
GENERATING = "generating"
"""The entry of `models()` whose bytes are the number of sequences that generate."""


UNREAD = "□▯"
"""Characters that say nothing to a model of tests."""


class CharacterStream:
    def push(self, token_id: int) -> str:
        return chr(token_id)

    def finish(self) -> str:
        return ""


class CharacterTokenizer:
    def encode(self, text: str, *, special: bool = True) -> list[int]:
        return [ord(character) for character in text]

    def encode_pair(self, first: str, second: str) -> tuple[list[int], list[int]]:
        return self.encode(first + second), [0] * len(first) + [1] * len(second)

    chat_template = ""

    def added_id(self, name: str) -> int | None:
        return None

    def encode_chat(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        tools: Sequence[Mapping[str, Any]] = (),
        thinking: bool = True,
    ) -> list[int]:
        return self.encode(messages[-1]["content"])

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(chr(id) for id in ids)

    def stream(self) -> CharacterStream:
        return CharacterStream()

    def read(self, text: str) -> Reading:
        return Reading(len(text), sum(character in UNREAD for character in text))


class CharacterModel:
    context = CONTEXT
    max_completion = CONTEXT
    stop_ids: frozenset[int] = frozenset()
    labels: tuple[str, ...] = ()
    multi_label = False
    source_prefix = ""
    sampling = Sampling()

    def __init__(self, ref: ModelRef) -> None:
        self.ref = ref
        self.tokenizer = CharacterTokenizer()


class ScriptedRuntime:
    def __init__(self) -> None:
        self.failure: str | None = None
        self._models: dict[str, CharacterModel] = {}
        self._loading: dict[str, float] = {}
        self._generating = 0
        self._meters: dict[str, Meter] = {}
        self._steps = 0

    on_gpu = False
    memory_bytes = MEMORY

    async def settled(self) -> None:
        await asyncio.sleep(0)

    def progress(self) -> int:
        return self._steps

    def models(self) -> list[ModelStatus]:
        return [
            ModelStatus(GENERATING, "resident", 1.0, self._generating),
            *(ModelStatus(name, "loading", share, 100) for name, share in self._loading.items()),
            *(
                ModelStatus(name, "resident", 1.0, 100, lane="generate", now=self._now())
                for name in self._models
            ),
        ]

    def _now(self) -> LaneState:
        used = KV_EACH * self._generating
        return LaneState(self._generating, kv_used_bytes=used, kv_limit_bytes=KV_LIMIT)

    def work(self) -> list[LaneWork]:
        return [meter.read(name, "generate") for name, meter in self._meters.items()]

    def close(self) -> None:
        self._models.clear()

    @asynccontextmanager
    async def using(self, ref: ModelRef) -> AsyncIterator[CharacterModel]:
        yield await self.load(ref)

    async def load(self, ref: ModelRef) -> CharacterModel:
        if ref.name == "broken":
            raise Problem("model_broken", "the model's weights are cut")
        if ref.name == "slow" and ref.name not in self._models:
            await self._load_slowly(ref)
        return self._models.setdefault(ref.name, CharacterModel(ref))

    async def _load_slowly(self, ref: ModelRef) -> None:
        for part in range(5):
            self._loading[ref.name] = part / 5
            self._steps += 1
            await asyncio.to_thread(time.sleep, 0.2)
        del self._loading[ref.name]

    async def unload(self, name: str) -> None:
        self._models.pop(name, None)

    async def generate(
        self, model: CharacterModel, generation: Generation
    ) -> AsyncGenerator[Token | Finished, None]:
        prompt = model.tokenizer.decode(generation.prompt)
        self._generating += 1
        given = 0
        try:
            for given in count():
                text = await self._answer(prompt, given)
                if text is None or given == generation.max_tokens:
                    break
                self._steps += 1
                self._count(model.ref.name)
                if spending := current():
                    spending.generated += 1
                    spending.microseconds += STEP_US
                yield Token(ord(text), -0.5)
        finally:
            self._generating -= 1
        reason = Finish.LENGTH if given == generation.max_tokens else Finish.STOP
        yield Finished(reason, len(generation.prompt), 0, given, 0.0, 0.0, 0.0)

    def _count(self, name: str) -> None:
        """A step of one sequence, which brought a token."""
        meter = self._meters.setdefault(name, Meter())
        meter.batch = 1
        meter.decode_tokens += 1
        meter.stepped(STEP_US / 1e6)

    async def _answer(self, prompt: str, position: int) -> str | None:
        """The character at `position`, None at the end."""
        await asyncio.sleep(0.001)  # A step.
        command = prompt.partition(" ")[0]
        if command == "endless":
            return "ab"[position % 2]
        if command == "stuck":
            await asyncio.Event().wait()
        if command == "boom":
            raise ValueError(f"cannot read {prompt!r}")
        if command == "die" and position == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        if command == "freeze":
            threading.Event().wait()
        if command == "fail":
            self.failure = "the engine's thread died"
            await asyncio.Event().wait()
        text = _TELL[command]() if command in _TELL else prompt
        return text[position] if position < len(text) else None

    async def score(
        self,
        model: CharacterModel,
        prefix: Sequence[int],
        continuations: Sequence[Sequence[int]],
        *,
        tenant: str = "",
        deadline: float | None = None,
    ) -> list[list[float]]:
        return [[-1.0 / (1 + id % 7) for id in continuation] for continuation in continuations]

    async def embed(
        self,
        model: CharacterModel,
        sequences: Sequence[Sequence[int]],
        *,
        tenant: str = "",
        deadline: float | None = None,
    ) -> Floats:
        self._steps += 1
        rows = [hashlib.sha256(str(list(ids)).encode()).digest() for ids in sequences]
        vectors = np.array([list(row) for row in rows], dtype=np.float32) - 127.0
        unit: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit

    async def classify(
        self,
        model: CharacterModel,
        sequences: Sequence[tuple[Sequence[int], Sequence[int] | None]],
        *,
        tenant: str = "",
        deadline: float | None = None,
    ) -> Floats:
        return np.zeros((len(sequences), 2), dtype=np.float32)


def _try(connect: Callable[[], object]) -> str:
    try:
        connect()
    except OSError as error:
        return f"{type(error).__name__}: {error}"
    return "connected"


_TELL: dict[str, Callable[[], str]] = {
    "connect": lambda: _try(lambda: socket.create_connection(("127.0.0.1", 9), timeout=1)),
    "resolve": lambda: _try(lambda: socket.getaddrinfo("huggingface.co", 443)),
    "environment": lambda: " ".join(sorted(os.environ)),
    "modules": lambda: " ".join(name for name in ("torch", "starlette") if name in sys.modules),
}


def create(options: WorkerOptions) -> ScriptedRuntime:
    return ScriptedRuntime()


def create_nothing(options: WorkerOptions) -> ScriptedRuntime:
    raise RuntimeError(f"there is no device {options.device!r}")


def create_refused(options: WorkerOptions) -> ScriptedRuntime:
    raise Problem("internal_error", f"no {options.device} here", hint="Choose another device.")


def create_never(options: WorkerOptions) -> ScriptedRuntime:
    threading.Event().wait()
    raise AssertionError


def crash(options: WorkerOptions) -> ScriptedRuntime:
    os._exit(3)
