"""A server, warmed up, and the loads on it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Self

from llmaas_client.clock import Clock
from llmaas_client.config import Config
from llmaas_client.errors import InvalidRequest, LLMaaSError

from .dialects import Api, Dialect, Shape, Task, dialect_of
from .exchange import Caller, Connections, Sample
from .load import MAX_CONCURRENCY, NO_LIMIT, Closed, Limit, Load, Open, arrivals
from .prompts import Fit, Given, MadeUp, Prompts
from .target import Arithmetic, Target, arithmetic_of, look

HOPELESS = 16
"""A load ends when so many requests have failed and none has succeeded."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is sent: everything about a run but its loads."""

    seed: str
    task: Task = "chat"
    api: Api | None = None
    """None: as the server's list of models suggests."""
    model: str | None = None
    prompt_tokens: int = 125
    output_tokens: int = 64
    shared_prefix: int = 0
    """So many first tokens are the same in all prompts."""
    given: Given | None = None
    """These prompts instead of made-up ones."""
    batch: int = 1
    """Texts in a request, for tasks that take texts."""
    ignore_eos: bool = True
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])
    limit: Limit = NO_LIMIT
    warmup: int = 2
    """Requests before each load that are not counted."""
    timeout: float = 600.0
    """Seconds for one request."""


@dataclass(slots=True)
class Level:
    """One load and what was seen of it."""

    load: Load
    batch: int
    began: float
    samples: list[Sample] = field(default_factory=list[Sample])
    under_way: int = 0
    """Requests without an end yet; after a load that was not interrupted there are none."""
    sent: int = 0
    cpu_seconds: float = 0.0
    """Of this process: near the load's own seconds, the generator is what limits it."""

    @property
    def seconds(self) -> float:
        """From the first request to the end of the last answer."""
        return max((sample.ended for sample in self.samples), default=self.began) - self.began

    @property
    def is_hopeless(self) -> bool:
        return len(self.samples) >= HOPELESS and all(s.failure for s in self.samples)


class Session:
    """Requests of one plan to one server. Use as a context manager; entering contacts the server.

        async with Session(config, Plan(seed="1")) as session:
            await session.run(Closed(16))
        session.levels

    Raises LLMaaSError where the server cannot be reached, or refuses the first request.
    """

    def __init__(self, config: Config, plan: Plan, clock: Clock | None = None) -> None:
        self.plan = plan
        self.levels: list[Level] = []
        """Of every load that was begun, also of one that was interrupted."""
        self._clock = clock or Clock()
        connections = Connections(config, MAX_CONCURRENCY)
        self._caller = Caller(config, connections, self._clock, plan.timeout)
        self._numbers = count()

    async def __aenter__(self) -> Self:
        try:
            await self._prepare()
        except BaseException:
            await self._caller.connections.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._caller.connections.close()

    target: Target
    """Set when the session was entered, as are the next three."""
    _dialect: Dialect
    _shape: Shape
    _prompts: Prompts

    async def _prepare(self) -> None:
        plan = self.plan
        self.target = await look(self._caller, plan.api, plan.model, plan.task)
        self._dialect = dialect_of(self.target.api, plan.task)
        self._shape = Shape(self.target.model, plan.output_tokens, plan.ignore_eos, plan.extra)
        self._prompts = plan.given or await self._fitted()

    async def _fitted(self) -> MadeUp:
        """Prompts of the length that the plan asks for, as the server itself counts it."""
        plan = self.plan
        few, many = 1 + plan.prompt_tokens // 4, 1 + plan.prompt_tokens
        fit = Fit.through((few, await self._tokens(few)), (many, await self._tokens(many)))
        words = fit.words(plan.prompt_tokens)
        shared = min(words, round(plan.shared_prefix / fit.each))
        return MadeUp(words, plan.seed, shared)

    async def _tokens(self, words: int) -> int:
        """How many tokens the server counts for one prompt of so many words."""
        self._prompts = MadeUp(words, f"fit {words} {self.plan.seed}")
        sample = await self._one(self._clock.now(), batch=1)
        if sample.failure is not None:
            raise InvalidRequest(
                f"{self.target.url} does not answer a first request: "
                f"{sample.failure.code}: {sample.failure.message}",
                hint=_hint_of(self.plan),
            )
        return words if sample.usage is None else sample.usage.prompt_tokens

    async def ask_arithmetic(self) -> Arithmetic:
        """How the server computes the model; it knows of those that it has computed."""
        try:
            return await arithmetic_of(self._caller, self.target.model)
        except LLMaaSError:  # the loads were measured, whatever became of the server
            return Arithmetic()

    async def run(self, load: Load) -> Level:
        """Warm up, then put the load on the server until its limit."""
        for _ in range(self.plan.warmup):
            await self._one(self._clock.now(), self.plan.batch)
        level = Level(load, self.plan.batch, self._clock.now())
        self.levels.append(level)
        cpu = time.process_time()
        try:
            async with asyncio.TaskGroup() as group:
                for work in self._works(level):
                    group.create_task(work)
        finally:
            level.cpu_seconds = time.process_time() - cpu
        return level

    def _works(self, level: Level) -> Iterator[Any]:
        match level.load:
            case Closed(concurrency):
                return (self._loop(level) for _ in range(concurrency))
            case Open():
                times = arrivals(level.load, self.plan.limit, self.plan.seed)
                return (self._at(level, level.began + seconds) for seconds in times)

    async def _loop(self, level: Level) -> None:
        """One client of a closed load."""
        while self._may_send(level):
            await self._counted(level, self._clock.now())

    async def _at(self, level: Level, due: float) -> None:
        """One request of an open load."""
        await self._clock.sleep_async(max(0.0, due - self._clock.now()))
        if not level.is_hopeless:
            await self._counted(level, due)

    def _may_send(self, level: Level) -> bool:
        seconds = self._clock.now() - level.began
        return not level.is_hopeless and self.plan.limit.allows(level.load, level.sent, seconds)

    async def _counted(self, level: Level, due: float) -> None:
        level.sent += 1
        level.under_way += 1
        level.samples.append(await self._one(due, level.batch))
        level.under_way -= 1

    async def _one(self, due: float, batch: int) -> Sample:
        size = 1 if self._dialect.streams else batch
        prompts = [self._prompts.prompt(next(self._numbers)) for _ in range(size)]
        body = self._dialect.body(prompts, self._shape)
        return await self._caller.ask(self._dialect, body, due)


def _hint_of(plan: Plan) -> str | None:
    if plan.ignore_eos and plan.task == "chat":
        return "A server that does not know ignore_eos may refuse it: try --no-ignore-eos."
    return None
