"""What is true of the backend at the moment of asking, and what its lanes have done so far."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from llmaas_server.seam.lanes import BATCH_SIZES, STEP_SECONDS, Histogram, LaneWork
from llmaas_server.seam.values import BackendStatus, ModelStatus

from .money import UNIT

LANE = ("model", "lane")
"""Labels of what a model's lane does."""


class Scraped(Collector):
    """Nothing is kept here: each scrape asks."""

    def __init__(
        self,
        status: Callable[[], BackendStatus],
        inside: Callable[[], int],
        most: int,
        spent: Mapping[tuple[str, str], int],
    ) -> None:
        """`spent` is of a task and a model, in nano-units."""
        self._status = status
        self._inside = inside
        self._most = most
        self._spent = spent

    def collect(self) -> Iterator[Metric]:
        status = self._status()
        yield gauge("queue_depth", "Calls that wait or run.", self._inside())
        yield gauge("queue_limit", "Most calls that may wait or run.", self._most)
        yield gauge("ready", "Whether calls run at once.", status.ready)
        yield gauge("backend_calls", "Calls that the backend has.", status.running)
        yield CounterMetricFamily(
            "llmaas_worker_restarts", "Workers that were started anew.", value=status.restarts
        )
        yield gauge("model_memory_limit_bytes", "Most that models may take.", status.memory_bytes)
        yield _cost(self._spent)
        yield from _of_models(status.models)
        yield from _of_lanes([model for model in status.models if model.state == "resident"])
        yield from _of_work(status.work)


def _cost(spent: Mapping[tuple[str, str], int]) -> Metric:
    family = CounterMetricFamily(
        "llmaas_cost",
        "What calls were billed, in the unit that prices are in.",
        labels=["task", "model"],
    )
    for names, nano in spent.items():
        family.add_metric(names, nano / UNIT)
    return family


def gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"llmaas_{name}", meaning, value=value)


def _gauges(
    name: str,
    meaning: str,
    labels: Sequence[str],
    values: Iterable[tuple[Sequence[str], float]],
) -> Metric:
    family = GaugeMetricFamily(f"llmaas_{name}", meaning, labels=labels)
    for names, value in values:
        family.add_metric(names, value)
    return family


def _of_models(models: Sequence[ModelStatus]) -> Iterator[Metric]:
    def of_each(name: str, meaning: str, read: Callable[[ModelStatus], float]) -> Metric:
        values = (([one.name], read(one)) for one in models)
        return _gauges(name, meaning, ["model"], values)

    yield of_each(
        "model_resident",
        "1 for a model in memory, 0 while it loads.",
        lambda one: one.state == "resident",
    )
    yield of_each("model_bytes", "Memory of a model's weights.", lambda one: one.bytes)
    yield of_each("model_in_use", "Whether calls need a model now.", lambda one: one.in_use)
    yield of_each("model_replicas", "Workers that hold a model.", lambda one: one.replicas)


def _of_lanes(models: Sequence[ModelStatus]) -> Iterator[Metric]:
    def of_each(
        name: str,
        meaning: str,
        read: Callable[[ModelStatus], float],
        some: Sequence[ModelStatus] = models,
    ) -> Metric:
        values = (([one.name, one.lane], read(one)) for one in some)
        return _gauges(name, meaning, LANE, values)

    keeping = [one for one in models if one.now.kv_limit_bytes]
    yield of_each(
        "sequences_running", "Sequences that a lane has begun.", lambda one: one.now.running
    )
    yield of_each(
        "sequences_waiting",
        "Sequences that wait for a lane to begin them, or to go on with them.",
        lambda one: one.now.waiting,
    )
    yield of_each(
        "kv_cache_used_bytes",
        "Keys and values that sequences hold.",
        lambda one: one.now.kv_used_bytes,
        keeping,
    )
    yield of_each(
        "kv_cache_reusable_bytes",
        "Keys and values of nobody, that a prompt which begins alike would find.",
        lambda one: one.now.kv_cached_bytes,
        keeping,
    )
    yield of_each(
        "kv_cache_limit_bytes",
        "Most that the keys and values of a model may take.",
        lambda one: one.now.kv_limit_bytes,
        keeping,
    )
    yield of_each(
        "kv_cache_usage_ratio",
        "Keys and values that sequences hold, of the most that there may be.",
        lambda one: one.now.kv_used_bytes / one.now.kv_limit_bytes,
        keeping,
    )


def _of_work(works: Sequence[LaneWork]) -> Iterator[Metric]:
    yield _histogram(
        "step_duration_seconds",
        "Time of the steps of a lane.",
        STEP_SECONDS,
        [(one, one.step_seconds) for one in works],
    )
    yield _histogram(
        "step_batch_size",
        "Sequences in the steps of a lane.",
        BATCH_SIZES,
        [(one, one.batch_sizes) for one in works],
    )
    tokens = CounterMetricFamily(
        "llmaas_step_tokens",
        "Tokens that steps computed: of prompts (`prefill`) and of answers (`decode`).",
        labels=[*LANE, "phase"],
    )
    for one in works:
        tokens.add_metric([one.model, one.lane, "prefill"], one.prefill_tokens)
        tokens.add_metric([one.model, one.lane, "decode"], one.decode_tokens)
    yield tokens
    for name, meaning, read in _COUNTED:
        family = CounterMetricFamily(f"llmaas_{name}", meaning, labels=LANE)
        for one in works:
            family.add_metric([one.model, one.lane], read(one))
        yield family


_COUNTED: tuple[tuple[str, str, Callable[[LaneWork], int]], ...] = (
    (
        "preemptions",
        "Sequences whose keys and values were taken back, because others needed the room.",
        lambda one: one.preemptions,
    ),
    (
        "prefix_cache_queries",
        "Tokens of prompts that were looked for among those computed before.",
        lambda one: one.prefix_queries,
    ),
    (
        "prefix_cache_hits",
        "Tokens of these that were found, and not computed again.",
        lambda one: one.prefix_hits,
    ),
    (
        "spec_decode_draft_tokens",
        "Guesses at the next tokens that were computed beside them.",
        lambda one: one.drafted_tokens,
    ),
    (
        "spec_decode_accepted_tokens",
        "Guesses that were right.",
        lambda one: one.accepted_tokens,
    ),
)


def _histogram(
    name: str,
    meaning: str,
    bounds: Sequence[float],
    values: Iterable[tuple[LaneWork, Histogram]],
) -> Metric:
    family = HistogramMetricFamily(f"llmaas_{name}", meaning, labels=LANE)
    marks = [*map(str, bounds), "+Inf"]
    for one, histogram in values:
        below = accumulate(histogram.counts)
        buckets = list(zip(marks, map(float, below), strict=True))
        family.add_metric([one.model, one.lane], buckets, histogram.sum)
    return family
