"""What the server counts of itself, in Prometheus' format.

A label has few values, whatever callers send: routes as they are declared, methods and codes of
closed sets, models that are installed. What is not of them is `other`.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
)
from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from llmaas_client.wire.errors import ErrorCode
from llmaas_client.wire.server import TaskFigures
from llmaas_server.seam.backend import Tally
from llmaas_server.seam.values import Call, Timing, Usage

OTHER = "other"
METHODS = frozenset({"GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS"})

# Seconds: from a classification of a few words to a chat of some minutes.
LONG = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
SHORT = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)


class Metrics(Collector):
    """The counters of one server."""

    def __init__(self, version: str) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        Info("llmaas_build", "The version that runs.", registry=registry).info({"version": version})
        self._requests = Counter(
            "llmaas_http_requests", "Requests answered.", ["method", "route", "status"],
            registry=registry,
        )  # fmt: skip
        self._durations = Histogram(
            "llmaas_http_request_duration_seconds", "From a request to the end of its answer.",
            ["method", "route"], buckets=LONG, registry=registry,
        )  # fmt: skip
        self._in_flight = Gauge(
            "llmaas_http_requests_in_flight", "Requests being answered.", registry=registry
        )
        self._errors = Counter(
            "llmaas_errors", "Error answers by their code.", ["code"], registry=registry
        )
        self._calls = Counter(
            "llmaas_calls", "Calls that have ended: `ok`, `cancelled`, or a code of an error.",
            ["task", "model", "outcome"], registry=registry,
        )  # fmt: skip
        self._tokens = Counter(
            "llmaas_tokens", "Tokens of calls: `prompt`, of which `cached`, and `completion`.",
            ["task", "model", "kind"], registry=registry,
        )  # fmt: skip
        self._device = Counter(
            "llmaas_device_seconds", "What calls used of the steps of devices.",
            ["task", "model", "device"], registry=registry,
        )  # fmt: skip
        self._first_token = Histogram(
            "llmaas_time_to_first_token_seconds", "From a streamed call to its first text.",
            ["task", "model"], buckets=LONG, registry=registry,
        )  # fmt: skip
        self._queue = Histogram(
            "llmaas_queue_wait_seconds", "Waiting of calls before the first step.",
            ["task", "model"], buckets=LONG, registry=registry,
        )  # fmt: skip
        self._prefill = Histogram(
            "llmaas_prefill_seconds", "Steps that read the prompt of a call.",
            ["task", "model"], buckets=LONG, registry=registry,
        )  # fmt: skip
        self._per_token = Histogram(
            "llmaas_time_per_output_token_seconds",
            "Mean time between the tokens that a call generated.",
            ["task", "model"], buckets=SHORT, registry=registry,
        )  # fmt: skip

    def watch(self, state: Collector) -> None:
        """Tell what this one tells, too, when asked."""
        self._registry.register(state)

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """All that is told, and its media type: the one of Prometheus' formats that the header
        `Accept` asks for."""
        encode, media_type = choose_encoder(accept)
        return encode(self), media_type

    def collect(self) -> Iterator[Metric]:
        """Without the moments at which series began: each would be a series more."""
        for family in self._registry.collect():
            family.samples = [one for one in family.samples if not one.name.endswith("_created")]
            yield family

    def began(self) -> None:
        self._in_flight.inc()

    def ended(self, method: str, route: str | None, status: int | None, seconds: float) -> None:
        """A request whose answer is over; no status where there was none."""
        method, route = method if method in METHODS else OTHER, route or OTHER
        self._in_flight.dec()
        self._requests.labels(method, route, OTHER if status is None else str(status)).inc()
        self._durations.labels(method, route).observe(seconds)

    def failed(self, code: ErrorCode) -> None:
        self._errors.labels(code).inc()

    def first_token(self, call: Call, seconds: float) -> None:
        self._first_token.labels(call.task, call.model.name).observe(seconds)

    def called(self, call: Call, outcome: ErrorCode | str, tally: Tally) -> None:
        """A call has ended, and used what its tally says."""
        names = (call.task, call.model.name)
        self._calls.labels(*names, outcome).inc()
        used: Usage = tally.usage
        self._tokens.labels(*names, "prompt").inc(used.prompt_tokens)
        self._tokens.labels(*names, "cached").inc(used.cached_tokens)
        self._tokens.labels(*names, "completion").inc(used.completion_tokens)
        self._device.labels(*names, "cpu").inc(tally.times.cpu_us / 1e6)
        self._device.labels(*names, "gpu").inc(tally.times.gpu_us / 1e6)

    def timed(self, call: Call, timing: Timing, completion_tokens: int) -> None:
        """How long a call took that went well."""
        names = (call.task, call.model.name)
        self._queue.labels(*names).observe(timing.queue_ms / 1000)
        self._prefill.labels(*names).observe(timing.prefill_ms / 1000)
        after_first = completion_tokens - 1  # with which decoding begins
        if after_first > 0 and timing.decode_ms > 0:
            self._per_token.labels(*names).observe(timing.decode_ms / 1000 / after_first)

    def by_task(self) -> list[TaskFigures]:
        """What each task did, for people; the tasks that were not called are not there."""
        calls = _totals(self._calls, "task", "outcome")
        tokens = _totals(self._tokens, "task", "kind")
        queue, prefill, per_token = (
            _means(histogram) for histogram in (self._queue, self._prefill, self._per_token)
        )
        return [
            TaskFigures(
                task=task,
                calls=int(sum(count for (name, _), count in calls.items() if name == task)),
                failed=int(
                    sum(
                        count
                        for (name, outcome), count in calls.items()
                        if name == task and outcome not in ("ok", "cancelled")
                    )
                ),
                prompt_tokens=int(tokens.get((task, "prompt"), 0)),
                cached_tokens=int(tokens.get((task, "cached"), 0)),
                completion_tokens=int(tokens.get((task, "completion"), 0)),
                queue_ms=queue.get(task),
                prefill_ms=prefill.get(task),
                token_ms=per_token.get(task),
            )
            for task in sorted({task for task, _ in calls})
        ]


def _totals(counter: Counter, first: str, second: str) -> dict[tuple[str, str], float]:
    """By two of its labels."""
    found: dict[tuple[str, str], float] = {}
    for family in counter.collect():
        for sample in family.samples:
            if sample.name.endswith("_total"):
                key = sample.labels[first], sample.labels[second]
                found[key] = found.get(key, 0.0) + sample.value
    return found


def _means(histogram: Histogram) -> dict[str, float]:
    """Task -> mean over its models, in milliseconds, where there is one."""
    parts: dict[tuple[str, str], float] = {}
    for family in histogram.collect():
        for sample in family.samples:
            key = sample.labels["task"], sample.name.rpartition("_")[2]
            parts[key] = parts.get(key, 0.0) + sample.value
    return {
        task: 1000 * parts[task, "sum"] / count
        for (task, what), count in parts.items()
        if what == "count" and count
    }
