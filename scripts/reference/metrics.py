"""docs/reference/metrics.md, from what a server tells when it is scraped."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import Metric

from llmaas_server.gateway.metrics import Metrics
from llmaas_server.gateway.scraped import Scraped
from llmaas_server.seam.backend import Tally
from llmaas_server.seam.lanes import LaneState, LaneWork
from llmaas_server.seam.values import BackendStatus, Call, ModelRef, ModelStatus, Timing

from .markdown import table

_PROCESS = {
    "process_virtual_memory_bytes", "process_resident_memory_bytes", "process_start_time_seconds",
    "process_cpu_seconds_total", "process_open_fds", "process_max_fds",
}  # fmt: skip
"""Of Prometheus' own client, where the system tells them: on Linux."""


def lines() -> Iterator[str]:
    yield "# Metrics"
    yield ""
    yield "What `GET /metrics` tells, in Prometheus' text format, to a management key with the"
    yield "action `metrics:read`. Seconds, bytes and ratios, as names say; what ends in `_total`"
    yield "only grows, also where workers end and models go. How to collect them, a dashboard and"
    yield "alerts are under [Operate](../how-to/operate.md#metrics)."
    yield ""
    rows = [(f"`{name}`", one.type, labels(one), one.documentation) for name, one in told().items()]
    yield from table(["metric", "type", "labels", "what it says"], rows)
    names = ", ".join(f"`{name}`" for name in sorted(_PROCESS))
    yield f"Of the process that serves, on Linux: {names}. Workers are processes of their own."
    yield ""
    yield "No label has a value that callers make up: what is no route, method or model of the"
    yield "server is `other`, or not counted. No metric is labelled by key, account or text."


def told() -> dict[str, Metric]:
    """Metric -> what it is, after one call; but for those of the process."""
    metrics = Metrics("0")
    model = ModelStatus("m", "resident", 1.0, 1, now=LaneState(kv_limit_bytes=1))
    status = BackendStatus(ready=True, models=[model], running=0, work=[LaneWork("m", "generate")])
    metrics.watch(Scraped(lambda: status, lambda: 0, 1, {("chat", "m"): 1}))
    call = Call("c", "chat", ModelRef("m", "", "decoder"), {})
    metrics.began()
    metrics.first_token(call, 1.0)
    metrics.timed(call, Timing(1.0, 1.0, 1.0, 1.0), 2)
    metrics.called(call, "ok", Tally())
    metrics.failed("not_found")
    metrics.ended("GET", "/", 200, 1.0)
    found = {}
    for family in metrics.collect():
        name = family.name + {"counter": "_total", "info": "_info"}.get(family.type, "")
        if not name.startswith("process_"):
            found[name] = family
    return found


def labels(family: Metric) -> str:
    names = dict.fromkeys(name for sample in family.samples for name in sample.labels)
    return ", ".join(f"`{name}`" for name in names if name != "le")
