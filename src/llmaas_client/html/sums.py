"""Usage as tables: of the server's ledger, and of a meter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .frame import HTML, frame, quiet, table, tag, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmaas_client.meter import Meter, Used
    from llmaas_client.wire.usage import UsageGroup, UsageReport

_SUMS = ("calls", "prompt", "cached", "completion", "cost")


def usage_report(report: UsageReport) -> str:
    names = [str(name) for name in report.by]
    rows = [_group(group, names) for group in report.groups]
    total = [*([text("total")] + [text("")] * len(names))[: len(names)], *_sums(report.total)]
    numbers = range(len(names), len(names) + len(_SUMS))
    more = "there are more groups" if report.next is not None else ""
    since = "" if report.since is None else f"since {report.since:%Y-%m-%d %H:%M}"
    until = "" if report.until is None else f"until {report.until:%Y-%m-%d %H:%M}"
    bold = [tag("b", cell) for cell in total]
    return frame(table((*names, *_SUMS), [*rows, bold], numbers), quiet(since, until, more))


def meter(counted: Meter) -> str:
    parts = [
        _used(name, used)
        for name, used in (("task", counted.by_task), ("model", counted.by_model))
        if used
    ]
    total = counted.total
    line = (
        f"{total.calls} calls",
        f"{total.failed} failed" if total.failed else "",
        f"{total.total_tokens} tokens",
        "" if total.cost is None else f"cost {total.cost}",
    )
    return frame(*parts, quiet(*line))


def _used(name: str, used: Mapping[str, Used]) -> HTML:
    rows = [
        (
            text(key),
            text(one.calls),
            text(one.prompt_tokens),
            text(one.cached_tokens),
            text(one.completion_tokens),
            text("" if one.cost is None else one.cost),
        )
        for key, one in used.items()
    ]
    return table((name, *_SUMS), rows, range(1, 1 + len(_SUMS)))


def _group(group: UsageGroup, names: list[str]) -> list[HTML]:
    return [*(text(getattr(group, name) or "") for name in names), *_sums(group)]


def _sums(group: UsageGroup) -> list[HTML]:
    return [
        text(value)
        for value in (
            group.calls,
            group.prompt_tokens,
            group.cached_tokens,
            group.completion_tokens,
            group.cost,
        )
    ]
